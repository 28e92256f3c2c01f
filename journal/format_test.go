package journal

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"autotune/controller"
)

var update = flag.Bool("update", false, "rewrite testdata/format.jsonl")

// The bytes that are written, for people to look at. A difference is a change
// of the format or of controller.Record, to be seen in review.
func TestFormat_written(t *testing.T) {
	dir := t.TempDir()
	j := mustOpen(t, dir, Options{Now: fixed})
	for _, r := range []controller.Record{
		{At: start, Kind: controller.RecordNote, Note: "first start: nothing is changed"},
		{At: start.Add(time.Second), Kind: controller.RecordPhase, Phase: &controller.PhaseLog{Phase: controller.Measuring, Why: "a < b & c > d"}},
		{At: start.Add(90 * time.Second), Kind: controller.RecordCoin, Coin: &controller.Coin{Trial: 1, Pair: 1, CandidateFirst: true}},
	} {
		require.NoError(t, j.Append(r))
	}
	require.NoError(t, j.Close())
	got, err := os.ReadFile(segmentPath(dir, 1))
	require.NoError(t, err)
	golden := filepath.Join("testdata", "format.jsonl")
	if *update {
		require.NoError(t, os.WriteFile(golden, got, 0o644))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	assert.Equal(t, string(want), string(got))
}

// testdata/v1 was written by the first version of the format and is never
// written again: whatever reads journals reads this one.
func TestFormat_version1IsReadForEver(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.CopyFS(dir, os.DirFS(filepath.Join("testdata", "v1"))))
	var kinds []string
	for _, e := range readAll(t, dir) {
		kinds = append(kinds, string(e.Record.Kind))
		switch e.Record.Kind {
		case controller.RecordSession:
			assert.Equal(t, uint64(42), e.Record.Session.Seed)
			assert.Equal(t, "cache_size", e.Record.Session.Space.Knobs[1].Name)
		case controller.RecordInput:
			assert.Equal(t, uint64(5), e.Record.Input.Epoch)
			p95, ok := e.Record.Input.Sample.Value(controller.LatencyP95)
			assert.True(t, ok)
			assert.InDelta(t, 0.095, p95, 0.002)
		case controller.RecordVerdict:
			assert.Equal(t, controller.Kept, e.Record.Trial.Outcome)
			assert.Equal(t, controller.Better, e.Record.Trial.Reason)
		}
	}
	assert.Equal(t, []string{"session", "state", "phase", "trial", "coin", "input", "pair", "verdict", "state", "note"}, kinds)

	j := mustOpen(t, dir, Options{})
	assert.Empty(t, j.Recovered())
	s := j.State()
	require.NotNil(t, s)
	assert.Equal(t, 2, s.NextTrial)
	assert.Nil(t, s.Running)
	assert.True(t, s.Safe.On("enable_cache"))
	assert.Equal(t, start.Add(time.Hour), s.Memory["cache"].CoolUntil)
	require.NoError(t, j.Append(note(1)))
	assert.Len(t, readAll(t, dir), len(kinds)+1)
}

// What other people's tools see: one JSON object a line, nothing else.
func TestFormat_isJSONForJq(t *testing.T) {
	jq, err := exec.LookPath("jq")
	if err != nil {
		t.Skip("jq is not installed")
	}
	out, err := exec.Command(jq, "-r", `select(.record.kind == "coin") | .seq, .record.coin.candidate_first`,
		filepath.Join("testdata", "format.jsonl")).CombinedOutput()
	require.NoError(t, err, string(out))
	assert.Equal(t, "4\ntrue\n", string(out))
}
