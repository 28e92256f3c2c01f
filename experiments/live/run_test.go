package live

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"autotune/catalog"
	"autotune/executor"
)

// counted is an exporter that counts spans.
type counted struct{ spans atomic.Int64 }

func (c *counted) Export(_ context.Context, spans []*executor.Span) error {
	c.spans.Add(int64(len(spans)))
	return nil
}

const smallCell = "high-frequency/" + catalog.EnableCache

func small(t *testing.T, out string, spans *counted) Options {
	self, err := os.Executable()
	require.NoError(t, err)
	return Options{
		Out: out, Only: []string{smallCell}, Pairs: 8, Block: leastBlock, Rate: 1000, Items: 1000,
		LoadCommand: []string{self, serveLoad}, Commit: "test",
		Exporter: func() (executor.Exporter, func()) { return spans, func() {} },
	}
}

// A cell on the real service: every metric in every pair, kept and reported; the
// same run again measures nothing; another plan measures anew, and what ends in
// the middle keeps what there was.
func TestRun_measuresKeepsAndGoesOn(t *testing.T) {
	if testing.Short() {
		t.Skip("it runs a service for some ten seconds")
	}
	dir, spans := t.TempDir(), &counted{}
	o := small(t, dir, spans)
	var told []Progress
	o.Tell = func(p Progress) { told = append(told, p) }
	require.NoError(t, Run(t.Context(), o))
	require.Len(t, told, 2)
	assert.Equal(t, Progress{Of: 1}, told[0])
	r := told[1].Last
	require.NotNil(t, r)
	require.Len(t, r.Effects(), len(Goals()))
	for _, e := range r.Effects() {
		assert.Equal(t, 8, e.Pairs, e.Metric)
	}
	assert.NotZero(t, r.Requests)
	assert.NotZero(t, spans.spans.Load(), "the service exports its spans")
	assert.Equal(t, "test", r.Machine.Commit)
	kept, err := os.ReadFile(filepath.Join(dir, "live.jsonl"))
	require.NoError(t, err)
	assert.Equal(t, 1, strings.Count(string(kept), "\n"))
	for _, name := range []string{"live.md", "live.csv"} {
		report, err := os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, err)
		assert.Contains(t, string(report), catalog.EnableCache)
	}

	told = nil
	require.NoError(t, Run(t.Context(), o))
	assert.Equal(t, []Progress{{Done: 1, Of: 1, Resumed: 1}}, told)

	o.Seed = 7
	ctx, cancel := context.WithCancel(t.Context())
	o.Tell = func(Progress) { cancel() }
	err = Run(ctx, o)
	require.ErrorIs(t, err, ErrFailed)
	require.ErrorContains(t, err, "interrupted at 0 of 1 cells, which are kept and reported: the same command goes on from there")
	again, err := os.ReadFile(filepath.Join(dir, "live.jsonl"))
	require.NoError(t, err)
	assert.Equal(t, string(kept), string(again))
}

// A cell that cannot be measured is told of, and is no result.
func TestRun_tellsWhatFailed(t *testing.T) {
	o := small(t, t.TempDir(), &counted{})
	o.LoadCommand = []string{filepath.Join(t.TempDir(), "nothing")}
	var last Progress
	o.Tell = func(p Progress) { last = p }
	err := Run(t.Context(), o)
	require.ErrorIs(t, err, ErrFailed)
	require.ErrorContains(t, err, smallCell+": ")
	assert.Error(t, last.Failed)
	assert.Nil(t, last.Last)
	assert.Zero(t, last.Done)
}

// The last line of a cell counts, and a line that a crash tore does not.
func TestKept_survivesATornLine(t *testing.T) {
	path := filepath.Join(t.TempDir(), "live.jsonl")
	p := planned(t, smallCell)[0]
	k, err := openKept(path)
	require.NoError(t, err)
	require.NoError(t, k.add(Result{Plan: p, Requests: 1, Ended: time.Unix(1, 0).UTC()}))
	require.NoError(t, k.add(Result{Plan: p, Requests: 2, Ended: time.Unix(2, 0).UTC()}))
	k.close()
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	require.NoError(t, err)
	line, err := json.Marshal(Result{Plan: p, Requests: 3})
	require.NoError(t, err)
	_, err = f.Write(line[:len(line)-5])
	require.NoError(t, err)
	require.NoError(t, f.Close())

	for range 2 {
		k, err = openKept(path)
		require.NoError(t, err)
		assert.True(t, k.has(p))
		require.Len(t, k.results(), 1)
		assert.EqualValues(t, 2, k.results()[0].Requests)
		k.close()
	}
	k, err = openKept(path)
	require.NoError(t, err)
	require.NoError(t, k.add(Result{Plan: p, Requests: 4}))
	k.close()
	k, err = openKept(path)
	require.NoError(t, err)
	assert.EqualValues(t, 4, k.results()[0].Requests)
	k.close()
}
