package experiments

import (
	"context"
	"errors"
	"time"

	"autotune/controller"
	"autotune/simulate"
)

// session is what a whole session of a contender came to.
type session struct {
	verdicts []controller.Trial
	notes    []string
	scores   simulate.Scores
	deaths   int // of the process
	state    *controller.State
	// along is the score after each of equal parts of the horizon, from none on.
	along []simulate.Score
}

// parts of a horizon that are told apart in a chart.
const parts = 24

// Append keeps what a session is judged by.
func (s *session) Append(r controller.Record) error {
	switch r.Kind {
	case controller.RecordVerdict:
		s.verdicts = append(s.verdicts, *r.Trial)
	case controller.RecordNote:
		s.notes = append(s.notes, r.Note)
	case controller.RecordState:
		s.state = r.State
	}
	return nil
}

// Sync has nothing to do.
func (*session) Sync() error { return nil }

// outage is how long a service is away when its process died.
const outage = 20 * time.Second

// stage is what a scenario plays on.
type stage struct {
	service *simulate.Service // nil: another plant, which keeps its own score
	target  controller.Target // the service, perhaps decorated
	initial controller.Setting
	horizon time.Duration
	// dies says, in each tick, whether the process dies now; nil: never.
	dies func() bool
	// away is told when an outage begins and ends; the service stalls in it.
	away func(bool)
}

// perform lets a contender play a whole session. A process that dies starts
// again with its initial setting and what is in the journal.
func perform(ctx context.Context, st stage, c contender, p play) (*session, error) {
	s := &session{}
	for {
		core, err := c.core(p)
		if err != nil {
			return nil, err
		}
		l := &life{Stepper: core, dies: st.dies, pass: func(at time.Time) { s.pass(at, &st) }}
		if err := controller.Run(ctx, st.target, l, controller.Loop{Record: s}); err != nil {
			return nil, err
		}
		if !l.dead {
			if st.service == nil {
				return s, nil
			}
			s.scores = st.service.Score()
			for len(s.along) <= parts {
				s.along = append(s.along, s.scores.Whole)
			}
			return s, nil
		}
		if s.deaths++; s.deaths > 10_000 {
			return nil, errors.New("it dies and dies")
		}
		p.state = s.state
		if err := st.service.Apply(ctx, st.initial); err != nil {
			return nil, err
		}
		st.away(true)
		if _, err := st.target.Observe(ctx, 0, outage); err != nil {
			return nil, err
		}
		st.away(false)
	}
}

// pass keeps the score where another part of the horizon is over.
func (s *session) pass(at time.Time, st *stage) {
	for st.service != nil && len(s.along) < parts && at.Sub(simulate.Epoch()) >= time.Duration(len(s.along))*st.horizon/parts {
		s.along = append(s.along, st.service.Score().Whole)
	}
}

// life is one of a process: it may end at any tick, without a word.
type life struct {
	controller.Stepper
	dies func() bool
	pass func(at time.Time)
	dead bool
}

// Step ends where the process dies: what the core would have answered is lost.
func (l *life) Step(in controller.Input) controller.Command {
	l.pass(in.At)
	if l.dies != nil && l.dies() {
		l.dead = true
		return controller.Command{Done: true}
	}
	return l.Stepper.Step(in)
}

// static is a contender that puts one setting in force and leaves it.
type static struct {
	p   play
	to  controller.Setting
	cmd controller.Command
}

// Start puts the setting in force.
func (s *static) Start() controller.Command {
	s.cmd = controller.Command{Epoch: 1, Setting: s.to, Apply: true, Wait: time.Second}
	return s.cmd
}

// Step waits.
func (s *static) Step(in controller.Input) controller.Command {
	s.cmd.Apply = false
	s.cmd.Done = s.p.over(in.At) || in.Ask != 0 || s.p.givenUp != nil && s.p.givenUp()
	return s.cmd
}
