package policies

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"autotune/controller"
	"autotune/policies/policytest"
)

// settingsOf are every n-th of the rows, as a world for the contract.
func settingsOf(n int) (policytest.World, Pool) {
	space, offered, all := rows()
	pool := Pool{Len: all.Len / n, At: func(i int) controller.Setting { return all.At(i * n) }}
	return policytest.World{Name: "rows", Space: space, Offered: offered, Initial: pool.At(1).Map(), Most: pool.Len}, pool
}

// A policy for tables keeps the contract but for the last rule: it tries on while
// there is something left that it does not know. Then it ends, so that where every
// trial breaks there must be more to try than the rule's trials.
func TestSearch_keepsTheContract(t *testing.T) {
	for _, r := range policytest.Rules() {
		w, pool := settingsOf(2)
		switch r.Name {
		case "quiet":
			continue
		case "survives":
			w, pool = settingsOf(1)
		}
		t.Run(r.Name, func(t *testing.T) {
			require.NoError(t, r.Check(func() controller.Policy { return NewSearch(pool) }, w))
		})
	}
}

// cost has its least value, 1, at s=1, e=2, n=16, and each knob alone misleads.
func cost(s controller.Setting) float64 {
	on, _ := s.Get("s")
	e, _ := s.Get("e")
	n, _ := s.Get("n")
	y := 1 + math.Abs(math.Log2(n)-4)
	if on != 0 != (e == 2) {
		y *= 3
	}
	if on == 0 {
		y *= 1.5
	}
	return y
}

// judged lives through a search in which true values decide.
func judged(p controller.Policy, pool Pool, seed uint64, most int, value func(controller.Setting) float64, maximize bool) (best float64, trials int) {
	space, offered, _ := rows()
	v := controller.View{Space: space, Offered: offered, Safe: pool.At(3), Blocked: map[string]string{}, Seed: seed}
	for trials < most {
		got, ok := p.Propose(v)
		if !ok {
			break
		}
		trials++
		to := v.Safe.With(got.Change)
		change := value(to)/value(v.Safe) - 1
		trial := controller.Trial{
			Change: got.Change, From: v.Safe, To: to, Outcome: controller.Reverted, Reason: controller.Worse,
			Effects: []controller.Effect{{Metric: "cost", Change: change}},
		}
		if change < 0 != maximize && change != 0 {
			trial.Outcome, trial.Reason = controller.Kept, controller.Better
			v.Safe = to
		}
		p.Learn(trial)
	}
	return value(v.Safe), trials
}

func TestSearch_findsTheBestWithFew(t *testing.T) {
	_, _, pool := rows()
	for _, more := range []bool{false, true} {
		value := cost
		if more { // it is told by the verdicts alone that more is better
			value = func(s controller.Setting) float64 { return 1 / cost(s) }
		}
		found, drawn := 0, 0
		for seed := range uint64(20) {
			if best, _ := judged(NewSearch(pool), pool, seed, 18, value, more); best == 1 {
				found++
			}
			if best, _ := judged(NewRandom(pool), pool, seed, 18, value, more); best == 1 {
				drawn++
			}
		}
		t.Logf("found %d, random %d", found, drawn)
		require.GreaterOrEqual(t, found, 19, "of 20 seeds, 18 of 42 settings tried")
		require.Less(t, drawn, 14, "or it is too easy")
	}
}

// It goes on until everything was tried, and never tries anything twice.
func TestSearch_eachOnce(t *testing.T) {
	_, _, pool := rows()
	_, trials := judged(NewSearch(pool), pool, 1, 100, cost, false)
	require.Equal(t, pool.Len-1, trials)
	_, ok := NewSearch(Pool{}).Propose(controller.View{})
	require.False(t, ok, "without a pool there is nothing to go to")
}

// Values are shares of the first setting's, along a chain of keeps; trials that
// broke count as the worst.
func TestEvidence(t *testing.T) {
	_, _, pool := rows()
	trial := func(from, to int, change float64, reason controller.Reason) *controller.Trial {
		out := &controller.Trial{From: pool.At(from), To: pool.At(to), Reason: reason}
		if !math.IsNaN(change) {
			out.Effects = []controller.Effect{{Change: change}}
		}
		return out
	}
	sample := newSample(pool, controller.Space{}, 1, 100)
	var e evidence
	require.True(t, e.add(trial(0, 1, -0.5, controller.Better)))
	require.True(t, e.add(trial(1, 2, 1, controller.Worse)))
	require.True(t, e.add(trial(1, 3, math.NaN(), controller.GuardTripped)))
	_, y := e.points(sample)
	require.InDeltaSlice(t, []float64{0, math.Log(0.5), 0, 0}, y, 1e-12)
	require.False(t, e.add(trial(1, 2, 3, controller.Worse)), "measured again: the mean of 1 and 2")
	_, y = e.points(sample)
	require.InDeltaSlice(t, []float64{0, math.Log(0.5), math.Log(1.5), math.Log(1.5)}, y, 1e-12)
	require.True(t, e.add(trial(1, 4, -3, controller.Better)))
	_, y = e.points(sample)
	require.InDeltaSlice(t, []float64{1, 0.5, 1.5, 1.5, -1}, y, 1e-12, "no logs below 0")
	require.True(t, e.add(trial(1, 5, 0, controller.Stopped)), "somebody ended it: not tried")
	require.Len(t, e.seen, 5)
	require.False(t, e.add(trial(9, 8, 0.1, controller.Worse)), "from a setting of which nothing is known: begun anew")
	require.Len(t, e.seen, 2)
	require.Negative(t, e.more)
}

func TestImprovement(t *testing.T) {
	require.InDelta(t, 2, improvement(2, 0), 0)
	require.InDelta(t, 0, improvement(-2, 0), 0)
	require.InDelta(t, 1/math.Sqrt(2*math.Pi), improvement(0, 1), 1e-12)
	require.InDelta(t, 2.00849, improvement(2, 1), 1e-5) // 2 Φ(2) + φ(2)
	require.InDelta(t, 0.00849, improvement(-2, 1), 1e-5)
}

// A whole search of 40 among 672 settings: what a seed of an experiment takes.
func BenchmarkSearch(b *testing.B) {
	space, _, _ := rows()
	space.Knobs[2] = controller.Knob{Name: "n", Kind: controller.Int, Min: 1, Max: 112}
	for n := range 112 {
		space.Knobs[2].Levels = append(space.Knobs[2].Levels, float64(n+1))
	}
	var all []controller.Setting
	for i := range 672 {
		all = append(all, controller.SettingOf(map[string]float64{"s": float64(i % 2), "e": float64(i / 2 % 3), "n": float64(i/6 + 1)}))
	}
	pool := Pool{Len: len(all), At: func(i int) controller.Setting { return all[i] }}
	for b.Loop() {
		judged(NewSearch(pool), pool, 1, 40, cost, false)
	}
}
