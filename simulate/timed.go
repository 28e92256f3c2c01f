package simulate

import (
	"context"
	"errors"
	"slices"
	"time"

	"autotune/controller"
)

// timed is a target to which things happen at set times, also within a tick:
// the tick is then observed in parts.
type timed struct {
	controller.Target
	age    time.Duration
	due    []event // by time ascending
	sample controller.Sample
}

type event struct {
	at time.Duration
	do func(ctx context.Context) error
}

// schedule keeps events of one time in the order in which they came.
func (t *timed) schedule(e event) {
	i := len(t.due)
	for i > 0 && t.due[i-1].at > e.at {
		i--
	}
	t.due = slices.Insert(t.due, i, e)
}

func (t *timed) Observe(ctx context.Context, epoch uint64, d time.Duration) (controller.Sample, error) {
	end := t.age + max(d, 0)
	if len(t.due) == 0 || t.due[0].at > end {
		t.age = end
		return t.Target.Observe(ctx, epoch, d)
	}
	t.sample.Reset()
	var errs []error
	pass := func(to time.Duration) {
		s, err := t.Target.Observe(ctx, epoch, to-t.age)
		t.age = to
		if errs = append(errs, err); err == nil {
			t.sample.Merge(&s)
		}
		t.sample.At = s.At
	}
	for len(t.due) > 0 && t.due[0].at <= end {
		if t.due[0].at > t.age {
			pass(t.due[0].at)
		}
		errs = append(errs, t.due[0].do(ctx))
		t.due = slices.Delete(t.due, 0, 1)
	}
	if end > t.age || t.sample.At.IsZero() {
		pass(end)
	}
	return t.sample, errors.Join(errs...)
}

// Lagged is a target whose settings take effect a while after they were
// applied, although they read back at once: a cache that has to fill, a pool
// that has to shrink.
func Lagged(t controller.Target, delay time.Duration) controller.Target {
	return &lagged{timed: timed{Target: t}, delay: delay}
}

type lagged struct {
	timed
	delay time.Duration
	asked controller.Setting // zero until the first Apply
}

func (l *lagged) Apply(ctx context.Context, s controller.Setting) error {
	if l.delay <= 0 {
		return l.Target.Apply(ctx, s)
	}
	l.asked = s
	l.schedule(event{l.age + l.delay, func(ctx context.Context) error { return l.Target.Apply(ctx, s) }})
	return nil
}

func (l *lagged) Current(ctx context.Context) (controller.Setting, error) {
	if l.asked.IsZero() {
		return l.Target.Current(ctx)
	}
	return l.asked, nil
}

// Change is what somebody else does to a target.
type Change struct {
	// At is the age of the run, counted by the decorator from its first tick.
	At time.Duration
	// Values of the knobs that are changed.
	Values map[string]float64
}

// Outside lets somebody else change knobs of a running target.
func Outside(t controller.Target, changes ...Change) controller.Target {
	o := &timed{Target: t}
	for _, c := range changes {
		o.schedule(event{c.At, func(ctx context.Context) error {
			now, err := t.Current(ctx)
			if err != nil {
				return err
			}
			return t.Apply(ctx, now.With(c.Values))
		}})
	}
	return o
}
