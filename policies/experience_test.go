package policies

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"autotune/controller"
)

// listed proposes to flip the first switch of a list that is not blocked.
type listed struct{}

func (listed) Propose(v controller.View) (controller.Proposal, bool) {
	for _, o := range v.Offered {
		p := controller.Proposal{Optimization: o.Name, Move: controller.MoveOn, Change: map[string]float64{o.Switch: 1}, Why: "it is off"}
		if v.Safe.On(o.Switch) {
			p.Move, p.Change = controller.MoveOff, map[string]float64{o.Switch: 0}
		}
		if v.Blocked[p.BlockKey()] == "" {
			return p, true
		}
	}
	return controller.Proposal{}, false
}

func (listed) Learn(controller.Trial) {}

var noon = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

// viewOf switches, all of them off but those that are on.
func viewOf(names []string, on ...string) controller.View {
	v := controller.View{At: noon, Space: switches(names...), Blocked: map[string]string{}, PairsLeft: -1}
	values := map[string]float64{}
	for _, name := range names {
		values[name] = 0
		v.Offered = append(v.Offered, controller.Optimization{Name: name, Why: "test", Switch: name, Equivalence: controller.Exact})
	}
	for _, name := range on {
		values[name] = 1
	}
	v.Safe = controller.SettingOf(values)
	return v
}

// showed is the trial of what a view leads to, with the effect that it had.
func showed(v controller.View, change map[string]float64, effect float64) controller.Trial {
	t := controller.Trial{
		Optimization: "a", Move: fmt.Sprint(change), Change: change, From: v.Safe, To: v.Safe.With(change), Pairs: 10, Regime: v.Regime,
		Started: v.At.Add(-time.Minute), Ended: v.At, Outcome: controller.Reverted, Reason: controller.Worse,
		Effects: []controller.Effect{{Metric: "cost", Change: effect, Low: effect - 0.01, High: effect + 0.01}},
	}
	for name := range change {
		if t.Optimization = name; len(change) == 1 {
			t.Move = map[float64]string{0: controller.MoveOff, 1: controller.MoveOn}[change[name]]
		}
	}
	if effect < 0 {
		t.Outcome, t.Reason = controller.Kept, controller.Better
	}
	return t
}

func proposed(t *testing.T, p controller.Policy, v controller.View) string {
	t.Helper()
	x, ok := p.Propose(v)
	if !ok {
		return ""
	}
	require.NotEmpty(t, x.Why)
	return x.BlockKey()
}

// What made no difference is worth another look when the regime changed, what cost
// a tenth is not, and what was never tried is tried as the other policy has it.
func TestExperience_looksAgainAtWhatWasClose(t *testing.T) {
	v := viewOf([]string{"dear", "close", "fresh"})
	e := WithExperience(listed{})
	e.Learn(showed(v, map[string]float64{"dear": 1}, 0.10))
	e.Learn(showed(v, map[string]float64{"close": 1}, 0.004))
	require.Equal(t, "fresh", proposed(t, e, v))
	e.Learn(showed(v, map[string]float64{"fresh": 1}, 0.3))
	require.Empty(t, proposed(t, e, v), "nothing changed: nothing is tried again, whatever has cooled down")
	v.Regime = 1
	require.Equal(t, "close", proposed(t, e, v))
	e.Learn(showed(v, map[string]float64{"close": 1}, 0.004))
	require.Empty(t, proposed(t, e, v), "once a regime")
}

// A restart leaves of trials what they changed and showed: the rest follows.
func TestExperience_survivesARestart(t *testing.T) {
	names := []string{"a", "b", "c"}
	v := viewOf(names)
	var trials []controller.Trial
	for _, x := range []struct {
		name   string
		effect float64
	}{{"a", 0.12}, {"b", -0.2}, {"a", -0.1}, {"c", 0.004}} {
		trials = append(trials, showed(v, map[string]float64{x.name: 1}, x.effect))
		if x.effect < 0 {
			v.Safe = v.Safe.With(map[string]float64{x.name: 1})
		}
	}
	v.Regime = 1
	lived, restarted := WithExperience(listed{}), WithExperience(listed{})
	for _, x := range trials {
		lived.Learn(x)
		x.Shown, x.Effects, x.To = x.Intervals(), nil, controller.Setting{}
		before := map[string]float64{}
		for name := range x.Change {
			before[name], _ = x.From.Get(name)
		}
		x.From = controller.SettingOf(before)
		restarted.Learn(x)
	}
	one, ok := lived.believe(v)
	require.True(t, ok)
	other, ok := restarted.believe(v)
	require.True(t, ok)
	require.Equal(t, one.model.seen, other.model.seen)
	require.Equal(t, proposed(t, lived, v), proposed(t, restarted, v))
}

func TestExperience_whatCannotBePutInForceIsLeft(t *testing.T) {
	v := viewOf([]string{"a", "b"})
	e := WithExperience(listed{})
	broken := showed(v, map[string]float64{"a": 1}, 0)
	broken.Outcome, broken.Reason, broken.Effects = controller.Errored, controller.ApplyFailed, nil
	e.Learn(broken)
	require.Equal(t, "a", proposed(t, e, v), "once may be chance")
	e.Learn(broken)
	require.Equal(t, "b", proposed(t, e, v))
}

// Two that cost 10 % each from here, and of which one gains beside the other: the
// two together are proposed where the owner allows it, and nothing where not.
func TestExperience_proposesTwoThatHelpTogether(t *testing.T) {
	names := []string{"a", "b", "c", "d"}
	e := WithExperience(listed{})
	off := viewOf(names)
	for _, name := range names {
		e.Learn(showed(off, map[string]float64{name: 1}, 0.1))
	}
	e.Learn(showed(viewOf(names, "a", "c"), map[string]float64{"b": 1}, -0.35))
	e.Learn(showed(viewOf(names, "a", "b", "d"), map[string]float64{"a": 0}, 0.33))
	require.Empty(t, proposed(t, e, off))
	off.Joint = true
	require.Equal(t, "a=1 b=1", proposed(t, e, off))
	off.Blocked["a=1 b=1"] = "cooling down"
	require.NotEqual(t, "a=1 b=1", proposed(t, e, off))
	delete(off.Blocked, "a=1 b=1")
	for range 2 {
		e.Learn(controller.Trial{To: off.Safe.With(map[string]float64{"a": 1, "b": 1}), Reason: controller.ApplyFailed, Outcome: controller.Errored})
	}
	require.NotEqual(t, "a=1 b=1", proposed(t, e, off), "it does not exist")
}
