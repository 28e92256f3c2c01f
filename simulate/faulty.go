package simulate

import (
	"context"
	"time"

	"autotune/controller"
)

// Call is one of the three things that a target can fail at.
type Call int

// The calls.
const (
	ApplyCall Call = iota + 1
	CurrentCall
	ObserveCall
)

// String returns the call's name.
func (c Call) String() string {
	switch c {
	case ApplyCall:
		return "apply"
	case CurrentCall:
		return "current"
	case ObserveCall:
		return "observe"
	}
	return "no call"
}

// Faulty fails as a script says: it is asked before each call, with how many of
// its kind there were, from 1, and the age of the run, and the call fails with
// the error that it returns. An Apply that fails changes nothing. Time passes
// in an Observe that fails, unseen.
func Faulty(t controller.Target, script func(c Call, nth int, age time.Duration) error) controller.Target {
	return &faulty{Target: t, script: script}
}

type faulty struct {
	controller.Target
	script func(c Call, nth int, age time.Duration) error
	age    time.Duration
	calls  [ObserveCall + 1]int
}

func (f *faulty) fails(c Call) error {
	f.calls[c]++
	return f.script(c, f.calls[c], f.age)
}

func (f *faulty) Apply(ctx context.Context, s controller.Setting) error {
	if err := f.fails(ApplyCall); err != nil {
		return err
	}
	return f.Target.Apply(ctx, s)
}

func (f *faulty) Current(ctx context.Context) (controller.Setting, error) {
	if err := f.fails(CurrentCall); err != nil {
		return controller.Setting{}, err
	}
	return f.Target.Current(ctx)
}

func (f *faulty) Observe(ctx context.Context, epoch uint64, d time.Duration) (controller.Sample, error) {
	fails := f.fails(ObserveCall)
	s, err := f.Target.Observe(ctx, epoch, d)
	f.age += max(d, 0)
	if fails != nil {
		return controller.Sample{At: s.At}, fails
	}
	return s, err
}

// Delayed makes ticks last longer than they were asked to, by what extra says
// at the age at which they begin: a loop that was not scheduled in time.
func Delayed(t controller.Target, extra func(age time.Duration) time.Duration) controller.Target {
	return &delayed{Target: t, extra: extra}
}

type delayed struct {
	controller.Target
	extra func(age time.Duration) time.Duration
	age   time.Duration
}

func (l *delayed) Observe(ctx context.Context, epoch uint64, d time.Duration) (controller.Sample, error) {
	if d > 0 {
		d += max(0, l.extra(l.age))
		l.age += d
	}
	return l.Target.Observe(ctx, epoch, d)
}

// Rounding puts round(s) in force where s is applied: a runtime that takes
// powers of two only.
func Rounding(t controller.Target, round func(controller.Setting) controller.Setting) controller.Target {
	return &rounding{t, round}
}

type rounding struct {
	controller.Target
	round func(controller.Setting) controller.Setting
}

func (r *rounding) Apply(ctx context.Context, s controller.Setting) error {
	return r.Target.Apply(ctx, r.round(s))
}

// Deaf ignores what is applied to the named knobs, or to all if none is named,
// and says that all went well.
func Deaf(t controller.Target, knobs ...string) controller.Target { return &deaf{t, knobs} }

type deaf struct {
	controller.Target
	knobs []string
}

func (d *deaf) Apply(ctx context.Context, s controller.Setting) error {
	if len(d.knobs) == 0 {
		return nil
	}
	now, err := d.Target.Current(ctx)
	if err != nil {
		return err
	}
	stays := map[string]float64{}
	for _, name := range d.knobs {
		if v, ok := now.Get(name); ok {
			stays[name] = v
		}
	}
	return d.Target.Apply(ctx, s.With(stays))
}

// Skewed has a clock that is off by what offset says at each age: one that jumps
// is Skewed by a step. Only the clock: as much time passes as before.
func Skewed(t controller.Target, offset func(age time.Duration) time.Duration) controller.Target {
	return &skewed{Target: t, offset: offset}
}

type skewed struct {
	controller.Target
	offset func(age time.Duration) time.Duration
	age    time.Duration
}

func (k *skewed) Observe(ctx context.Context, epoch uint64, d time.Duration) (controller.Sample, error) {
	s, err := k.Target.Observe(ctx, epoch, d)
	k.age += max(d, 0)
	if !s.At.IsZero() {
		s.At = s.At.Add(k.offset(k.age))
	}
	return s, err
}
