package controller_test

import (
	"strings"
	"time"

	. "autotune/controller" //nolint:revive // the tests of a vocabulary read better with it
)

// watch is the core under test with an observer around it: it holds every
// answer against the invariants, and can end a process without warning.
type watch struct {
	w    *world
	life *life

	before     Status
	held       bool
	sinceStop  int // steps since a stop was asked for, 0 if it was not
	sinceUntil int
	toInitial  bool         // the last wish was to go back to the start
	open       map[int]bool // trials of this process
	began      bool         // a trial ever
	steps      int
	wealth     float64 // when the latest trial or audit began
}

// mostSteps is where a script is cut by a crash that nothing follows.
const mostSteps = 700

func (v *watch) Start() Command {
	v.open = map[int]bool{}
	cmd := v.w.core.Start()
	v.life.commands = append(v.life.commands, cmd)
	return cmd
}

func (v *watch) Step(in Input) Command {
	v.steps++
	if v.w.crashed || v.steps > mostSteps {
		v.steps = mostSteps + 1
		return Command{Done: true}
	}
	v.before = v.w.core.Status()
	cmd := v.w.core.Step(in)
	v.life.inputs = append(v.life.inputs, in)
	v.life.commands = append(v.life.commands, cmd)
	return cmd
}

func (v *watch) stepped(in Input, cmd Command) {
	if v.w.crashed || v.steps > mostSteps {
		if !v.w.crashed { // cut short: give the trial its due
			v.w.recordFault = true
		}
		return
	}
	w, now, fault := v.w, v.w.core.Status(), v.w.fault

	if cmd.Wait <= 0 && !cmd.Done {
		fault("a command without a wait: the loop would spin")
	}
	if now.Wealth < 0 {
		fault("wealth %v is negative", now.Wealth)
	}
	v.countTrials(cmd)
	v.pins(in, cmd, now)
	v.keeps(cmd, now)
	inCandidate := now.Trial != nil && (now.Phase == Settling || now.Phase == Trying) && strings.HasSuffix(now.Why, ", candidate")
	switch {
	case inCandidate:
		if !cmd.Setting.Equal(now.Trial.To) {
			fault("in a candidate block %s is commanded, the candidate is %s", cmd.Setting, now.Trial.To)
		}
	case now.Phase != Starting && !cmd.Setting.Equal(now.Safe):
		fault("%v: %s is commanded, the safe setting is %s", now.Phase, cmd.Setting, now.Safe)
	}
	wasCandidate := v.before.Trial != nil && strings.HasSuffix(v.before.Why, ", candidate")
	if danger := in.Sample.Gauges["danger"] > 0.5; wasCandidate && danger {
		// Who moved the candidate's knob from outside in the same tick has withdrawn it.
		gone := in.ReadErr == "" && in.Current.Equal(now.Safe)
		if !cmd.Setting.Equal(now.Safe) || !cmd.Apply && !gone || now.Trial != nil {
			fault("a guard tripped in a candidate block, and %s stays (apply %v)", cmd.Setting, cmd.Apply)
		}
	}
	for _, r := range cmd.Records {
		if r.Kind == RecordVerdict && strings.Contains(r.Trial.Detail, "requests slower than") {
			if !wasCandidate || !cmd.Setting.Equal(now.Safe) || !cmd.Apply {
				fault("too many slow requests outside a candidate block (%s), or %s stays (apply %v)", v.before.Why, cmd.Setting, cmd.Apply)
			}
		}
	}
	if cmd.Apply && w.cfg.State == nil && !v.began && !w.granted {
		fault("%s is applied before the first trial", cmd.Setting)
	}
	v.wishes(in, cmd, now)
	v.inTime(cmd)
}

// keeps: what is audited is in force, each knob for one keep; an audit costs no
// wealth and makes nothing tried.
func (v *watch) keeps(cmd Command, now Status) {
	for name, x := range now.Safe.All() {
		if v.w.served[name] == nil {
			v.w.served[name] = map[float64]bool{}
		}
		v.w.served[name][x] = true
	}
	for _, r := range cmd.Records {
		switch r.Kind {
		case RecordState:
			owned := map[string]bool{}
			for _, k := range r.State.Keeps {
				for name := range k.Was {
					if is, _ := r.State.Safe.Get(name); is != k.Is[name] || owned[name] {
						v.w.fault("%s is %v, and trial %d is said to have kept %v", name, is, k.Trial, k.Is[name])
					}
					owned[name] = true
				}
			}
			for _, t := range r.State.Trials {
				if t.Audit != 0 && t.Outcome != Kept {
					v.w.fault("an audit that changed nothing is remembered as a trial")
				}
			}
		case RecordTrial:
			v.wealth = now.Wealth
		case RecordVerdict:
			if r.Trial.Audit != 0 && r.Trial.Reason != Crashed && now.Wealth != v.wealth {
				v.w.fault("an audit changes the wealth from %v to %v", v.wealth, now.Wealth)
			}
		}
	}
}

func (v *watch) countTrials(cmd Command) {
	for _, r := range cmd.Records {
		switch r.Kind {
		case RecordTrial:
			v.began = true
			v.open[r.Trial.ID] = true
			if len(v.open) != 1 {
				v.w.fault("two trials at once: %v", v.open)
			}
		case RecordVerdict:
			if r.Trial.Reason == Crashed {
				continue
			}
			if !v.open[r.Trial.ID] {
				v.w.fault("trial %d: a verdict without a trial", r.Trial.ID)
			}
			delete(v.open, r.Trial.ID)
		}
	}
	if cmd.Done && len(v.open) > 0 {
		v.w.fault("ended with trials that have no verdict: %v", v.open)
	}
}

// wishes: paused means no candidate, and a stop is carried out in bounded time.
func (v *watch) wishes(in Input, cmd Command, now Status) {
	switch in.Ask {
	case Pause:
		v.held = v.sinceStop == 0
	case Resume:
		v.held = false
	case Stop, StopToInitial:
		if v.sinceStop == 0 {
			v.sinceStop = 1
		}
	}
	if (v.held || now.PausedBy != nil && v.sinceStop == 0) && (now.Trial != nil || now.Phase != Starting && !cmd.Setting.Equal(now.Safe)) {
		v.w.fault("held by the operator, and %s is commanded", cmd.Setting)
	}
	if v.sinceStop > 0 {
		v.held = false
		if v.sinceStop++; v.sinceStop > 50 && !cmd.Done {
			v.w.fault("not ended %d steps after a stop: %v, %s", v.sinceStop, now.Phase, now.Why)
		}
	}
}

// pins: what the operator holds is in every command, and every wish is answered.
func (v *watch) pins(in Input, cmd Command, now Status) {
	answers := 0
	for _, r := range cmd.Records {
		if r.Kind == RecordWish {
			answers++
			if r.Wish.Refused == "" {
				v.w.granted = true
			} else if strings.Contains(r.Wish.Refused, "\n") {
				v.w.fault("refused with more than a line: %q", r.Wish.Refused)
			}
		}
	}
	if in.Wish != nil && answers == 0 && v.before.Phase != Ended {
		v.w.fault("%+v has no answer", *in.Wish)
	}
	toInitial := strings.Contains(now.Why, "the initial setting is in force") || v.toInitial
	v.toInitial = toInitial
	for name, p := range now.Pins {
		for knob, x := range p.Values {
			commanded, _ := cmd.Setting.Get(knob)
			if safe, _ := now.Safe.Get(knob); !toInitial && (safe != x || commanded != x) {
				v.w.fault("%s holds %s at %v, %s, and %v is commanded, %v safe", name, knob, x, p.By, commanded, safe)
			}
			if known, ok := now.InForce.Get(knob); ok && !toInitial && known != x {
				v.w.fault("%s holds %s at %v, %s, and %v is in force", name, knob, x, p.By, known)
			}
		}
	}
}

// inTime: a session ends at its Until, whatever state that finds it in.
func (v *watch) inTime(cmd Command) {
	until := v.w.cfg.Budget.Until
	if until.IsZero() || v.w.now.Before(until.Add(time.Second)) || v.w.core.Status().Phase == Starting {
		return
	}
	if v.sinceUntil++; v.sinceUntil > 50 && !cmd.Done {
		v.w.fault("not ended %d steps after its time: %v", v.sinceUntil, v.w.core.Status().Phase)
	}
}
