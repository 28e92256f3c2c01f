package policies

import (
	"fmt"
	"slices"

	"autotune/catalog"
	"autotune/controller"
)

// Guide tries what the guide would, one optimization at a time:
//
//  1. Each offered optimization that is off is turned on, in the guide's order
//     for the workload; those the guide does not name come after, as offered.
//     Its numbers begin with the guide's for the measured load and state size.
//  2. The numbers of what is on are moved: twice, half, then by smaller factors.
//     A move that was kept is repeated in its direction.
//  3. What is on is tried off: what paid last week may not pay today.
//  4. Numbers that act too rarely for a trial are proposed too, with the guide's
//     values for what was measured: the controller tells them as advice.
//
// Step 2 waits until everything offered was tried, and step 3 until the numbers
// are done: a switch gains more than a number, as a rule, and looking for a new
// gain is worth more than checking an old one. What failed is tried again when
// the controller's cool-down is over. It is greedy: where two optimizations
// help only together, it finds neither.
//
// Not safe for concurrent use, as no policy is.
type Guide struct {
	workload string
	rank     map[string]int     // by optimization, lower first
	ladders  map[string]*ladder // by knob
}

var _ controller.Policy = (*Guide)(nil)

// NewGuide returns the guide's policy for a workload: "high-allocation",
// "large-context", "cpu-intensive", "high-frequency", "low-latency", or "" for
// no particular one. Another name is an error that lists them.
func NewGuide(workload string) (*Guide, error) {
	order, err := catalog.Order(workload)
	if err != nil {
		return nil, err
	}
	g := &Guide{workload: workload, rank: map[string]int{}, ladders: map[string]*ladder{}}
	for i, name := range order {
		g.rank[name] = i
	}
	return g, nil
}

// String is the policy's name for the journal, with its workload.
func (g *Guide) String() string {
	if g.workload == "" {
		return "guide"
	}
	return "guide/" + g.workload
}

// Propose returns the next change, or false when there is nothing worth trying now.
func (g *Guide) Propose(v controller.View) (controller.Proposal, bool) {
	offered := g.inOrder(v.Offered)
	for _, step := range []func(controller.View, controller.Optimization) (controller.Proposal, bool){
		g.turnOn, g.moveNumber, g.turnOff, g.advise,
	} {
		for _, o := range offered {
			if p, ok := step(v, o); ok && v.Blocked[p.BlockKey()] == "" {
				return p, true
			}
		}
	}
	return controller.Proposal{}, false
}

// inOrder sorts by the guide's rank; the rest keep the owner's order, after.
func (g *Guide) inOrder(offered []controller.Optimization) []controller.Optimization {
	rank := func(o controller.Optimization) int {
		if r, ok := g.rank[o.Name]; ok {
			return r
		}
		return len(g.rank)
	}
	out := slices.Clone(offered)
	slices.SortStableFunc(out, func(a, b controller.Optimization) int { return rank(a) - rank(b) })
	return out
}

func (g *Guide) turnOn(v controller.View, o controller.Optimization) (controller.Proposal, bool) {
	if o.Switch == "" || v.Safe.On(o.Switch) {
		return controller.Proposal{}, false
	}
	change := map[string]float64{o.Switch: 1}
	for name, value := range start(v, o) {
		if k, ok := v.Space.Knob(name); ok && k.Period == 0 {
			change[name] = k.Clamp(value)
		}
	}
	return controller.Proposal{Optimization: o.Name, Move: controller.MoveOn, Change: change, Why: o.Why}, true
}

func (g *Guide) moveNumber(v controller.View, o controller.Optimization) (controller.Proposal, bool) {
	if o.Switch != "" && !v.Safe.On(o.Switch) || v.Blocked[o.Name] != "" {
		return controller.Proposal{}, false
	}
	for _, name := range o.Knobs {
		k, ok := v.Space.Knob(name)
		if !ok || k.Period > 0 || k.Needs != "" && !v.Safe.On(k.Needs) {
			continue
		}
		now, _ := v.Safe.Get(name)
		for _, to := range g.ladder(name).moves(k, now) {
			p := controller.Proposal{
				Optimization: o.Name, Move: fmt.Sprintf("%s %v -> %v", name, now, to), Change: map[string]float64{name: to},
				Why: fmt.Sprintf("%s is on; look for a better %s", o.Name, name),
			}
			if v.Blocked[p.BlockKey()] == "" {
				return p, true
			}
		}
	}
	return controller.Proposal{}, false
}

func (g *Guide) turnOff(v controller.View, o controller.Optimization) (controller.Proposal, bool) {
	if o.Switch == "" || !v.Safe.On(o.Switch) {
		return controller.Proposal{}, false
	}
	return controller.Proposal{
		Optimization: o.Name, Move: controller.MoveOff, Change: map[string]float64{o.Switch: 0},
		Why: "is on; does it still pay?",
	}, true
}

// advise is for numbers that no trial moves: the guide's values for the service
// that was measured, one at a time.
func (g *Guide) advise(v controller.View, o controller.Optimization) (controller.Proposal, bool) {
	if o.Switch == "" || !v.Safe.On(o.Switch) {
		return controller.Proposal{}, false
	}
	values := start(v, o)
	for _, name := range o.Knobs {
		k, known := v.Space.Knob(name)
		to, ok := values[name]
		if !known || !ok || k.Period == 0 {
			continue
		}
		now, _ := v.Safe.Get(name)
		p := controller.Proposal{
			Optimization: o.Name, Move: fmt.Sprintf("%s %v -> %v", name, now, k.Clamp(to)), Change: map[string]float64{name: k.Clamp(to)},
			Why: "the guide's value for what was measured here",
		}
		if k.Clamp(to) != now && v.Blocked[p.BlockKey()] == "" {
			return p, true
		}
	}
	return controller.Proposal{}, false
}

// start are the values with which the guide would turn an optimization on here.
func start(v controller.View, o controller.Optimization) catalog.Values {
	if v.Baseline == nil {
		return catalog.Start(o, func(controller.Metric) (float64, bool) { return 0, false })
	}
	return catalog.Start(o, v.Baseline.Value)
}

func (g *Guide) ladder(knob string) *ladder {
	if l, ok := g.ladders[knob]; ok {
		return l
	}
	return &ladder{} // not kept: proposing changes nothing
}

// Learn updates the ladders of numbers. What failed otherwise is remembered by
// the controller, whose cool-down says when it may be tried again.
func (g *Guide) Learn(t controller.Trial) {
	switch t.Move {
	case controller.MoveOn, controller.MoveOff:
	default:
		for name, to := range t.Change {
			if g.ladders[name] == nil {
				g.ladders[name] = &ladder{}
			}
			was, _ := t.From.Get(name)
			g.ladders[name].learn(t, to > was)
		}
	}
}
