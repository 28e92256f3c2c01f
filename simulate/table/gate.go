package table

import (
	"maps"

	"autotune/controller"
)

// gate stands between a policy and the core: a candidate that cannot be tried, as
// nobody measured it, is blocked in the policy's view before it is proposed. So
// any policy that respects what is blocked moves among configurations that exist.
type gate struct {
	controller.Policy
	table *Table
	// refuse says why a configuration is not to be tried, or "".
	refuse func(config int) string

	// What is known from safe on.
	safe    controller.Setting
	blocked map[string]string
	looked  bool // at each move of one knob
	// quiet: it has nothing to propose, even if nothing were cooling down.
	quiet bool
	asked bool // whether it is
}

// mostRefused is how many unmeasured candidates in a row a policy may propose.
const mostRefused = 10_000

// Propose asks the policy until it proposes something that can be tried.
func (g *gate) Propose(v controller.View) (controller.Proposal, bool) {
	if !v.Safe.Equal(g.safe) || g.blocked == nil {
		g.safe, g.blocked, g.looked = v.Safe, map[string]string{}, false
	}
	p, ok := g.ask(v, v.Blocked)
	switch {
	case ok:
		g.wake()
	case !g.asked: // once, until it has something again
		_, later := g.ask(v, nil)
		g.asked, g.quiet = true, !later
	}
	return p, ok
}

// Learn lets the policy learn, which may then have something to propose.
func (g *gate) Learn(t controller.Trial) {
	g.wake()
	g.Policy.Learn(t)
}

// wake forgets that it was quiet: something is new.
func (g *gate) wake() { g.asked, g.quiet = false, false }

func (g *gate) ask(v controller.View, cooling map[string]string) (controller.Proposal, bool) {
	v.Blocked = make(map[string]string, len(cooling)+len(g.blocked))
	maps.Copy(v.Blocked, cooling)
	maps.Copy(v.Blocked, g.blocked)
	for range mostRefused {
		p, ok := g.Policy.Propose(v)
		if !ok {
			return p, false
		}
		why := g.unfit(v.Safe, p)
		if why == "" {
			return p, true
		}
		key := p.BlockKey()
		if _, again := v.Blocked[key]; again {
			break // it does not respect that
		}
		g.blocked[key], v.Blocked[key] = why, why
		if !g.looked {
			g.looked = true
			g.look(v)
			maps.Copy(v.Blocked, g.blocked)
		}
	}
	return controller.Proposal{}, false
}

// look blocks every move of one knob that cannot be tried, at the first that is
// proposed: policies walk through them, and a knob may have thousands of values.
func (g *gate) look(v controller.View) {
	for i, k := range g.table.knobs {
		now, _ := v.Safe.Get(k.Name)
		for _, to := range k.values {
			p := controller.Proposal{Optimization: g.table.offered[i].Name, Change: map[string]float64{k.Name: to}}
			if to != now && k.Kind == controller.Switch {
				p.Move = [...]string{controller.MoveOff, controller.MoveOn}[int(to)]
			}
			if why := g.unfit(v.Safe, p); why != "" {
				g.blocked[p.BlockKey()] = why
			}
		}
	}
}

func (g *gate) unfit(safe controller.Setting, p controller.Proposal) string {
	to := safe.With(p.Change)
	if to.Equal(safe) {
		return "changes nothing"
	}
	config, err := g.table.Find(to)
	if err != nil {
		return err.Error()
	}
	return g.refuse(config)
}
