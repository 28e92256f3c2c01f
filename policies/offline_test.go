package policies

import (
	"testing"

	"github.com/stretchr/testify/require"

	"autotune/controller"
)

// rows are all settings of a switch, an enum and a number.
func rows() (controller.Space, []controller.Optimization, Pool) {
	space := controller.Space{Knobs: []controller.Knob{
		{Name: "s", Kind: controller.Switch},
		{Name: "e", Kind: controller.Enum, Max: 2, Levels: []float64{0, 1, 2}},
		{Name: "n", Kind: controller.Int, Min: 1, Max: 64, Scale: controller.Log, Levels: []float64{1, 2, 4, 8, 16, 32, 64}},
	}}
	offered := []controller.Optimization{
		{Name: "s", Switch: "s"},
		{Name: "e", Knobs: []string{"e"}},
		{Name: "n", Knobs: []string{"n"}},
		{Name: "all", Knobs: []string{"s", "e", "n"}},
	}
	var all []controller.Setting
	for s := range 2 {
		for e := range 3 {
			for _, n := range space.Knobs[2].Levels {
				all = append(all, controller.SettingOf(map[string]float64{"s": float64(s), "e": float64(e), "n": n}))
			}
		}
	}
	return space, offered, Pool{Len: len(all), At: func(i int) controller.Setting { return all[i] }}
}

// asked proposes until there is nothing more; each proposal is blocked afterwards.
func asked(t *testing.T, p controller.Policy, seed uint64, pool Pool) []controller.Proposal {
	t.Helper()
	space, offered, _ := rows()
	v := controller.View{Space: space, Offered: offered, Safe: pool.At(3), Blocked: map[string]string{}, Seed: seed}
	var out []controller.Proposal
	for len(out) < 100 {
		got, ok := p.Propose(v)
		again, _ := p.Propose(v)
		require.Equal(t, got, again, "asked twice, the same")
		if !ok {
			return out
		}
		out = append(out, got)
		v.Blocked[got.BlockKey()] = "tried"
		p.Learn(controller.Trial{Change: got.Change, From: v.Safe, To: v.Safe.With(got.Change), Outcome: controller.Reverted})
	}
	t.Fatal("it never ends")
	return nil
}

func TestGreedy_nearestFirst(t *testing.T) {
	_, _, pool := rows()
	byKnob := map[string][]any{}
	orders := map[string]bool{}
	for seed := range uint64(8) {
		byKnob = map[string][]any{}
		order := ""
		for i, p := range asked(t, NewGreedy(Pool{}), seed, pool) {
			require.Len(t, p.Change, 1)
			for name, to := range p.Change {
				byKnob[name] = append(byKnob[name], to)
				if i < 3 {
					order += name
				}
				if name == "s" {
					require.Equal(t, controller.MoveOn, p.Move)
				}
			}
		}
		orders[order] = true
	}
	require.Equal(t, map[string][]any{
		"s": {1.0}, "e": {1.0, 2.0},
		"n": {16.0, 4.0, 32.0, 2.0, 64.0, 1.0}, // from 8: one level away, then two, then four
	}, byKnob)
	require.Greater(t, len(orders), 2, "the order of the knobs is the seed's")
}

// Of settings drawn at random hardly one differs from another by one knob: then
// the nearest are tried, and no others.
func TestGreedy_sparse(t *testing.T) {
	_, _, all := rows()
	from := all.At(3) // s=0 e=0 n=8
	far := Pool{At: func(i int) controller.Setting {
		return controller.SettingOf([]map[string]float64{
			{"s": 0, "e": 0, "n": 8},
			{"s": 1, "e": 1, "n": 8},
			{"s": 0, "e": 1, "n": 16},
			{"s": 1, "e": 0, "n": 4},
			{"s": 1, "e": 0, "n": 2},
			{"s": 1, "e": 2, "n": 64},
			{"s": 0, "e": 2, "n": 32},
			{"s": 1, "e": 2, "n": 16},
		}[i])
	}, Len: 8}
	require.True(t, from.Equal(far.At(0)))
	var got []string
	space, offered, _ := rows()
	v := controller.View{Space: space, Offered: offered, Safe: from, Blocked: map[string]string{}}
	for _, o := range offered[:3] { // one knob alone leads nowhere that exists
		for _, n := range append([]float64{0, 1, 2}, space.Knobs[2].Levels...) {
			for _, name := range []string{"s", "e", "n"} {
				v.Blocked[controller.Proposal{Optimization: o.Name, Change: map[string]float64{name: n}}.BlockKey()] = "not measured"
			}
		}
		v.Blocked[o.Name] = "not measured"
	}
	g := NewGreedy(far)
	for {
		p, ok := g.Propose(v)
		again, _ := g.Propose(v)
		require.Equal(t, p, again)
		if !ok {
			break
		}
		v.Blocked[p.BlockKey()] = "tried"
		got = append(got, from.With(p.Change).String())
	}
	require.Equal(t, []string{
		"e=0 n=4 s=1", "e=1 n=16 s=0", "e=0 n=2 s=1", "e=2 n=32 s=0", "e=1 n=8 s=1", "e=2 n=16 s=1",
	}, got, "two for each knob, the nearest first")

	dense := NewGreedy(all)
	_, ok := dense.Propose(v)
	require.False(t, ok, "where neighbors exist and are all blocked it has come to its end")
}

func TestRandom_eachOnce(t *testing.T) {
	_, _, pool := rows()
	seen := map[string]bool{}
	first := map[string]bool{}
	for seed := range uint64(8) {
		got := asked(t, NewRandom(pool), seed, pool)
		require.Len(t, got, pool.Len-1, "all but the one in force")
		clear(seen)
		for _, p := range got {
			seen[pool.At(3).With(p.Change).String()] = true
		}
		require.Len(t, seen, pool.Len-1)
		first[got[0].BlockKey()] = true
	}
	require.Greater(t, len(first), 4)
	_, ok := NewRandom(Pool{}).Propose(controller.View{})
	require.False(t, ok, "without a pool there is nothing to draw from")
}

func TestOffline(t *testing.T) {
	require.Equal(t, []string{"greedy", "guide", "random", "search", "static"}, OfflineNames())
	for _, name := range OfflineNames() {
		p, err := Offline(name, Pool{})
		require.NoError(t, err)
		require.Implements(t, (*controller.Policy)(nil), p)
	}
	_, err := Offline("gready", Pool{})
	require.EqualError(t, err, `policy "gready": must be one of greedy, guide, random, search, static`)
}
