package autotune_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"autotune"
	"autotune/controller"
	"autotune/journal"
	"autotune/policies"
)

var update = flag.Bool("update", false, "write testdata/journals/*.jsonl anew")

// sketch is a service of one gauge and one switch, in virtual time, whose
// journal is a golden file: short enough to be read.
type sketch struct {
	effect float64 // of the switch, log units
	guard  float64 // limit of the cost; 0: none
	lasts  time.Duration
	dies   int // in which candidate block the process dies, and another goes on; 0: in none
}

// The sessions. What to look for when a difference is reviewed:
//
//	keep     a switch that takes 30 % off the cost: a coin before each pair, the
//	         evidence after it, a verdict with its interval, a state to restart from
//	harm     a switch that adds 50 %: called worse, its cool-down in the state
//	guard    a switch that triples the cost: the limit trips within a tick, the
//	         next command restores, the safe setting is watched as a control
//	crash    the process dies in a candidate block; the next session in the same
//	         journal closes the trial, quarantines the candidate, and goes quiet
var sketches = map[string]sketch{
	"keep":  {effect: -0.36, lasts: 40 * time.Second},
	"harm":  {effect: 0.4, lasts: 40 * time.Second},
	"guard": {effect: 1.1, guard: 15, lasts: 26 * time.Second},
	"crash": {effect: -0.36, lasts: 34 * time.Second, dies: 3},
}

var dawn = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)

// play runs the sketch with its journal in dir.
func (s sketch) play(t *testing.T, dir string) {
	t.Helper()
	service := &sketched{sketch: s, now: dawn, chance: rand.New(rand.NewPCG(1, 2))}
	for legs := 0; ; legs++ {
		// Another process starts with the operator's configuration.
		service.set = controller.SettingOf(map[string]float64{"fast": 0})
		j, err := journal.Open(dir, journal.Options{Now: func() time.Time { return service.now }})
		require.NoError(t, err)
		policy, err := policies.Named("guide", "")
		require.NoError(t, err)
		cfg := controller.Config{
			Space: service.Space(),
			Offered: []controller.Optimization{{
				Name: "fast", Why: "a sketch", Switch: "fast", Equivalence: controller.Exact,
			}},
			Goals:  []controller.Goal{{Metric: "cost"}},
			Policy: policy, PolicyName: "guide", Seed: 1,
			Timing: controller.Timing{Washout: -1, Measure: time.Second, Tick: time.Second, MinRequests: -1, BaselineBlocks: 8},
			Budget: controller.Budget{MaxPairs: 20, Until: dawn.Add(s.lasts), ReservedPairs: 7},
			State:  j.State(),
		}
		if s.guard > 0 {
			cfg.Guards = []controller.Guard{{Metric: "cost", Limit: s.guard}}
		}
		core, err := controller.New(cfg)
		require.NoError(t, err)
		dying := &mortal{Controller: core}
		if legs == 0 {
			dying.left = s.dies
		}
		require.NoError(t, controller.Run(context.Background(), service, dying, controller.Loop{Record: j, Inputs: true}))
		require.NoError(t, j.Close())
		if !dying.dead {
			return
		}
	}
}

type sketched struct {
	sketch
	set    controller.Setting
	now    time.Time
	chance *rand.Rand
}

func (s *sketched) Space() controller.Space {
	return controller.Space{Knobs: []controller.Knob{{Name: "fast", Kind: controller.Switch}}}
}

func (s *sketched) Current(context.Context) (controller.Setting, error) { return s.set, nil }

func (s *sketched) Apply(_ context.Context, to controller.Setting) error {
	s.set = to
	return nil
}

func (s *sketched) Observe(_ context.Context, _ uint64, d time.Duration) (controller.Sample, error) {
	s.now = s.now.Add(d)
	y := 0.05 * s.chance.NormFloat64()
	if s.set.On("fast") {
		y += s.effect
	}
	cost := math.Round(1000*math.Exp(y)) / 100 // about 10, in three or four digits
	return controller.Sample{At: s.now, Over: d, Gauges: map[controller.Metric]float64{"cost": cost}}, nil
}

// mortal is a process that dies with the candidate in force: what it was told
// last is in the journal, what it decided then is not.
type mortal struct {
	*controller.Controller
	left int // ticks with the candidate
	dead bool
}

func (m *mortal) Step(in controller.Input) controller.Command {
	if in.Current.On("fast") {
		if m.left--; m.left == 0 {
			m.dead = true
			return controller.Command{Done: true}
		}
	}
	return m.Controller.Step(in)
}

func goldenJournal(name string) string { return filepath.Join("testdata", "journals", name+".jsonl") }

// needSameFloats skips where the compiler fuses a multiplication and an addition
// into one rounding: the last digit of an e-value is another one there, and a
// journal from elsewhere differs from its replay.
func needSameFloats(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		t.Skipf("golden journals are from amd64: on %s the last digits of floating-point numbers differ", runtime.GOARCH)
	}
}

// What a session writes is byte for byte what it wrote before: every decision,
// number and reason of it.
func TestGolden_journals(t *testing.T) {
	needSameFloats(t)
	for name, s := range sketches {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "journal")
			s.play(t, dir)
			got, err := os.ReadFile(filepath.Join(dir, "journal-00000001.jsonl"))
			require.NoError(t, err)
			if *update {
				require.NoError(t, os.MkdirAll(filepath.Dir(goldenJournal(name)), 0o755))
				require.NoError(t, os.WriteFile(goldenJournal(name), got, 0o644))
			}
			want, err := os.ReadFile(goldenJournal(name))
			require.NoError(t, err)
			gotLines, wantLines := strings.Split(string(got), "\n"), strings.Split(string(want), "\n")
			for i := range min(len(gotLines), len(wantLines)) {
				require.Equal(t, wantLines[i], gotLines[i], "line %d; if this is meant: make golden, and read the difference", i+1)
			}
			require.Len(t, gotLines, len(wantLines))
		})
	}
}

// They tell the stories that they are there for.
func TestGolden_verdicts(t *testing.T) {
	type verdict struct {
		outcome controller.Outcome
		reason  controller.Reason
	}
	want := map[string]verdict{
		"keep":  {controller.Kept, controller.Better},
		"harm":  {controller.Reverted, controller.Worse},
		"guard": {controller.Aborted, controller.GuardTripped},
		"crash": {controller.Aborted, controller.Crashed},
	}
	for name := range sketches {
		var got []verdict
		for e, err := range journal.Read(goldenJournal(name)) {
			require.NoError(t, err)
			if e.Record.Kind == controller.RecordVerdict {
				got = append(got, verdict{e.Record.Trial.Outcome, e.Record.Trial.Reason})
			}
		}
		require.NotEmpty(t, got, name)
		require.Equal(t, want[name], got[0], name)
	}
}

// A journal from disk replays to the same decisions; the same journal with one
// decision altered does not, and the replay names the place and both sides.
func TestGolden_replay(t *testing.T) {
	needSameFloats(t)
	for name, s := range sketches {
		sum, err := autotune.Replay(goldenJournal(name))
		require.NoError(t, err, name)
		require.Equal(t, 1+min(s.dies, 1), sum.Sessions, name)
		require.Positive(t, sum.Verdicts, name)
		require.Zero(t, sum.Skipped, name)
		for what, alter := range map[string]func(*controller.Record) bool{
			"coin": func(r *controller.Record) bool {
				if r.Coin != nil {
					r.Coin.CandidateFirst = !r.Coin.CandidateFirst
				}
				return r.Coin != nil
			},
			"verdict": func(r *controller.Record) bool {
				is := r.Kind == controller.RecordVerdict
				if is {
					r.Trial.Outcome, r.Trial.Reason = controller.Inconclusive, controller.Timeout
				}
				return is
			},
			"evidence": func(r *controller.Record) bool {
				is := r.Kind == controller.RecordVerdict && len(r.Trial.Effects) > 0
				if is {
					r.Trial.Effects[0].Better++
				}
				return is
			},
		} {
			t.Run(name+", another "+what, func(t *testing.T) {
				dir, line, was, is := altered(t, goldenJournal(name), alter)
				_, err := autotune.Replay(dir)
				var diff *autotune.DifferenceError
				require.ErrorAs(t, err, &diff)
				require.Equal(t, line, diff.Line)
				require.JSONEq(t, is, diff.Journal)
				require.JSONEq(t, was, diff.Replay)
			})
		}
	}
}

// altered copies a journal with the first record that alter changes, and tells
// where it is and what it was and is.
func altered(t *testing.T, path string, alter func(*controller.Record) bool) (dir string, line int, was, is string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "journal")
	j, err := journal.Open(dir, journal.Options{})
	require.NoError(t, err)
	defer j.Close()
	for e, err := range journal.Read(path) {
		require.NoError(t, err)
		before, err := json.Marshal(e.Record)
		require.NoError(t, err)
		if line == 0 && alter(&e.Record) {
			after, err := json.Marshal(e.Record)
			require.NoError(t, err)
			line, was, is = e.Line, string(before), string(after)
		}
		require.NoError(t, j.Append(e.Record))
	}
	require.NotZero(t, line, "nothing to alter")
	return dir, line, was, is
}

// A line that was edited in the file itself is found before it is replayed.
func TestGolden_editedByHand(t *testing.T) {
	text, err := os.ReadFile(goldenJournal("harm"))
	require.NoError(t, err)
	edited := bytes.Replace(text, []byte(`"outcome":"reverted"`), []byte(`"outcome":"kept"`), 1)
	require.NotEqual(t, text, edited)
	path := filepath.Join(t.TempDir(), "edited.jsonl")
	require.NoError(t, os.WriteFile(path, edited, 0o600))
	_, err = autotune.Replay(path)
	var damaged *journal.LineError
	require.ErrorAs(t, err, &damaged)
	require.ErrorContains(t, err, "crc")
}
