package autotune

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"autotune/controller"
	"autotune/executor"
	"autotune/knobs"
	"autotune/sensors"
)

// Target is a live service as a controller sees it: an executor's fields and
// the service's own knobs are what can be set, sensors are what is observed, and
// time is real. It is used from one goroutine, except that the lease may put the
// safe setting back from another.
type Target struct {
	ex      *executor.Executor // nil: none
	own     []knobs.Actuator
	sensors *sensors.Sensors
	space   controller.Space
	start   time.Time

	mu    sync.Mutex      // held while actuators are being moved
	moved map[string]bool // knobs that were ever set
	epoch uint64
	seen  executor.Signals // as of the last sample
}

var _ controller.Target = (*Target)(nil)

// NewTarget returns the live target made of an executor (or nil), the service's
// own knobs, and sensors. Every fault of the knobs is reported at once.
func NewTarget(ex *executor.Executor, own []knobs.Actuator, s *sensors.Sensors) (*Target, error) {
	t := &Target{ex: ex, own: slices.Clone(own), sensors: s, start: time.Now(), moved: map[string]bool{}}
	if ex != nil {
		t.space.Knobs = append(t.space.Knobs, ex.Knobs()...)
	}
	var errs []error
	executors := t.space // without the service's own
	for _, a := range own {
		if _, taken := executors.Knob(a.Knob.Name); taken {
			errs = append(errs, fmt.Errorf("knob %s: is the executor's own: choose another name", a.Knob.Name))
			continue
		}
		errs = append(errs, a.CheckAccess())
		t.space.Knobs = append(t.space.Knobs, a.Knob)
	}
	if err := errors.Join(append(errs, t.space.Check())...); err != nil {
		return nil, err
	}
	return t, nil
}

// Space says what may be changed.
func (t *Target) Space() controller.Space { return t.space }

// Current reads back what is in force.
func (t *Target) Current(context.Context) (controller.Setting, error) {
	values := make(map[string]float64, len(t.space.Knobs))
	if t.ex != nil {
		for name, v := range t.ex.Setting().All() {
			values[name] = v
		}
	}
	for _, a := range t.own {
		v, err := a.Get()
		if err != nil {
			return controller.Setting{}, fmt.Errorf("read %s: %w", a.Knob.Name, err)
		}
		values[a.Knob.Name] = v
	}
	return controller.SettingOf(values), nil
}

// Apply puts a setting in force. Every knob is tried, whatever happens to the
// others; Current says what came of it.
func (t *Target) Apply(ctx context.Context, s controller.Setting) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.apply(ctx, s)
}

func (t *Target) apply(ctx context.Context, s controller.Setting) error {
	var errs []error
	if t.ex != nil {
		errs = append(errs, t.ex.ApplySetting(ctx, s))
	}
	for _, a := range t.own {
		v, ok := s.Get(a.Knob.Name)
		if !ok {
			continue
		}
		if now, err := a.Get(); err == nil && now == v {
			continue // in force already; a knob may be dear to set
		}
		t.moved[a.Knob.Name] = true
		if err := a.Set(v); err != nil {
			errs = append(errs, fmt.Errorf("set %s to %v: %w", a.Knob.Name, v, err))
		}
	}
	return errors.Join(errs...)
}

// undo is for after the initial setting was put back: knobs that were moved, and
// for which that is not all, go back to what they were.
func (t *Target) undo() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	var errs []error
	for _, a := range t.own {
		if a.Undo == nil || !t.moved[a.Knob.Name] {
			continue
		}
		if err := a.Undo(); err != nil {
			errs = append(errs, fmt.Errorf("undo %s: %w", a.Knob.Name, err))
		}
	}
	return errors.Join(errs...)
}

// Observe waits for d and returns what the sensors saw, and the executor's
// signals. It returns early, with
// what there is, when ctx ends.
func (t *Target) Observe(ctx context.Context, epoch uint64, d time.Duration) (controller.Sample, error) {
	if epoch != t.epoch {
		t.epoch = epoch
		t.sensors.Begin(epoch)
		if t.ex != nil {
			t.seen = t.ex.Signals()
		}
	}
	if d > 0 {
		timer := time.NewTimer(d)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
		}
	}
	sample, err := t.sensors.Sample(t.now())
	if err == nil && t.ex != nil {
		now := t.ex.Signals()
		now.Since(t.seen).AddTo(&sample)
		t.seen = now
	}
	return sample, err
}

// now is the time of the start plus what the monotonic clock has counted since,
// on both clocks: a wall clock that jumps moves no deadline, no cool-down, and
// no sensor's interval.
func (t *Target) now() time.Time { return t.start.Add(time.Since(t.start)) }
