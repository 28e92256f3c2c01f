package experiments

import (
	"maps"
	"time"

	"autotune/controller"
)

// bySight is a rival whose policy sees what the Controller's does: the Controller
// measures the service first, as it does before anything is proposed, and where it
// would ask its policy the rival goes on. What it measured then, of signals and of
// noise, and what it would not let be tried is the rival's too, which goes on to look
// at its own blocks. So all that differs is who judges.
func bySight(r Rule) contender {
	return contender{r.Name, func(p play) (controller.Stepper, error) {
		s := &sighted{rule: r, p: p}
		p.policy = func() controller.Policy { return &s.asked }
		core, err := autotune().core(p)
		s.Stepper = core
		return s, err
	}}
}

// sighted is the Controller until its policy is asked, and then a rival.
type sighted struct {
	controller.Stepper
	rule  Rule
	p     play
	asked asked
	cmd   controller.Command
}

// Start is the Controller's.
func (s *sighted) Start() controller.Command {
	s.cmd = s.Stepper.Start()
	return s.cmd
}

// Step hands over as soon as the policy was asked.
func (s *sighted) Step(in controller.Input) controller.Command {
	if r, ok := s.Stepper.(*rival); ok {
		return r.Step(in)
	}
	epoch := s.cmd.Epoch
	s.cmd = s.Stepper.Step(in)
	if s.asked.view == nil {
		return s.cmd
	}
	r := newRival(s.rule, s.p)
	r.sight = *s.asked.view
	r.sight.Blocked = maps.Clone(r.sight.Blocked)
	r.seen[0].take(r.sight.Baseline)
	r.Start()
	r.cmd.Epoch = epoch
	s.Stepper = r
	return r.Step(in)
}

// asked is a policy that keeps the first view, and proposes nothing.
type asked struct{ view *controller.View }

// Propose keeps the view.
func (a *asked) Propose(v controller.View) (controller.Proposal, bool) {
	if a.view == nil {
		a.view = &v
	}
	return controller.Proposal{}, false
}

// Learn has nothing to learn.
func (*asked) Learn(controller.Trial) {}

// see adds what was measured of the safe setting, or of the new one.
func (r *rival) see(arm int, s *controller.Sample) {
	if r.sight.Baseline != nil {
		r.seen[arm].take(s)
	}
}

// blockOf is how long a block of a candidate is, without its washout: as long as the
// Controller's, which are longer for what acts late.
func (r *rival) blockOf(p *controller.Proposal) time.Duration {
	return max(r.p.timing.Measure, r.sight.Planning.Pair[p.Optimization]/2-r.p.timing.Washout)
}

// tooRare reports whether a candidate needs longer than a block to act.
func (r *rival) tooRare(p *controller.Proposal) bool {
	for name := range p.Change {
		if k, _ := r.p.space.Knob(name); k.Period > r.blockOf(p) || k.PeriodOf != "" {
			return true
		}
	}
	return false
}

// lately is what was measured of a setting in the last minute or two, which is as
// far back as the Controller looks.
type lately struct{ last, now controller.Sample }

func (l *lately) take(s *controller.Sample) {
	if l.now.Over >= time.Minute {
		l.last, l.now = l.now, controller.Sample{}
	}
	l.now.Merge(s)
}

func (l *lately) sample() *controller.Sample {
	out := l.last.Clone()
	out.Merge(&l.now)
	return &out
}
