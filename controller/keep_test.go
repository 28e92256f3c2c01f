package controller_test

import (
	"context"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	. "autotune/controller" //nolint:revive // the tests of a vocabulary read better with it
)

// script proposes one thing after the other.
type script struct {
	moves   []Proposal
	learned []Trial
}

func (s *script) Learn(t Trial) {
	s.learned = append(s.learned, t)
	if t.Audit == 0 && len(s.moves) > 0 {
		s.moves = s.moves[1:]
	}
}

func (s *script) Propose(View) (Proposal, bool) {
	if len(s.moves) == 0 {
		return Proposal{}, false
	}
	return s.moves[0], true
}

// A knob that is moved again belongs to the later keep: the earlier one is
// audited for the rest of what it changed.
func TestKeep_aKnobBelongsToTheLatest(t *testing.T) {
	space := Space{Knobs: []Knob{
		{Name: "cache", Kind: Switch},
		{Name: "size", Kind: Int, Min: 1, Max: 1024, Scale: Log, MaxMove: 8, Needs: "cache"},
	}}
	offered := []Optimization{{Name: "cache", Why: "test", Switch: "cache", Knobs: []string{"size"}, Equivalence: Exact}}
	p := newPlant(4, space, map[string]float64{"cache": 0, "size": 16})
	p.effect = func(s Setting, _ time.Duration) float64 {
		size, _ := s.Get("size")
		return on("cache", -0.003*size-0.2)(s, 0)
	}
	size := func(v float64) Proposal {
		return Proposal{Optimization: "cache", Move: "size", Change: map[string]float64{"size": v}, Why: "test"}
	}
	policy := &script{moves: []Proposal{
		{Optimization: "cache", Move: MoveOn, Change: map[string]float64{"cache": 1, "size": 64}, Why: "test"},
		size(200), size(400),
	}}
	var seen [][]Keep
	kept := 0
	c, err := New(Config{
		Space: space, Offered: offered, Goals: []Goal{{Metric: "cost"}}, Policy: policy, Timing: fast, Budget: Budget{Until: epochZero.Add(200 * time.Second)},
	})
	require.NoError(t, err)
	require.NoError(t, Run(context.Background(), p, c, Loop{Stepped: func(Input, Command) {
		if len(policy.moves) == 0 { // it turns bad
			p.effect = on("cache", 0.5)
		}
		if n := len(policy.learned); n > kept {
			kept = n
			seen = append(seen, c.State().Keeps)
		}
	}}))
	var was [][]map[string]float64
	for _, keeps := range seen {
		var one []map[string]float64
		for _, k := range keeps {
			one = append(one, k.Was)
		}
		was = append(was, one)
	}
	require.Equal(t, [][]map[string]float64{
		{{"cache": 0, "size": 16}},
		{{"cache": 0}, {"size": 64}},
		{{"cache": 0}, {"size": 200}},
		nil, // rolled back, and numbers of a switch that is off are nobody's
	}, was)
}

// kept by an earlier run, what the operator moved, pinned or configured
// otherwise is not audited: it is theirs.
func TestKeep_theOperatorsIsLeftAlone(t *testing.T) {
	for name, change := range map[string]struct {
		cfg    func(*Config)
		plant  func(*plant)
		audits bool
	}{
		"as it was":                         {audits: true},
		"pinned":                            {cfg: func(c *Config) { c.Pinned = []string{"x"} }},
		"pinned optimization":               {cfg: func(c *Config) { c.Pinned = []string{"x"}; c.Pinned[0] = c.Offered[0].Name }},
		"not offered any more":              {cfg: func(c *Config) { c.Offered = c.Offered[1:] }},
		"advice only":                       {cfg: func(c *Config) { c.Advise = true }},
		"another knob configured otherwise": {plant: func(p *plant) { p.set = p.set.With(map[string]float64{"other": 1}) }},
		"moved while it ran": {plant: func(p *plant) {
			p.before = func(p *plant) {
				if p.now.Sub(p.start) > 15*time.Second && p.set.On("x") {
					p.set = p.set.With(map[string]float64{"x": 0})
					p.before = nil
				}
			}
		}},
		"quarantined, the old value": {cfg: func(c *Config) {
			c.State.Memory = map[string]Memory{"x=0": {Quarantined: "broke a hard limit"}}
		}},
		"not enough time beside what was never tried": {cfg: func(c *Config) {
			c.Budget.ReservedPairs = 200
		}},
	} {
		t.Run(name, func(t *testing.T) {
			space, offered, initial := switches("x", "other")
			p := newPlant(6, space, initial)
			p.effect = on("x", -0.3)
			state := keptAlready("cost")
			state.Initial, state.Safe = SettingOf(initial), SettingOf(initial).With(map[string]float64{"x": 1})
			cfg := Config{
				Space: space, Offered: offered, Goals: []Goal{{Metric: "cost"}}, Policy: &nothing{}, Timing: fast, State: state,
				Budget: Budget{Until: epochZero.Add(3 * time.Minute)},
			}
			if change.cfg != nil {
				change.cfg(&cfg)
			}
			if change.plant != nil {
				change.plant(p)
			}
			c, err := New(cfg)
			require.NoError(t, err)
			var trace Trace
			require.NoError(t, Run(context.Background(), p, c, Loop{Record: &trace}))
			require.Equal(t, change.audits, len(trace.Audits()) > 0)
			require.Empty(t, trace.Verdicts())
		})
	}
}

// A process that starts after a long time audits each keep once, not once for
// each moment that it missed, and not all of them at once.
func TestKeep_aRestartMakesNoBurst(t *testing.T) {
	space, offered, initial := switches("x", "y", "z")
	safe := SettingOf(map[string]float64{"x": 1, "y": 1, "z": 1})
	state := &State{Version: StateVersion, Initial: SettingOf(initial), Safe: safe, Wealth: 0.25, NextTrial: 9}
	long := epochZero.Add(-4700 * fastLength)
	for i, name := range []string{"x", "y", "z"} {
		state.Keeps = append(state.Keeps, Keep{
			Trial: i + 1, Optimization: name, Move: MoveOn, Key: name, Was: map[string]float64{name: 0}, Is: map[string]float64{name: 1},
			For: "cost", Since: long, Due: long.Add(64 * fastLength), Audits: 4,
		})
	}
	p := newPlant(6, space, initial)
	p.effect = func(s Setting, _ time.Duration) float64 {
		return on("x", -0.3)(s, 0) + on("y", -0.3)(s, 0) + on("z", -0.3)(s, 0)
	}
	c, err := New(Config{
		Space: space, Offered: offered, Goals: []Goal{{Metric: "cost"}}, Policy: &nothing{}, Timing: fast, State: state,
		Budget: Budget{Until: epochZero.Add(3 * time.Minute), ReservedPairs: 1},
	})
	require.NoError(t, err)
	var trace Trace
	require.NoError(t, Run(context.Background(), p, c, Loop{Record: &trace}))
	all := trace.Audits()
	require.Len(t, all, 3)
	for i, a := range all {
		if i > 0 {
			require.GreaterOrEqual(t, a.Started.Sub(all[i-1].Ended), 4*fastLength, "a rest")
		}
	}
	for _, k := range c.State().Keeps {
		require.Equal(t, 5, k.Audits)
		require.Zero(t, k.Due.Sub(long)%(512*fastLength), "the ladder goes on where it was")
	}
}

// A change kept for the second goal, with the first allowed to lose 0.2: an
// audit doubts just that.
func TestAudit_doubtsWhatTheKeepRestsOn(t *testing.T) {
	for name, c := range map[string]struct {
		effect []float64 // of the kept value now
		back   bool
	}{
		"as it was kept":                         {[]float64{0.15, -0.3}, false},
		"the first goal loses too much":          {[]float64{0.5, -0.3}, true},
		"the second gains no more":               {[]float64{0.02, 0.3}, true},
		"worse on the second, for the first one": {[]float64{-0.3, 0.3}, false},
		"the third is nobody's promise":          {[]float64{0.02, -0.3, 0.5}, false},
	} {
		t.Run(name, func(t *testing.T) {
			space, offered, initial := switches("x")
			g := &gauges{now: epochZero, set: SettingOf(initial), space: space, effect: append(c.effect, 0), sample: Sample{Gauges: map[Metric]float64{}}}
			for i, m := range []Metric{"first", "second", "third"} {
				g.goals = append(g.goals, Goal{Metric: m})
				g.next = append(g.next, pairSD(0.05)(rand.New(rand.NewPCG(3, uint64(i)))))
			}
			state := keptAlready("second")
			state.Keeps[0].Above = map[Metric]float64{"first": 0.2}
			state.Keeps[0].Spent = map[Metric]float64{"first": 0.02}
			state.Spent = map[Metric]float64{"first": 0.03}
			policy := &nothing{}
			core, err := New(Config{
				Space: space, Offered: offered, Goals: g.goals, Policy: policy, Timing: fast, State: state, Alert: Alert{Interval: -1},
				Budget: Budget{Until: epochZero.Add(5 * time.Minute)},
			})
			require.NoError(t, err)
			var trace Trace
			require.NoError(t, Run(context.Background(), g, core, Loop{Record: &trace}))
			all := trace.Audits()
			require.NotEmpty(t, all)
			require.Len(t, all[0].Effects, 2)
			last, final := all[len(all)-1], core.State()
			require.Equal(t, c.back, last.Outcome == Kept, last.Detail)
			require.Equal(t, !c.back, g.set.On("x"))
			if !c.back {
				require.Empty(t, policy.learned)
				return
			}
			require.Len(t, policy.learned, 1)
			require.Equal(t, MoveOff, policy.learned[0].Move)
			require.Equal(t, 1, policy.learned[0].Audit)
			require.Empty(t, final.Keeps)
			require.Equal(t, 1, final.Memory["x"].Failures, "it cools down as after a failure")
			require.True(t, final.Memory["x"].CoolUntil.After(last.Ended))
			require.False(t, final.Memory["x"].LeftAlone)
			require.Zero(t, final.Memory["x"].Tried)
			require.InDelta(t, 0.01, final.Spent["first"], 1e-9, "what it took from the tolerance is given back")
			require.InDelta(t, 0.25, final.Wealth, 1e-12, "and earns nothing")
			require.Equal(t, []Trial{last}, core.Status().Ended)
		})
	}
}

// Three processes in a row that die young are blamed on what was kept last; one
// that lives for ten minutes, or ends as asked, begins the count anew.
func TestKeep_answersForACrashLoop(t *testing.T) {
	space, offered, initial := switches("x")
	life := func(state *State, lives time.Duration, stop bool) *State {
		p := newPlant(3, space, initial)
		c, err := New(Config{Space: space, Offered: offered, Goals: []Goal{{Metric: "cost"}}, Policy: &script{}, Timing: fast, State: state})
		require.NoError(t, err)
		loop := Loop{Ask: func() Ask {
			if stop && p.now.Sub(p.start) > lives {
				return Stop
			}
			return 0
		}}
		core := &mortal{Controller: c, until: epochZero.Add(lives), immortal: stop}
		require.NoError(t, Run(context.Background(), p, core, loop))
		s := core.last
		return &s
	}
	young, old := time.Minute, 11*time.Minute
	for name, c := range map[string]struct {
		lives []time.Duration
		stop  bool
		kept  bool
	}{
		"two die young":                {[]time.Duration{young, young}, false, true},
		"three die young":              {[]time.Duration{young, young, young}, false, false},
		"one between them lives":       {[]time.Duration{young, young, old, young, young}, false, true},
		"all are stopped, and go soon": {[]time.Duration{young, young, young, young}, true, true},
	} {
		t.Run(name, func(t *testing.T) {
			state := keptAlready("cost")
			for _, d := range append(c.lives, young) {
				state = life(state, d, c.stop)
			}
			require.Equal(t, c.kept, state.Safe.On("x"))
			require.Equal(t, c.kept, state.Memory["x"].Quarantined == "")
		})
	}
}

// mortal is a core whose process dies at a time.
type mortal struct {
	*Controller
	until    time.Time
	immortal bool
	last     State // the last that was recorded
}

func (m *mortal) Step(in Input) Command {
	if !m.immortal && in.At.After(m.until) {
		return Command{Done: true}
	}
	cmd := m.Controller.Step(in)
	for _, r := range cmd.Records {
		if r.Kind == RecordState {
			m.last = *r.State
		}
	}
	return cmd
}
