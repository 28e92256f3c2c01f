package history

import (
	"bytes"
	"flag"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"autotune/controller"
	"autotune/journal"
	"autotune/policies"
	"autotune/report"
	"autotune/simulate"
)

var update = flag.Bool("update", false, "rewrite the golden reports")

// The golden journals of the module, as reports: what people read.
func TestRead_golden(t *testing.T) {
	for _, name := range []string{"keep", "guard", "harm", "crash"} {
		d, err := Read(filepath.Join("..", "..", "testdata", "journals", name+".jsonl"))
		require.NoError(t, err)
		for _, f := range report.Formats() {
			if name != "keep" && f != report.Markdown {
				continue
			}
			var b bytes.Buffer
			require.NoError(t, d.Write(&b, f))
			golden := filepath.Join("testdata", name+"."+string(f))
			if *update {
				require.NoError(t, os.MkdirAll("testdata", 0o750))
				require.NoError(t, os.WriteFile(golden, b.Bytes(), 0o600))
			}
			want, err := os.ReadFile(golden)
			require.NoError(t, err)
			require.Equal(t, string(want), b.String(), golden)
		}
	}
}

// record writes the journal of a simulated service with four switches: one that
// helps, one that does nothing, one that is slow, and one that stalls.
func record(t testing.TB, dir string, length time.Duration, o journal.Options) {
	t.Helper()
	space, offered, initial := simulate.Switches("batching", "cache", "compression", "prefetch")
	effect := map[string]float64{"batching": 0, "cache": math.Log(0.6), "compression": math.Log(1.35)}
	rng := func(n uint64) *rand.Rand { return rand.New(rand.NewPCG(1, n)) }
	service, err := simulate.NewService(simulate.ServiceConfig{
		Space: space, Initial: initial, Seed: 1, Rate: 100, Tail: simulate.Lognormal(0.5), Horizon: length, CPUNoise: 0.3, MemoryLimit: 1e9,
		Level: simulate.AR1(rng(1), 5*time.Minute, 0.15),
		Effect: func(m simulate.Moment) (e simulate.Effect) {
			for _, name := range slices.Sorted(maps.Keys(effect)) {
				if m.Setting.On(name) {
					e.Latency += effect[name]
				}
			}
			e.Stalled = m.Setting.On("prefetch")
			return e
		},
	})
	require.NoError(t, err)
	o.Now = simulate.Epoch
	j, err := journal.Open(dir, o)
	require.NoError(t, err)
	guide, err := policies.Named("guide", "")
	require.NoError(t, err)
	core, err := controller.New(controller.Config{
		Space: service.Space(), Offered: offered, Seed: 1, OpenLoop: true, Policy: guide, PolicyName: "guide",
		Guards: []controller.Guard{{Metric: controller.OldestInFlight, Limit: 2}, {Metric: controller.ErrorRatio, Limit: 0.25, MinRequests: 50}},
		Timing: controller.Timing{Washout: time.Second, Measure: 5 * time.Second, Tick: time.Second},
		Budget: controller.Budget{Until: simulate.Epoch().Add(length)},
	})
	require.NoError(t, err)
	require.NoError(t, controller.Run(t.Context(), service, core, controller.Loop{Record: j, Inputs: true}))
	require.NoError(t, j.Close())
}

// A session of half an hour, in which much happens, is told as it was.
func TestRead_aSession(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "session")
	record(t, dir, 20*time.Minute, journal.Options{SegmentBytes: 200 << 10, Segments: 100})
	d, err := Read(dir)
	require.NoError(t, err)
	require.Contains(t, d.Summary[0], "Kept: cache on. Put back: batching on, compression on, prefetch on")

	// What the report says is what the journal says.
	requests, verdicts, trials, rows := 0.0, 0, table(t, d, "Trials"), 0
	for e, err := range journal.Read(dir) {
		require.NoError(t, err)
		switch r := e.Record; {
		case r.Kind == controller.RecordInput:
			requests += r.Input.Sample.Totals[controller.Requests]
		case r.Kind == controller.RecordVerdict && r.Trial.Audit == 0:
			require.Equal(t, strconv.Itoa(r.Trial.ID), trials.Rows[verdicts][0])
			require.Equal(t, r.Trial.Outcome.String(), trials.Rows[verdicts][2])
			require.Equal(t, r.Trial.Reason.String(), trials.Rows[verdicts][3])
			verdicts++
			if r.Trial.Pairs > 0 {
				rows += len(r.Trial.Effects)
			}
		}
	}
	require.Len(t, trials.Rows, verdicts)
	require.Len(t, d.Rows, rows)
	require.Contains(t, d.Facts, report.Fact{Name: "requests", Value: fmt.Sprintf("%.0f", requests)})
	require.Equal(t, []string{"cache", "off", "on", "trial 2"}, table(t, d, "Settings before and after").Rows[0])

	var titles []string
	for _, c := range d.Charts {
		titles = append(titles, c.Title)
	}
	require.Equal(t, []string{"Latency p95 over time", "CPU per request over time", "Latency mean over time", "Effects on latency p95", "Guards"}, titles)
	for i := range d.Rows {
		r := &d.Rows[i]
		require.Positive(t, r.N)
		require.LessOrEqual(t, r.Low, r.High)
	}

	// The picture of the README.
	svg, err := d.Charts[0].SVG(report.Wide)
	require.NoError(t, err)
	golden := filepath.Join("testdata", "session.svg")
	if *update {
		require.NoError(t, os.WriteFile(golden, svg, 0o600))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	require.Equal(t, string(want), string(svg))

	// Read again, and from a segment in the middle.
	again, err := Read(dir)
	require.NoError(t, err)
	require.Equal(t, d, again)
	late, err := Read(filepath.Join(dir, "journal-00000002.jsonl"))
	require.NoError(t, err)
	require.Contains(t, strings.Join(late.Summary, " "), "begins in the middle of a session")
}

func table(t *testing.T, d *report.Document, title string) report.Table {
	t.Helper()
	for _, x := range d.Tables {
		if x.Title == title {
			return x
		}
	}
	require.Fail(t, "no table "+title)
	return report.Table{}
}

// The table of settings has who moved a value: the latest word of a trial or of a
// person who pinned it.
func TestSettings_whatIsPinned(t *testing.T) {
	began := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	h := newHistory("j")
	h.session = &controller.Session{}
	h.initial = controller.SettingOf(map[string]float64{"batch": 1, "pages": 100})
	h.state = &controller.State{Safe: controller.SettingOf(map[string]float64{"batch": 50, "pages": 200})}
	h.state.Wishes.Pins = map[string]controller.Pin{
		"batch": {Values: map[string]float64{"batch": 50}, By: controller.Operator{Who: "me", Why: "truth"}, At: began.Add(time.Minute)},
		"pages": {Values: map[string]float64{"pages": 200}, By: controller.Operator{Who: "me"}, At: began.Add(-time.Minute)},
	}
	h.trials.add(trial{Trial: controller.Trial{ID: 3, Change: map[string]float64{"pages": 200}, Outcome: controller.Kept, Ended: began}}, mostTrials)
	require.Equal(t, [][]string{
		{"batch", "1", "50", "pinned by me (truth) on 2026-03-01 09:01:00 UTC"},
		{"pages", "100", "200", "trial 3"},
	}, h.settingsTable().Rows)
}

func TestRead_badInput(t *testing.T) {
	dir := t.TempDir()
	_, err := Read(filepath.Join(dir, "none"))
	require.EqualError(t, err, "journal "+filepath.Join(dir, "none")+": read: no such file or directory")
	_, err = Read(dir)
	require.ErrorIs(t, err, ErrEmpty)
	require.EqualError(t, err, "journal "+dir+": empty: must hold at least the start of a session")

	j, err := journal.Open(dir, journal.Options{})
	require.NoError(t, err)
	require.NoError(t, j.Append(controller.Record{Kind: controller.RecordSession, Session: &controller.Session{}}))
	require.NoError(t, j.Close())
	_, err = Read(dir)
	require.EqualError(t, err, "journal "+dir+": segment 1, line 2: session: goals are empty: there must be one at least")
}
