package controller_test

import (
	"context"
	"maps"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	. "autotune/controller" //nolint:revive // the tests of a vocabulary read better with it
)

// keptTwice is the state of a build that kept two switches, one barely.
func keptTwice() *State {
	s := keptAlready("cost")
	off := SettingOf(map[string]float64{"barely": 0, "clearly": 0})
	s.Initial, s.Safe, s.Regime = off, off.With(map[string]float64{"barely": 1, "clearly": 1}), Regime{Build: "1"}
	s.NextTrial, s.Keeps = 3, nil
	for i, name := range []string{"clearly", "barely"} {
		s.Keeps = append(s.Keeps, Keep{
			Trial: i + 1, Optimization: name, Move: MoveOn, Key: name, Was: map[string]float64{name: 0}, Is: map[string]float64{name: 1},
			For: "cost", Since: epochZero.Add(-time.Hour), Due: epochZero.Add(24 * time.Hour),
		})
		effect := map[string]float64{"barely": -0.04, "clearly": -0.5}[name]
		s.Trials = append(s.Trials, Trial{
			ID: i + 1, Optimization: name, Move: MoveOn, Outcome: Kept, Reason: Better, Change: map[string]float64{name: 1}, From: off,
			Shown: []Interval{{Metric: "cost", Low: effect - 0.01, High: effect + 0.01}},
		})
	}
	return s
}

// restarted runs a build on a state for a minute and returns its audits.
func restarted(t *testing.T, build string, state *State) ([]Trial, *State) {
	t.Helper()
	space, offered, initial := switches("barely", "clearly")
	p := newPlant(3, space, initial)
	p.effect = func(s Setting, age time.Duration) float64 {
		return on("clearly", -0.5)(s, age) + on("barely", 0.3)(s, age)
	}
	c, err := New(Config{
		Space: space, Offered: offered, Goals: []Goal{{Metric: "cost"}}, Policy: &nothing{}, Seed: 3, Timing: fast, State: state, Build: build,
		Budget: Budget{Until: epochZero.Add(2 * time.Minute)},
	})
	require.NoError(t, err)
	var trace Trace
	require.NoError(t, Run(context.Background(), p, c, Loop{Record: &trace}))
	end := c.State()
	return trace.Audits(), &end
}

// After a deploy what is kept is audited at once, what was kept for least first:
// here it has turned, and goes. The same build again audits when audits are due.
func TestRegime_aNewBuildAuditsWhatMayHaveTurnedFirst(t *testing.T) {
	same, state := restarted(t, "1", keptTwice())
	require.Empty(t, same)
	require.Zero(t, state.Regime.Number)

	audits, state := restarted(t, "2", keptTwice())
	require.Equal(t, 1, state.Regime.Number)
	require.Equal(t, "2", state.Regime.Build)
	require.Equal(t, "barely", audits[0].Optimization)
	require.Equal(t, Kept, audits[0].Outcome, "the old value is back")
	require.False(t, state.Safe.On("barely"))
	require.True(t, state.Safe.On("clearly"))

	unnamed, state := restarted(t, "", keptTwice())
	require.Empty(t, unnamed, "who does not name builds has no deploys")
	require.Equal(t, "1", state.Regime.Build)
}

// A level that is better than expected by the alert's threshold is another regime
// too, once: it is no alert, and what is expected stays.
func TestRegime_betterThanExpectedIsNotedOnce(t *testing.T) {
	trace, _ := drifting(t, 6*time.Hour, Alert{}, func(age time.Duration) float64 {
		if age > 3*time.Hour {
			return -0.5
		}
		return 0
	})
	noted, regime := 0, 0
	for _, r := range trace.Records {
		if strings.Contains(r.Note, "better than expected") {
			noted++
		}
		if r.State != nil {
			regime = r.State.Regime.Number
		}
	}
	require.Equal(t, 1, noted)
	require.Equal(t, 1, regime)
	n, _, _ := alerts(trace)
	require.Zero(t, n)
}

// both proposes two switches together, whatever the view says.
type both struct{ change map[string]float64 }

func (b both) Learn(Trial) {}

func (b both) Propose(v View) (Proposal, bool) {
	p := Proposal{Optimization: "a", Move: "a on, b on", Change: maps.Clone(b.change), Why: "together"}
	return p, v.Blocked[p.BlockKey()] == "" && !v.Safe.On("a")
}

// Two switches that gain 30 % together and cost 20 % each alone.
func TestJoint_twoTogetherIfTheOwnerAllows(t *testing.T) {
	run := func(joint bool, change map[string]float64, alter func([]Optimization)) (*Trace, Setting) {
		space, offered, initial := switches("a", "b", "c")
		if alter != nil {
			alter(offered)
		}
		p := newPlant(4, space, initial)
		p.effect = func(s Setting, _ time.Duration) float64 {
			switch {
			case s.On("a") && s.On("b"):
				return math.Log(0.7)
			case s.On("a") || s.On("b"):
				return math.Log(1.2)
			}
			return 0
		}
		c, err := New(Config{
			Space: space, Offered: offered, Goals: []Goal{{Metric: "cost"}}, Policy: both{change}, Seed: 4, Timing: fast, Joint: joint,
			Budget: Budget{Until: epochZero.Add(3 * time.Minute)},
		})
		require.NoError(t, err)
		var trace Trace
		require.NoError(t, Run(context.Background(), p, c, Loop{Record: &trace}))
		return &trace, c.State().Safe
	}
	refusal := func(trace *Trace) string {
		for _, r := range trace.Records {
			if strings.HasPrefix(r.Note, "refused") {
				return r.Note
			}
		}
		return ""
	}
	two := map[string]float64{"a": 1, "b": 1}

	trace, safe := run(true, two, nil)
	require.True(t, safe.On("a") && safe.On("b"))
	require.Equal(t, Kept, trace.Verdicts()[0].Outcome)
	require.NotEmpty(t, trace.Audits())
	for _, audit := range trace.Audits() {
		require.Equal(t, map[string]float64{"a": 0, "b": 0}, audit.Change, "an audit asks for both")
	}

	trace, safe = run(false, two, nil)
	require.False(t, safe.On("a"))
	require.Contains(t, refusal(trace), "one optimization a trial")

	trace, _ = run(true, map[string]float64{"a": 1, "b": 1, "c": 1}, nil)
	require.Contains(t, refusal(trace), "two optimizations a trial at most")

	for _, half := range []map[string]float64{{"b": 1}, {"a": 0, "b": 1}, {"a": 1, "b": 0}} {
		trace, safe = run(true, half, nil)
		require.False(t, safe.On("a") || safe.On("b"), "%v", half)
		require.NotEmpty(t, refusal(trace), "%v", half)
	}
	require.Contains(t, refusal(trace), "leaves one of the optimizations")

	trace, _ = run(true, two, func(o []Optimization) { o[1].Equivalence, o[1].MayDiffer = Bounded, "results" })
	require.Contains(t, refusal(trace), "not granted by the owner")
}

// A cool-down that a trial earned is over on another build. What broke a hard limit
// waits, and so does what somebody turned off.
func TestRegime_anotherBuildEndsCoolDowns(t *testing.T) {
	names := []string{"failed", "broke", "blamed", "undone"}
	tried := func(build string) []string {
		space, offered, initial := switches(names...)
		later := epochZero.Add(time.Hour)
		state := &State{
			Version: StateVersion, Initial: SettingOf(initial), Safe: SettingOf(initial), Wealth: 0.25, NextTrial: 4, Proven: true, Regime: Regime{Build: "1"},
			Memory: map[string]Memory{
				"failed": {Tried: 1, Failures: 1, CoolUntil: later},
				"broke":  {Tried: 1, Failures: 1, CoolUntil: later, Strikes: 1},
				"blamed": {Tried: 1, Failures: 1, CoolUntil: later, Blamed: 1},
				"undone": {Tried: 1, CoolUntil: later, LeftAlone: true},
			},
		}
		p := newPlant(4, space, initial)
		c, err := New(Config{
			Space: space, Offered: offered, Goals: []Goal{{Metric: "cost"}}, Policy: &eachOnce{}, Seed: 4, Timing: fast, State: state, Build: build,
			Budget: Budget{Until: epochZero.Add(5 * time.Minute)},
		})
		require.NoError(t, err)
		var trace Trace
		require.NoError(t, Run(context.Background(), p, c, Loop{Record: &trace}))
		var out []string
		for _, v := range trace.Verdicts() {
			out = append(out, v.Optimization)
		}
		return out
	}
	require.Empty(t, tried("1"))
	require.Equal(t, []string{"failed"}, tried("2"))
}
