package policytest

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"autotune/controller"
)

// plain is a policy that keeps the contract: it turns on what is off, moves
// numbers up and down by a half, and turns off what is on. A fault is put in
// where faults are looked for.
type plain struct {
	// fault changes a proposal, or the answer.
	fault func(p *plain, v controller.View, out *controller.Proposal, ok *bool)
	// lesson is what is done beside learning.
	lesson func(p *plain, t controller.Trial)

	asked, learned int
	last           controller.Trial
	mine           map[string]float64
}

func (p *plain) Propose(v controller.View) (controller.Proposal, bool) {
	p.asked++
	var out controller.Proposal
	ok := false
	for _, c := range p.candidates(v) {
		if v.Blocked[c.BlockKey()] == "" {
			out, ok = c, true
			break
		}
	}
	if p.fault != nil {
		p.fault(p, v, &out, &ok)
	}
	return out, ok
}

func (p *plain) candidates(v controller.View) []controller.Proposal {
	var on, numbers, off []controller.Proposal
	for _, o := range v.Offered {
		c := controller.Proposal{Optimization: o.Name, Why: "it may help", Change: map[string]float64{}}
		if o.Switch != "" {
			c.Change[o.Switch] = 1
			if c.Move = controller.MoveOn; v.Safe.On(o.Switch) {
				c.Move, c.Change[o.Switch] = controller.MoveOff, 0
				off = append(off, c)
			} else {
				on = append(on, c)
			}
		}
		if o.Switch != "" && !v.Safe.On(o.Switch) {
			continue
		}
		for _, name := range o.Knobs {
			k, _ := v.Space.Knob(name)
			now, _ := v.Safe.Get(name)
			for _, to := range neighbors(k, now) {
				if k.Period == 0 && to != now && k.CheckMove(now, to) == nil {
					numbers = append(numbers, controller.Proposal{
						Optimization: o.Name, Move: fmt.Sprintf("%s %v -> %v", name, now, to), Why: "it may help", Change: map[string]float64{name: to},
					})
				}
			}
		}
	}
	return slices.Concat(on, numbers, off)
}

func neighbors(k controller.Knob, now float64) []float64 {
	if i := slices.Index(k.Levels, now); i >= 0 {
		return []float64{k.Levels[min(i+1, len(k.Levels)-1)], k.Levels[max(i-1, 0)]}
	}
	if k.Scale == controller.Log {
		return []float64{k.Clamp(1.5 * now), k.Clamp(now / 1.5)}
	}
	low, high := k.Bounds()
	step := (high - low) / 8
	if k.MaxMove > 0 {
		step = min(step, k.MaxMove)
	}
	return []float64{k.Clamp(now + step), k.Clamp(now - step)}
}

func (p *plain) Learn(t controller.Trial) {
	p.learned++
	p.last = t
	if p.lesson != nil {
		p.lesson(p, t)
	}
}

func TestTest_aPlainPolicyPasses(t *testing.T) {
	Test(t, func() controller.Policy { return &plain{} })
}

// nothing proposes nothing, which is a normal answer.
type nothing struct{}

func (nothing) Propose(controller.View) (controller.Proposal, bool) {
	return controller.Proposal{}, false
}

func (nothing) Learn(controller.Trial) {}

func TestTest_nothingPasses(t *testing.T) {
	Test(t, func() controller.Policy { return nothing{} })
}

// number returns the name of a number that the proposal moves.
func number(v controller.View, out *controller.Proposal) (controller.Knob, bool) {
	for name := range out.Change {
		if k, _ := v.Space.Knob(name); k.Kind != controller.Switch {
			return k, true
		}
	}
	return controller.Knob{}, false
}

// For each rule a policy that breaks it, and otherwise is plain: the rule must
// see it, or it is no rule.
func TestRules_seeWhatBreaksThem(t *testing.T) {
	worldly := 0 // state outside of any policy
	broken := map[string]map[string]plain{
		"offered": {
			"another name": {fault: func(_ *plain, _ controller.View, out *controller.Proposal, _ *bool) { out.Optimization += "?" }},
			"a knob of another": {fault: func(_ *plain, v controller.View, out *controller.Proposal, ok *bool) {
				if *ok {
					for _, k := range v.Space.Knobs {
						now, _ := v.Safe.Get(k.Name)
						out.Change[k.Name] = now
					}
				}
			}},
		},
		"move": {"on is called by another name": {fault: func(_ *plain, _ controller.View, out *controller.Proposal, _ *bool) {
			if out.Move == controller.MoveOn {
				out.Move = "enable"
			}
		}}},
		"change": {"what is in force": {fault: func(_ *plain, v controller.View, out *controller.Proposal, _ *bool) {
			for name := range out.Change {
				out.Change[name], _ = v.Safe.Get(name)
			}
		}}},
		"bounds": {
			"beyond": {fault: func(_ *plain, v controller.View, out *controller.Proposal, _ *bool) {
				if k, is := number(v, out); is {
					out.Change[k.Name] = 2 * k.Max
				}
			}},
			"below the owner's floor": {fault: func(_ *plain, v controller.View, out *controller.Proposal, _ *bool) {
				if k, is := number(v, out); is && k.Floor != nil {
					out.Change[k.Name] = k.Min
				}
			}},
			"a fraction": {fault: func(_ *plain, v controller.View, out *controller.Proposal, _ *bool) {
				if k, is := number(v, out); is && k.Kind == controller.Int {
					out.Change[k.Name] = min(out.Change[k.Name], k.Max-1) + 0.5
				}
			}},
		},
		"max-move": {"from one end to the other": {fault: func(_ *plain, v controller.View, out *controller.Proposal, _ *bool) {
			if k, is := number(v, out); is {
				_, out.Change[k.Name] = k.Bounds()
			}
		}}},
		"blocked": {"whatever is said": {fault: func(p *plain, v controller.View, out *controller.Proposal, ok *bool) {
			if c := p.candidates(v); len(c) > 0 {
				*out, *ok = c[0], true
			}
		}}},
		"needs": {"a number of what is off": {fault: func(_ *plain, v controller.View, out *controller.Proposal, ok *bool) {
			for _, o := range v.Offered {
				if o.Switch == "" || v.Safe.On(o.Switch) || len(o.Knobs) == 0 {
					continue
				}
				k, _ := v.Space.Knob(o.Knobs[0])
				now, _ := v.Safe.Get(k.Name)
				if to := neighbors(k, now)[0]; to != now {
					*out, *ok = controller.Proposal{Optimization: o.Name, Move: "it", Why: "for later", Change: map[string]float64{k.Name: to}}, true
				}
			}
		}}},
		"why": {"no reason": {fault: func(_ *plain, _ controller.View, out *controller.Proposal, _ *bool) { out.Why = "" }}},
		"pure": {
			"every second time":        {fault: func(p *plain, _ controller.View, _ *controller.Proposal, ok *bool) { *ok = *ok && p.asked%2 == 0 }},
			"it writes into the view":  {fault: func(_ *plain, v controller.View, _ *controller.Proposal, _ *bool) { v.Blocked["a"] = "mine" }},
			"it sorts what is offered": {fault: func(_ *plain, v controller.View, _ *controller.Proposal, _ *bool) { slices.Reverse(v.Offered) }},
			"it hands out its own": {fault: func(p *plain, _ controller.View, out *controller.Proposal, ok *bool) {
				if p.mine == nil || p.last.ID != p.learned {
					p.mine = out.Change
				}
				if *ok {
					out.Change = p.mine
				}
			}},
		},
		"learn": {"it counts questions": {fault: func(p *plain, _ controller.View, out *controller.Proposal, _ *bool) {
			if p.asked > 20 {
				out.Why += "!"
			}
		}}},
		"deterministic": {
			"state of the process": {fault: func(_ *plain, _ controller.View, out *controller.Proposal, _ *bool) {
				worldly++
				out.Why += fmt.Sprint(worldly)
			}},
			"the order of a map": {fault: func(_ *plain, v controller.View, out *controller.Proposal, _ *bool) {
				for name := range v.Safe.Map() {
					out.Why += name
					return
				}
			}},
		},
		"survives": {
			"it looks at effects": {lesson: func(_ *plain, t controller.Trial) { _ = t.Effects[0] }},
			"it gives up": {fault: func(p *plain, _ controller.View, _ *controller.Proposal, ok *bool) {
				*ok = *ok && p.last.Outcome != controller.Errored && p.last.Outcome != controller.Aborted
			}},
			"an error is a success": {
				fault: func(p *plain, _ controller.View, out *controller.Proposal, _ *bool) {
					if p.last.Outcome == controller.Errored && out.Move != controller.MoveOn {
						out.Change = p.last.Change
					}
				},
			},
		},
		"finite": {"a little more each time": {fault: func(p *plain, v controller.View, out *controller.Proposal, ok *bool) {
			for _, o := range v.Offered {
				if o.Switch == "" || v.Safe.On(o.Switch) {
					*out, *ok = endless(v, o, p.learned), true
					return
				}
			}
		}}},
		"quiet": {"a little more each time": {fault: func(p *plain, v controller.View, out *controller.Proposal, ok *bool) {
			for _, o := range v.Offered {
				if len(o.Knobs) > 0 && o.Switch == "" {
					*out, *ok = endless(v, o, p.learned), true
					return
				}
			}
		}}},
	}
	for _, r := range Rules() {
		require.NotEmpty(t, broken[r.Name], "a rule that nothing is shown to break")
		for name, bad := range broken[r.Name] {
			t.Run(r.Name+"/"+name, func(t *testing.T) {
				var faults []error
				for _, w := range Worlds() {
					if err := r.Check(func() controller.Policy { p := bad; return &p }, w); err != nil {
						faults = append(faults, err)
					}
				}
				require.NotEmpty(t, faults)
				t.Log(faults[0])
			})
		}
	}
}

// endless proposes another value each time that it learned something.
func endless(v controller.View, o controller.Optimization, learned int) controller.Proposal {
	out := controller.Proposal{Optimization: o.Name, Move: "it", Why: "there is always one more", Change: map[string]float64{}}
	for _, name := range append(slices.Clone(o.Knobs), o.Switch) {
		if k, ok := v.Space.Knob(name); ok && k.Kind != controller.Switch && len(k.Levels) == 0 {
			now, _ := v.Safe.Get(name)
			out.Change[name] = now * (1 + 0.05/float64(2+learned))
			return out
		}
	}
	if o.Switch != "" {
		out.Move, out.Change[o.Switch] = controller.MoveOff, 0
	}
	return out
}

func TestWorld_faultsAreToldBeforeAnyRule(t *testing.T) {
	w := switches()
	delete(w.Initial, "a")
	require.ErrorContains(t, w.Check(), "world switches: a: missing")
	require.ErrorContains(t, (&World{Name: "void"}).Check(), "world void: offered: is empty")
}
