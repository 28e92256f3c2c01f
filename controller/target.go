package controller

import (
	"context"
	"time"
)

// Target is what is tuned: a live service, a simulated one, a measured table,
// a recording. Time belongs to it. It is used from one goroutine.
type Target interface {
	// Space says what may be changed.
	Space() Space
	// Current reads back what is in force now.
	Current(ctx context.Context) (Setting, error)
	// Apply puts a setting in force. It is idempotent. After an error, Current
	// says what is in force.
	Apply(ctx context.Context, s Setting) error
	// Observe lets d of the target's time pass and returns what happened in it.
	// Requests that start from now on belong to epoch; the sample's latencies
	// are those of this epoch only, its totals those of the time observed. A
	// tick may end early when ctx is done; it then returns what it has. Maps and
	// latencies of the sample may be used again by the next Observe.
	Observe(ctx context.Context, epoch uint64, d time.Duration) (Sample, error)
}

// Stepper is a decision core: given what happened, what next. It has no clock,
// no I/O and no goroutine; the same inputs give the same commands. Controller
// is one; rival controllers that move every window are others.
type Stepper interface {
	Start() Command
	Step(Input) Command
}
