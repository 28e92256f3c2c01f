package controller

import (
	"context"
	"errors"
	"fmt"
)

// Loop is what Run needs besides the target and the core. Zero fields are left out.
type Loop struct {
	// Record takes the journal's records.
	Record Recorder
	// Inputs says that inputs are recorded too, so that the run can be replayed.
	Inputs bool
	// Ask returns the operator's next wish, or 0. It is polled once a tick.
	Ask func() Ask
	// Wish returns the operator's next wish with arguments, or nil. It is polled once
	// a tick too. One that does not pass its Check is not told to the core.
	Wish func() *Wish
	// Stepped is called after each step with what was told and what was answered,
	// of which nothing is recorded yet.
	Stepped func(Input, Command)
	// Recorded is called when the records of a command are written, as durably as it
	// asks for, and before it is carried out; or with why one is not. Who tells
	// others of a decision, or acknowledges a wish, does so here.
	Recorded func(Command, error)
}

// wholeInput is how often a recorded input has its setting in full although it
// is the same as before, so that a reader can start in the middle.
const wholeInput = 64

// Run carries out the commands of a core on a target until the core is done.
// It is the one loop for live services, simulations and recordings, and runs in
// the caller's goroutine.
//
// When ctx ends, the core is asked to stop: it withdraws a candidate and leaves
// the safe setting in force, which Run still carries out. The error is that of
// ctx, or nil if the core ended by itself; errors of the target are inputs to
// the core, not errors of Run.
func Run(ctx context.Context, target Target, core Stepper, loop Loop) error {
	steady := context.WithoutCancel(ctx)
	cmd := core.Start()
	var last Setting // of the input recorded before
	inputs := 0
	for {
		var in Input
		err := loop.write(cmd)
		in.RecordErr = errText(err)
		if loop.Recorded != nil {
			loop.Recorded(cmd, err)
		}
		if cmd.Done {
			return ctx.Err()
		}
		observe := true
		if cmd.Apply {
			if cmd.Durable && in.RecordErr != "" {
				observe = false // not recorded, so not applied
			} else if err := target.Apply(steady, cmd.Setting); err != nil {
				in.ApplyErr = errText(err)
				observe = false
			}
		}
		watched := ctx
		if ctx.Err() != nil {
			watched = steady // stopping: a tick must last, or the end would spin
		}
		if observe {
			s, err := target.Observe(watched, cmd.Epoch, cmd.Wait)
			s.dropNonFinite()
			in.Sample, in.ObserveErr = s, errText(err)
		} else if s, err := target.Observe(watched, cmd.Epoch, 0); err == nil {
			in.Sample = Sample{At: s.At}
		}
		current, err := target.Current(steady)
		in.Current, in.ReadErr = current, errText(err)
		for name, v := range current.All() {
			if !finite(v) {
				in.Current, in.ReadErr = Setting{}, fmt.Sprintf("%s reads back as %v: must be a finite number", name, v)
			}
		}
		in.At, in.Epoch = in.Sample.At, cmd.Epoch
		if loop.Ask != nil {
			in.Ask = loop.Ask()
		}
		if loop.Wish != nil {
			if w := loop.Wish(); w != nil && w.Check() == nil {
				in.Wish = w
			}
		}
		if in.Ask == 0 && ctx.Err() != nil {
			in.Ask = Stop
		}
		if loop.Record != nil && loop.Inputs {
			rec := in
			if rec.Same = inputs%wholeInput != 0 && in.Current.Equal(last); rec.Same {
				rec.Current = Setting{}
			}
			inputs, last = inputs+1, in.Current
			if err := loop.Record.Append(Record{At: in.At, Kind: RecordInput, Input: &rec}); err != nil && in.RecordErr == "" {
				in.RecordErr = errText(err)
			}
		}
		cmd = core.Step(in)
		if loop.Stepped != nil {
			loop.Stepped(in, cmd)
		}
	}
}

// write records a command, durably if it says so or ends the run.
func (l Loop) write(cmd Command) error {
	if l.Record == nil {
		return nil
	}
	var errs []error
	for _, r := range cmd.Records {
		if err := l.Record.Append(r); err != nil {
			errs = append(errs, err)
			break // in order, or not at all
		}
	}
	if cmd.Durable || cmd.Done {
		errs = append(errs, l.Record.Sync())
	}
	return errors.Join(errs...)
}

func errText(err error) string {
	switch {
	case err == nil:
		return ""
	case err.Error() == "":
		return "error without a text"
	}
	return err.Error()
}

// Trace is a Recorder in memory, for tests and simulations.
type Trace struct{ Records []Record }

var _ Recorder = (*Trace)(nil)

// Append keeps the record, and of a sample a copy: its target may use it again.
func (t *Trace) Append(r Record) error {
	if r.Input != nil {
		in := *r.Input
		in.Sample = in.Sample.Clone()
		r.Input = &in
	}
	t.Records = append(t.Records, r)
	return nil
}

// Sync does nothing: memory is as durable as the run.
func (t *Trace) Sync() error { return nil }

// Verdicts returns the trials that ended, in order, without audits.
func (t *Trace) Verdicts() []Trial { return t.verdicts(false) }

// Audits returns the audits that ended, in order.
func (t *Trace) Audits() []Trial { return t.verdicts(true) }

func (t *Trace) verdicts(audits bool) []Trial {
	var out []Trial
	for _, r := range t.Records {
		if r.Kind == RecordVerdict && (r.Trial.Audit != 0) == audits {
			out = append(out, *r.Trial)
		}
	}
	return out
}
