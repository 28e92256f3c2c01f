package table

import (
	"context"
	"encoding/json"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"autotune/controller"
)

var ctx = context.Background()

// jumpy is a policy for tests that proposes anything: settings at random, most of
// which were not measured, and changes of nothing.
type jumpy struct{ learned *int }

func (j jumpy) Learn(controller.Trial) { *j.learned++ }

func (j jumpy) Propose(v controller.View) (controller.Proposal, bool) {
	rng := rand.New(rand.NewPCG(v.Seed, uint64(*j.learned<<20+len(v.Blocked))))
	all := v.Offered[len(v.Offered)-1]
	for range 200 {
		change := map[string]float64{}
		for _, name := range all.Knobs {
			k, _ := v.Space.Knob(name)
			if rng.IntN(2) == 0 {
				if change[name] = float64(rng.IntN(2)); k.Kind != controller.Switch {
					change[name] = k.Levels[rng.IntN(len(k.Levels))]
				}
			}
		}
		p := controller.Proposal{Optimization: all.Name, Move: "jump", Change: change}
		if v.Blocked[p.BlockKey()] == "" {
			return p, true
		}
	}
	return controller.Proposal{}, false
}

// ragged is a table with rows left out and results missing.
func ragged(seed uint64, environments []string) string {
	rng := rand.New(rand.NewPCG(seed, 7))
	var out strings.Builder
	header, rest, _ := strings.Cut(grid(3, 6, 0.05), "\n")
	out.WriteString("env," + header + "\n")
	for _, line := range strings.Split(strings.TrimSpace(rest), "\n") {
		if rng.IntN(4) == 0 {
			continue
		}
		for _, env := range environments {
			fields := strings.Split(line, ",")
			switch y, fate := len(fields)-2, rng.IntN(20); {
			case fate == 0:
				fields[y] = ""
			case fate == 1:
				fields[y] = "1e6"
			case env == "z": // the other way round
				var v float64
				_ = json.Unmarshal([]byte(fields[y]), &v)
				fields[y] = string(must(json.Marshal(10000 / v)))
			}
			out.WriteString(env + "," + strings.Join(fields, ",") + "\n")
		}
	}
	return out.String()
}

func must(b []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return b
}

// Whatever a policy proposes: what is put in force was measured, the figures are
// those of the table, and the same seed gives the same bytes.
func TestRun_staysWithinTheTable(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		environments := rapid.SampledFrom([][]string{{"x"}, {"x", "z"}}).Draw(rt, "environments")
		cfg := gridConfig
		cfg.Environment, cfg.Invalid, cfg.Maximize = "env", []float64{1e6}, rapid.Bool().Draw(rt, "maximize")
		table := read(t, ragged(rapid.Uint64().Draw(rt, "table"), environments), cfg)
		run := RunConfig{
			Evaluations: rapid.IntRange(2, 30).Draw(rt, "evaluations"), Seed: rapid.Uint64().Draw(rt, "seed"),
			Judge: rapid.SampledFrom([]Judge{Sequential, Exact}).Draw(rt, "judge"), Start: rapid.IntRange(-1, table.Len()-1).Draw(rt, "start"),
		}
		several := rapid.Bool().Draw(rt, "several knobs at once")
		policy := func(c RunConfig) RunConfig {
			c.Policy = oneByOne{}
			if several {
				c.Policy = jumpy{new(int)}
			}
			return c
		}
		got, err := table.Run(ctx, policy(run))
		require.NoError(rt, err)
		again, err := table.Run(ctx, policy(run))
		require.NoError(rt, err)
		require.Equal(rt, string(must(json.Marshal(got))), string(must(json.Marshal(again))), "the same seed, the same bytes")

		last := len(environments) - 1
		final := got.FinalConfiguration()
		require.Equal(rt, table.Row(final), got.Final)
		require.Equal(rt, table.Value(last, final), got.FinalValue)
		best, better := table.Value(last, 0), 0
		for i := range table.Len() {
			if v := table.Value(last, i); table.Better(v, best) {
				best = v
			}
			if table.Better(table.Value(last, i), got.FinalValue) {
				better++
			}
		}
		require.Equal(rt, best, got.BestValue)
		require.Equal(rt, better, got.Rank)
		require.NotNil(rt, got.Gap)
		require.InDelta(rt, (got.FinalValue-best)/(got.MedianValue-best), *got.Gap, 1e-9)
		require.LessOrEqual(rt, got.Evaluations, run.Evaluations)
		require.LessOrEqual(rt, got.KeptWorse, got.Kept)
		require.LessOrEqual(rt, got.Kept, got.Evaluations)
		if run.Start >= 0 {
			require.Equal(rt, table.Value(last, run.Start), got.DefaultValue)
		}
		if run.Judge == Exact {
			require.Zero(rt, got.KeptWorse)
			if last == 0 {
				require.False(rt, table.Better(got.DefaultValue, got.FinalValue))
			}
		}
		if last > 0 {
			require.Len(rt, got.Environments, 2)
			require.Equal(rt, got.FinalValue, got.Environments[1].FinalValue)
			require.Equal(rt, got.Evaluations, got.Environments[0].Evaluations+got.Environments[1].Evaluations)
		}
	})
}

// spy sees what is put in force.
type spy struct {
	*Target
	t     *rapid.T
	valid map[string]float64
}

func (s spy) Apply(ctx context.Context, to controller.Setting) error {
	err := s.Target.Apply(ctx, to)
	now, _ := s.Current(ctx)
	_, ok := s.valid[now.String()]
	require.True(s.t, ok, "%s was not measured", now)
	return err
}

// In the shipped loop, with a policy that cares for nothing, nothing is put in
// force that was not measured, and no trial finds that out by an error. (An audit
// may: the old value beside what was kept since.)
func TestTarget_everySettingAppliedIsARow(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		cfg := gridConfig
		cfg.Ignore, cfg.Invalid = []string{"env"}, []float64{1e6}
		table := read(t, ragged(rapid.Uint64().Draw(rt, "table"), []string{"x"}), cfg)
		valid := map[string]float64{}
		for i := range table.Len() {
			valid[table.Setting(i).String()] = table.Value(0, i)
		}
		require.Len(rt, valid, table.Len())
		seed := rapid.Uint64().Draw(rt, "seed")
		g := &gate{Policy: jumpy{new(int)}, table: table, refuse: func(int) string { return "" }}
		core, err := controller.New(controller.Config{
			Space: table.Space(), Offered: table.Offered(), Goals: []controller.Goal{{Metric: Value}}, Policy: g, Seed: seed,
			Timing: controller.Timing{Washout: -1, Measure: draw, Tick: draw, MinRequests: -1},
			Budget: controller.Budget{Until: start.Add(400 * draw)},
		})
		require.NoError(rt, err)
		target := spy{table.NewTarget(int(seed%uint64(table.Len())), Resampled, seed), rt, valid}
		var trace controller.Trace
		require.NoError(rt, controller.Run(ctx, target, core, controller.Loop{Record: &trace}))
		require.NotEmpty(rt, trace.Verdicts())
		for _, v := range trace.Verdicts() {
			require.NotEqual(rt, controller.Errored, v.Outcome)
		}
	})
}

func TestTarget_refusesWhatWasNotMeasured(t *testing.T) {
	table := read(t, "a,b,y\n0,1,5\n1,1,\n0,2,6\n1,3,7\n", Config{})
	target := table.NewTarget(0, InOrder, 1)
	with := func(a, b float64) controller.Setting {
		return controller.SettingOf(map[string]float64{"a": a, "b": b})
	}
	for to, want := range map[*controller.Setting]string{
		new(with(1, 2)):   "a=1 b=2: was not measured",
		new(with(1, 1)):   "a=1 b=1: has no valid result",
		new(with(0.5, 1)): "a 0.5: must be 0 (off) or 1 (on)",
		new(with(0, 9)):   "b 9: must be within 1..3",
		new(with(0, 2.5)): "b 2.5: must be a whole number",
		{}:                "missing: a setting has a value for each knob",
		new(controller.SettingOf(map[string]float64{"a": 0})):                 "b: missing",
		new(controller.SettingOf(map[string]float64{"a": 0, "b": 1, "c": 1})): "c 1: unknown knob",
	} {
		require.ErrorContains(t, target.Apply(ctx, *to), want)
		now, err := target.Current(ctx)
		require.NoError(t, err)
		require.Equal(t, with(0, 1), now, "what is in force stays")
	}
	require.NoError(t, target.Apply(ctx, with(1, 3)))
	s, err := target.Observe(ctx, 1, time.Millisecond)
	require.NoError(t, err)
	require.Equal(t, map[controller.Metric]float64{Value: 7}, s.Gauges)
	require.Equal(t, draw, s.Over)
	s, err = target.Observe(ctx, 1, 0)
	require.NoError(t, err)
	require.Empty(t, s.Gauges, "no time, no draw")
}

func draws(target *Target, n int) []float64 {
	out := make([]float64, n)
	for i := range out {
		s, _ := target.Observe(ctx, 1, draw)
		out[i] = s.Gauges[Value]
	}
	return out
}

func TestTarget_drawsAsTheNoiseSays(t *testing.T) {
	moments := func(x []float64) (mean, sd float64) {
		for _, v := range x {
			mean += v / float64(len(x))
		}
		for _, v := range x {
			sd += (v - mean) * (v - mean) / float64(len(x))
		}
		return mean, math.Sqrt(sd)
	}
	for name, c := range map[string]struct {
		text string
		cfg  Config
	}{
		"relative":           {"a,y,s\n0,50,0.1\n1,1,0\n", Config{RelativeSD: "s"}},
		"absolute":           {"a,y,s\n0,50,5\n1,1,0\n", Config{SD: "s"}},
		"several rows of it": {"a,y,s\n0,47,4\n0,53,4\n1,1,0\n", Config{SD: "s"}}, // 5² = 4² + 3²
	} {
		table := read(t, c.text, c.cfg)
		require.Equal(t, FromSD, table.Noise(), name)
		mean, sd := moments(draws(table.NewTarget(0, InOrder, 3), 100_000))
		require.InDelta(t, 50, mean, 0.1, name) // six standard errors
		require.InDelta(t, 5, sd, 0.1, name)
		require.Equal(t, []float64{1, 1, 1}, draws(table.NewTarget(1, InOrder, 3), 3), name)
	}
	negative := read(t, "a,y,s\n0,-50,5\n1,1,0\n", Config{SD: "s"})
	mean, sd := moments(draws(negative.NewTarget(0, InOrder, 3), 100_000))
	require.InDelta(t, -50, mean, 0.1)
	require.InDelta(t, 5, sd, 0.1)

	for name, text := range map[string]string{
		"columns": "a,y0,y1,y2\n0,1,2,3\n1,7,,\n",
		"rows":    "a,y\n0,1\n0,2\n1,7\n0,3\n",
	} {
		table := read(t, text, Config{Metrics: []string{"y*"}})
		require.Equal(t, FromRepeats, table.Noise(), name)
		require.Equal(t, 2.0, table.Value(0, 0), name)
		first := map[float64]bool{}
		for seed := range uint64(40) {
			target := table.NewTarget(0, InOrder, seed)
			got := draws(target, 4)
			first[got[0]] = true
			for i := range 3 {
				require.Equal(t, math.Mod(got[i], 3)+1, got[i+1], "%s: in order, and round again", name)
			}
			require.NoError(t, target.Apply(ctx, table.Setting(1)))
			require.Equal(t, []float64{7, 7}, draws(target, 2), name)
			require.NoError(t, target.Apply(ctx, table.Setting(0)))
			require.Equal(t, math.Mod(got[3], 3)+1, draws(target, 1)[0], "%s: it goes on where it was", name)
		}
		require.Len(t, first, 3, name)
		mean, sd := moments(draws(table.NewTarget(0, Resampled, 5), 100_000))
		require.InDelta(t, 2, mean, 0.02, name)
		require.InDelta(t, math.Sqrt(2.0/3), sd, 0.02, name)
	}
}

// Environments are gone through in turn, each with its share; the setting in
// force is what the one before left.
func TestRun_environmentsInTurn(t *testing.T) {
	text := "env,a,y\nx,0,10\nx,1,20\nz,0,20\nz,1,10\nw,0,5\nw,1,5\n"
	table := read(t, text, Config{Environment: "env", At: []string{"x", "z"}})
	require.Equal(t, []string{"x", "z"}, table.Environments())
	for _, judge := range []Judge{Exact, Sequential} {
		got, err := table.Run(ctx, RunConfig{Policy: oneByOne{}, Evaluations: 10, Judge: judge, Start: 1, Seed: 4})
		require.NoError(t, err)
		require.Equal(t, "x", got.Environments[0].At)
		require.Equal(t, 10.0, got.Environments[0].FinalValue, judge)
		require.Equal(t, 20.0, got.Environments[0].Default, judge)
		require.Equal(t, 10.0, got.FinalValue, "%s: %+v", judge, got)
		require.Equal(t, 10.0, got.DefaultValue, judge)
		require.Equal(t, map[string]any{"a": 1.0}, got.Final, judge)
		require.GreaterOrEqual(t, got.Kept+got.RolledBack, 2, judge) // an audit may bring the old one back
		require.Zero(t, got.KeptWorse)
	}
	wide := read(t, "a,in:x,in:z\n0,10,20\n1,20,10\n", Config{Metrics: []string{"in:*"}, Environment: "in:*"})
	require.Equal(t, []string{"x", "z"}, wide.Environments())
	for _, at := range []string{"z", "in:z"} {
		one := read(t, "a,in:x,in:z\n0,10,20\n1,20,10\n", Config{Metrics: []string{"in:*"}, Environment: "in:*", At: []string{at}})
		require.Equal(t, []string{at}, one.Environments())
		require.Equal(t, 20.0, one.Value(0, 0))
	}
	_, err := Read(strings.NewReader("a,in:x,in:z\n0,10,20\n1,20,10\n"), Config{Metrics: []string{"in:*"}, Environment: "in:*", At: []string{"q"}})
	require.ErrorContains(t, err, `at "q": no row has it in "in:*": the nearest is "x"`)
}

// A policy that proposes nothing ends the run at once, in each environment.
func TestRun_quietPolicyEnds(t *testing.T) {
	table := read(t, "env,a,y\nx,0,10\nx,1,20\nz,0,20\nz,1,10\n", Config{Environment: "env"})
	for _, judge := range []Judge{Exact, Sequential} {
		got, err := table.Run(ctx, RunConfig{Policy: nothing{}, Evaluations: 100, Judge: judge, Start: 1})
		require.NoError(t, err)
		require.Zero(t, got.Evaluations)
		require.Less(t, got.Measurements+got.Idle, 40)
		require.Equal(t, 10.0, got.FinalValue)
	}
}

type nothing struct{}

func (nothing) Learn(controller.Trial) {}
func (nothing) Propose(controller.View) (controller.Proposal, bool) {
	return controller.Proposal{}, false
}

func TestRun_checks(t *testing.T) {
	table := read(t, "env,a,y\nx,0,10\nx,1,20\nz,0,0\nz,1,10\n", Config{Environment: "env"})
	for want, cfg := range map[string]RunConfig{
		"policy: missing": {Evaluations: 2},
		"evaluations 1: must be at least 2, one an env":     {Evaluations: 1, Policy: nothing{}},
		"start 2: must be one of 2 configurations":          {Evaluations: 2, Policy: nothing{}, Start: 2},
		"value 0 of configuration 0 (a=0): must be above 0": {Evaluations: 2, Policy: nothing{}},
	} {
		_, err := table.Run(ctx, cfg)
		require.ErrorContains(t, err, want)
	}
	got, err := table.Run(ctx, RunConfig{Evaluations: 2, Policy: oneByOne{}, Judge: Exact})
	require.NoError(t, err)
	require.Zero(t, got.FinalValue)
	_, err = JudgeNamed("exactly")
	require.EqualError(t, err, `judge "exactly": must be one of sequential, exact`)
	canceled, cancel := context.WithCancel(ctx)
	cancel()
	for _, judge := range []Judge{Exact, Sequential} {
		_, err = read(t, grid(2, 3, 0.1), gridConfig).Run(canceled, RunConfig{Evaluations: 2, Policy: oneByOne{}, Judge: judge})
		require.ErrorIs(t, err, context.Canceled)
	}
}

func TestTable_gap(t *testing.T) {
	same := read(t, "a,y\n1,5\n2,5\n3,5\n4,9\n", Config{})
	require.Zero(t, same.Gap(0, 5))
	require.True(t, math.IsNaN(same.Gap(0, 9)))
	got, err := same.Run(ctx, RunConfig{Evaluations: 2, Policy: nothing{}, Judge: Exact, Start: 3})
	require.NoError(t, err)
	require.Contains(t, string(must(json.Marshal(got))), `"gap":null`)
	require.Equal(t, 3, got.Rank)
	require.Contains(t, Describe(same, RunConfig{Judge: Exact}, "static", "y", []Run{*got}), "Gap not defined: the median is the best")
	most := read(t, "a,y\n1,1\n2,2\n3,4\n4,8\n", Config{Maximize: true})
	require.InDelta(t, 1.2, most.Gap(0, 2), 1e-12)
	require.Equal(t, 2, most.Rank(0, 2))
	require.Equal(t, 3.0, most.Median(0))
}
