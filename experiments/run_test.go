package experiments

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

// coins is an experiment about coins, some of them bent.
func coins(played *atomic.Int64) Experiment {
	toss := func(p float64) func(context.Context, uint64, *Tally) error {
		return func(_ context.Context, seed uint64, into *Tally) error {
			if played != nil {
				played.Add(1)
			}
			rng := rand.New(rand.NewPCG(seed, 1))
			into.Count("heads", rng.Float64() < p)
			into.Value("height", rng.ExpFloat64())
			return nil
		}
	}
	return Experiment{
		Name: "coins", Doc: "Are coins fair?",
		Cells: func(bool) ([]Cell, error) {
			return []Cell{
				{Scenario: "fair", Contender: "a", Params: 0.5, Trials: 100, Batch: 7, Trial: toss(0.5)},
				{Scenario: "fair", Contender: "b", Params: 0.5, Trials: 100, Batch: 7, Trial: toss(0.5)},
				{Scenario: "bent", Contender: "a", Params: 0.1, Trials: 50, Batch: 10, Trial: toss(0.1)},
			}, nil
		},
		Measures: []Measure{{Name: "heads", Of: Rate}, {Name: "height", Of: Median}},
		Claims: func(r *Results) []Claim {
			return []Claim{{Text: "the bent one is bent", Holds: r.Of("bent", "a").Counts["heads"] < 20}}
		},
	}
}

func files(t *testing.T, dir, name string) string {
	t.Helper()
	var all strings.Builder
	for _, ext := range []string{".csv", ".md", ".html", ".json"} {
		b, err := os.ReadFile(filepath.Join(dir, name+ext))
		require.NoError(t, err)
		all.Write(b)
	}
	return all.String()
}

func TestRun_isTheSameToTheByteWhateverTheWorkers(t *testing.T) {
	var want string
	for _, workers := range []int{1, 2, 7} {
		dir := t.TempDir()
		report, err := Run(t.Context(), coins(nil), Options{Out: dir, Seed: 3, Workers: workers})
		require.NoError(t, err)
		require.Empty(t, report.Failed())
		got := files(t, dir, "coins")
		if want == "" {
			want = got
			require.Contains(t, got, "coins,bent,a,heads,50,")
		}
		require.Equal(t, want, got, "%d workers", workers)
		require.NoFileExists(t, filepath.Join(dir, "coins.partial.jsonl"))
	}
	dir := t.TempDir()
	_, err := Run(t.Context(), coins(nil), Options{Out: dir, Seed: 4})
	require.NoError(t, err)
	require.NotEqual(t, want, files(t, dir, "coins"), "another seed")
}

// Contenders of a scenario see the same worlds.
func TestRun_contendersShareSeeds(t *testing.T) {
	dir := t.TempDir()
	_, err := Run(t.Context(), coins(nil), Options{Out: dir})
	require.NoError(t, err)
	text := files(t, dir, "coins")
	line := func(contender string) string {
		_, after, _ := strings.Cut(text, "coins,fair,"+contender+",heads,")
		row, _, _ := strings.Cut(after, "\n")
		return row
	}
	require.NotEmpty(t, line("a"))
	require.Equal(t, line("a"), line("b"))
}

// Interrupted anywhere, even in the middle of a write, a run goes on where it
// was and ends with the same bytes as one that was not.
func TestRun_resumes(t *testing.T) {
	clean := t.TempDir()
	_, err := Run(t.Context(), coins(nil), Options{Out: clean, Seed: 3})
	require.NoError(t, err)

	dir := t.TempDir()
	path := filepath.Join(dir, "coins.partial.jsonl")
	ctx, cancel := context.WithCancel(t.Context())
	var played atomic.Int64
	o := Options{Out: dir, Seed: 3, Workers: 2, Build: "one"}
	o.Progress = func(p Progress) {
		if p.Done >= 60 {
			cancel()
		}
	}
	_, err = Run(ctx, coins(&played), o)
	var interrupted *InterruptedError
	require.ErrorAs(t, err, &interrupted)
	require.ErrorIs(t, err, context.Canceled)
	require.GreaterOrEqual(t, interrupted.Done, 60)
	require.Less(t, interrupted.Done, 250)
	require.NoFileExists(t, filepath.Join(dir, "coins.md"))

	kept, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, kept[:len(kept)-5], 0o600)) // the last line is torn

	other := o
	other.Build, other.Progress = "two", func(p Progress) { require.Zero(t, p.Resumed, "results of another build") }
	ctx2, cancel2 := context.WithCancel(t.Context())
	cancel2()
	_, err = Run(ctx2, coins(nil), other)
	require.ErrorAs(t, err, &interrupted)

	before := played.Load()
	o.Progress = nil
	_, err = Run(t.Context(), coins(&played), o)
	require.NoError(t, err)
	require.Less(t, played.Load()-before, int64(250-40), "what was kept is not done again")
	require.Equal(t, files(t, clean, "coins"), files(t, dir, "coins"))
	require.NoFileExists(t, path)
}

func TestRun_aFailedTrialEndsIt(t *testing.T) {
	e := coins(nil)
	broken := errors.New("broken")
	cells, _ := e.Cells(true)
	cells[1].Trial = func(context.Context, uint64, *Tally) error { return broken }
	e.Cells = func(bool) ([]Cell, error) { return cells, nil }
	_, err := Run(t.Context(), e, Options{Out: t.TempDir(), Workers: 2})
	require.ErrorIs(t, err, broken)
	require.ErrorContains(t, err, "coins: fair, b, trial ")
}

func TestMedianInterval_covers(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for _, n := range []int{1, 2, 5, 8, 20, 101} {
		missed, runs := 0, 2000
		for range runs {
			v := make([]float64, n)
			for i := range v {
				v[i] = rng.ExpFloat64()
			}
			tally := &Tally{N: n, Values: map[string][]float64{"v": v}}
			e, ok := Measure{Name: "v", Of: Median}.Take(tally)
			require.True(t, ok)
			require.LessOrEqual(t, e.Low, e.Value)
			require.LessOrEqual(t, e.Value, e.High)
			if e.Low > 0.6931 || e.High < 0.6932 { // ln 2, the median
				missed++
			}
		}
		if n >= 8 { // fewer cannot reach the level
			require.Less(t, float64(missed)/float64(runs), 0.05+3*0.005, "n=%d", n)
		}
	}
}

func TestMeasure_meanHasABootstrapInterval(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 1))
	missed, runs := 0, 200
	for range runs {
		tally := &Tally{}
		for range 100 {
			tally.Value("v", rng.NormFloat64())
		}
		e, _ := Measure{Name: "v", Of: Mean}.Take(tally)
		if e.Low > 0 || e.High < 0 {
			missed++
		}
	}
	require.Less(t, missed, 24, "of %d at 95 %%", runs)
	require.Greater(t, missed, 2)
}
