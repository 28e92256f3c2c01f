package policies

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"

	"autotune/controller"
)

// interaction is for when one optimization at a time has nothing left. Where two
// help only together, each alone was shown not to, and a search that moves one is
// stuck; on published tables of real software that is where it stops from one
// start in four, and on some from most. What trials showed beside different values
// of the rest says which do not add up.
//
// Of all moves of one optimization, and, where the owner allows joint changes, of
// two, it proposes the one that is worth most, if any is worth its harm. A joint
// change is judged as any other is. Without them a path of two steps is found only
// if each step is a gain, since a first step that gains nothing is not kept.
func (e *Experience) interaction(v controller.View) (controller.Proposal, bool) {
	b, ok := e.believe(v)
	if !ok {
		return controller.Proposal{}, false
	}
	if !b.ranked {
		b.paths, b.ranked = b.rank(v), true
	}
	for _, p := range b.paths {
		// Of numbers the whole optimization may be blocked.
		if v.Blocked[p.BlockKey()] == "" && v.Blocked[p.Optimization] == "" && e.failed[v.Safe.With(p.Change).String()] < mostFailures {
			p.Change = maps.Clone(p.Change)
			p.Basis = &controller.Basis{Workload: e.workload}
			return p, true
		}
	}
	return controller.Proposal{}, false
}

// rank has what is worth a trial, what is worth most first.
func (b *belief) rank(v controller.View) []controller.Proposal {
	type path struct {
		controller.Proposal
		worth float64
	}
	var paths []path
	weigh := func(p controller.Proposal) {
		to := v.Safe.With(p.Change)
		x := b.prospect(to)
		if to.Equal(v.Safe) || !v.Joint && x.mean > -b.least/2 {
			return // a single step that nothing speaks for is the other policy's business
		}
		if x.value(b.least) > 0 {
			p.Why = fmt.Sprintf("%+.0f%%, give or take %.0f, is expected from what trials showed beside other values", 100*math.Expm1(x.mean), 100*x.sd)
			paths = append(paths, path{p, x.value(b.least)})
		}
	}
	single := moves(v)
	for i, a := range single {
		if !v.Joint {
			weigh(a)
			continue
		}
		for _, other := range single[:i] {
			if p, ok := together(other, a); ok {
				weigh(p)
			}
		}
	}
	slices.SortStableFunc(paths, func(a, b path) int { return cmp.Compare(b.worth, a.worth) })
	out := make([]controller.Proposal, len(paths))
	for i, p := range paths {
		out[i] = p.Proposal
	}
	return out
}

// together is the joint change of two moves of different optimizations.
func together(a, b controller.Proposal) (controller.Proposal, bool) {
	if a.Optimization == b.Optimization {
		return controller.Proposal{}, false
	}
	p := controller.Proposal{
		Optimization: a.Optimization, Move: a.Optimization + " " + a.Move + ", " + b.Optimization + " " + b.Move,
		Change: maps.Clone(a.Change),
	}
	for name, v := range b.Change {
		if _, both := p.Change[name]; both {
			return controller.Proposal{}, false
		}
		p.Change[name] = v
	}
	return p, true
}

// moves are the single moves from what is in force: each switch the other way, and
// each number that matters now to its next values, each other value of an enum. A
// number of two optimizations is moved as the first one's.
func moves(v controller.View) []controller.Proposal {
	var out []controller.Proposal
	moved := map[string]bool{}
	for _, o := range v.Offered {
		if o.Switch != "" && !moved[o.Switch] {
			moved[o.Switch] = true
			p := controller.Proposal{Optimization: o.Name, Move: controller.MoveOff, Change: map[string]float64{o.Switch: 0}}
			if !v.Safe.On(o.Switch) {
				p.Move, p.Change = controller.MoveOn, map[string]float64{o.Switch: 1}
				for name, value := range o.Start {
					if k, ok := v.Space.Knob(name); ok && k.Period == 0 {
						p.Change[name] = k.Clamp(value)
					}
				}
			}
			out = append(out, p)
		}
		if o.Switch != "" && !v.Safe.On(o.Switch) {
			continue
		}
		for _, name := range o.Knobs {
			k, ok := v.Space.Knob(name)
			if !ok || moved[name] || k.Kind == controller.Switch || k.Period > 0 || k.Needs != "" && !v.Safe.On(k.Needs) {
				continue
			}
			moved[name] = true
			now, _ := v.Safe.Get(name)
			for _, to := range others(k, now) {
				out = append(out, controller.Proposal{Optimization: o.Name, Move: fmt.Sprintf("%s %v -> %v", name, now, to), Change: map[string]float64{name: to}})
			}
		}
	}
	return out
}

// others are the values to which a knob may be moved in one step.
func others(k controller.Knob, now float64) []float64 {
	var all []float64
	if k.Kind == controller.Enum {
		all = k.Levels
	} else {
		for _, size := range sizes {
			all = append(all, step(k, now, size, true), step(k, now, size, false))
		}
	}
	var out []float64
	for _, to := range all {
		if to != now && k.CheckMove(now, to) == nil {
			out = append(out, to)
		}
	}
	return out
}
