package demo

import (
	"net/http"
	"runtime"
	"strconv"
	"sync/atomic"
	"time"

	"autotune/controller"
	"autotune/knobs"
)

// The controls: two changes whose worth is known beforehand, offered among the
// real ones. A rule that keeps the placebo keeps noise; one that keeps the
// harmful change is blind. Both are Exact: every answer is the same.
//
// # Harm
//
// The harmful control makes a request take twice as long, with real work: after
// the handler, and inside the measured latency, it computes for as long as the
// handler took and, up to maxLate, for as long as the request had waited to
// reach it. It must not stall the service or trip a hard limit of its own
// accord, so it is bounded three times: one request is never delayed by more
// than maxBurn, no more than maxBurning requests burn at once, and a burning
// one yields to others every few microseconds. Without the latter two a short
// overload feeds itself: whoever waits for a processor takes longer, and then
// burns longer. Requests to the upstream are left alone: their time is sleep.
const (
	placeboName = "placebo"
	harmfulName = "harmful"

	maxBurn    = 20 * time.Millisecond
	maxBurning = 8
	maxLate    = 2 * time.Millisecond
)

// Controls has the two switches. It is safe for concurrent use. It is made
// before the service, since the autopilot that moves it builds the executor that
// the service runs on.
type Controls struct {
	placebo, harmful atomic.Bool
	burning          atomic.Int32
	sink             atomic.Uint64
}

// NewControls returns both controls, off.
func NewControls() *Controls { return &Controls{} }

// Knobs returns the actuators of the two controls, both off at first. The
// executor's knobs are not among them: they belong to the executor.
func (c *Controls) Knobs() []knobs.Actuator {
	return []knobs.Actuator{
		switchKnob(placeboName, &c.placebo),
		switchKnob(harmfulName, &c.harmful),
	}
}

// Optimizations returns the two controls as what may be offered to the autopilot.
func (c *Controls) Optimizations() []controller.Optimization {
	return []controller.Optimization{
		{
			Name: placeboName, Switch: placeboName, Equivalence: controller.Exact,
			Why:      "a control: it does nothing, so that keeping it shows noise taken for a gain",
			WhileOff: "nothing is warm",
		},
		{
			Name: harmfulName, Switch: harmfulName, Equivalence: controller.Exact,
			Why:      "a control: it doubles the latency, so that keeping it shows a blind rule",
			WhileOff: "nothing is warm",
		},
	}
}

func switchKnob(name string, on *atomic.Bool) knobs.Actuator {
	return knobs.Actuator{
		Knob: controller.Knob{Name: name, Kind: controller.Switch, Min: 0, Max: 1},
		Get: func() (float64, error) {
			if on.Load() {
				return 1, nil
			}
			return 0, nil
		},
		Set: func(v float64) error {
			on.Store(v == 1)
			return nil
		},
	}
}

// harm wraps a handler with the harmful control.
func (c *Controls) harm(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !c.harmful.Load() {
			next(w, r)
			return
		}
		start := time.Now()
		late := lateness(r, start)
		next(w, r)
		if c.burning.Add(1) <= maxBurning {
			c.burn(min(late+time.Since(start), maxBurn))
		}
		c.burning.Add(-1)
	}
}

// lateness is how long after its intended time a request reached its handler, as
// far as harm doubles that too: what a cached answer takes is mostly this.
func lateness(r *http.Request, now time.Time) time.Duration {
	intended, err := strconv.ParseInt(r.Header.Get(IntendedTimeHeader), 10, 64)
	if err != nil {
		return 0
	}
	return min(max(now.Sub(time.Unix(0, intended)), 0), maxLate)
}

// burn computes for a time.
func (c *Controls) burn(d time.Duration) {
	x := uint64(d)
	for start := time.Now(); time.Since(start) < d; {
		for range 10_000 {
			x = x*6364136223846793005 + 1442695040888963407
		}
		runtime.Gosched()
	}
	c.sink.Store(x) // so that the work has a result
}
