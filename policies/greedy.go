package policies

import (
	"math/rand/v2"
	"slices"
	"strconv"

	"autotune/controller"
)

// Greedy moves one knob at a time, any way it goes: each knob's nearest values
// first, and when all knobs had their turn, the next ones, twice as far. What the
// judge keeps is where it goes on from. The order of the knobs is shuffled by the
// run's seed. It is coordinate descent without a model, the bound that a search
// with one has to beat: where two knobs help only together, it finds neither.
//
// Where the pool is so sparse that no setting differs from the one in force by one
// knob alone, its neighbors are the nearest that there are, two for each knob
// (greedy_sparse.go).
//
// It remembers nothing; what failed is what the view has blocked. Not safe for
// concurrent use, as no policy is.
type Greedy struct {
	pool   Pool
	order  []int   // of the optimizations offered
	sparse *sparse // made when it is first asked for
}

var _ controller.Policy = (*Greedy)(nil)

// NewGreedy returns the policy for a pool. Of the zero Pool nothing is known, and
// it takes every setting for existing.
func NewGreedy(pool Pool) *Greedy { return &Greedy{pool: pool} }

// String is the policy's name for the journal.
func (g *Greedy) String() string { return "greedy" }

// Propose returns the next change that is not blocked, or false.
func (g *Greedy) Propose(v controller.View) (controller.Proposal, bool) {
	if len(g.order) != len(v.Offered) { // a function of the view alone
		g.order = rand.New(rand.NewPCG(v.Seed, 0x62ee)).Perm(len(v.Offered))
	}
	for turn, more := 0, true; more; turn++ {
		more = false
		for _, i := range g.order {
			o := v.Offered[i]
			name, ok := single(o)
			if !ok {
				continue
			}
			k, ok := v.Space.Knob(name)
			if !ok || k.Period > 0 || k.Needs != "" && !v.Safe.On(k.Needs) {
				continue
			}
			now, _ := v.Safe.Get(name)
			to, ok := alternative(k, now, turn)
			if !ok {
				continue
			}
			more = true
			if to == now || k.CheckMove(now, to) != nil {
				continue
			}
			p := controller.Proposal{
				Optimization: o.Name, Move: move(o, name, now, to), Change: map[string]float64{name: to},
				Why: "one knob at a time: " + name,
			}
			if v.Blocked[p.BlockKey()] == "" {
				return p, true
			}
		}
	}
	return g.nearest(v)
}

// Learn has nothing to remember.
func (g *Greedy) Learn(controller.Trial) {}

// single is the one knob of an optimization, if it has one.
func single(o controller.Optimization) (string, bool) {
	switch {
	case o.Switch != "" && len(o.Knobs) == 0:
		return o.Switch, true
	case o.Switch == "" && len(o.Knobs) == 1:
		return o.Knobs[0], true
	}
	return "", false
}

// move names a change as the controller wants it.
func move(o controller.Optimization, name string, now, to float64) string {
	switch {
	case o.Switch == "":
		return name + " " + strconv.FormatFloat(now, 'g', -1, 64) + " -> " + strconv.FormatFloat(to, 'g', -1, 64)
	case to != 0:
		return controller.MoveOn
	}
	return controller.MoveOff
}

// alternative is the value that a knob is moved to in a turn, counted from 0; false
// when it has no more. It may be the value in force, where there is none that far.
func alternative(k controller.Knob, now float64, turn int) (float64, bool) {
	switch {
	case k.Kind == controller.Switch:
		return 1 - now, turn == 0
	case k.Kind == controller.Enum:
		if turn >= len(k.Levels) {
			return 0, false
		}
		return k.Levels[turn], true
	}
	far, up := 1<<(turn/2), turn%2 == 0
	if len(k.Levels) == 0 {
		if turn >= 2*len(sizes) {
			return 0, false
		}
		return step(k, now, sizes[turn/2], up), true
	}
	if far >= 2*len(k.Levels) {
		return 0, false
	}
	i, exact := slices.BinarySearch(k.Levels, now)
	switch {
	case !up:
		i -= far
	case exact:
		i += far
	default:
		i += far - 1 // i is the next one up already
	}
	return k.Levels[min(max(i, 0), len(k.Levels)-1)], true
}
