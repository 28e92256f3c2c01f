package knobs

import (
	"context"
	"sync"
	"time"

	"autotune/controller"
)

// Workers are goroutines that do the same work over and over, as many as their
// size says, which can be moved at any time. It is safe for concurrent use.
type Workers struct {
	work func(context.Context)
	ctx  context.Context //nolint:containedctx // of all workers, until Close
	stop context.CancelFunc
	done sync.WaitGroup

	mu      sync.Mutex
	size    int
	running int
	closed  bool
}

// NewWorkers starts size workers, at least 1. Each calls work again and again: one
// piece of it a call, so that a worker too many ends after the piece in hand. Work
// should return soon when its context is done.
func NewWorkers(size int, work func(context.Context)) *Workers {
	w := &Workers{work: work}
	w.ctx, w.stop = context.WithCancel(context.Background())
	w.SetSize(size)
	return w
}

// SetSize moves the number of workers, to at least 1. More start at once; who is
// too many ends after the piece in hand. After Close it does nothing.
func (w *Workers) SetSize(n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.size = max(n, 1)
	for !w.closed && w.running < w.size {
		w.running++
		w.done.Go(w.run)
	}
}

func (w *Workers) run() {
	for w.goesOn() {
		w.work(w.ctx)
	}
}

// goesOn reports whether a worker is wanted still; if not, it counts as ended.
func (w *Workers) goesOn() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed || w.running > w.size {
		w.running--
		return false
	}
	return true
}

// Size is how many workers there are to be.
func (w *Workers) Size() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.size
}

// Close cancels the context of the work and waits until all workers have ended. It
// may be called again.
func (w *Workers) Close() {
	w.mu.Lock()
	w.closed = true
	w.mu.Unlock()
	w.stop()
	w.done.Wait()
}

// Knob is the size, 1 to most, as a knob of this name.
func (w *Workers) Knob(name string, most int) Actuator {
	return Int(name, "goroutines", 1, most, w.Size, w.SetSize).Log(2).With(func(k *controller.Knob) { k.Settle = 250 * time.Millisecond }).given(w != nil, "workers")
}
