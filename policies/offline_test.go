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
		for i, p := range asked(t, NewGreedy(), seed, pool) {
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
