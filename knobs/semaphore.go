package knobs

import (
	"container/list"
	"context"
	"sync"
	"time"

	"autotune/controller"
)

// Semaphore bounds how much is under way at once. Its limit can be moved at any
// time: more lets those who wait in, in their order, and less takes nothing from
// those who are in. It is safe for concurrent use. (golang.org/x/sync/semaphore
// has a fixed size.)
type Semaphore struct {
	mu    sync.Mutex
	limit int
	held  int
	line  list.List // of chan struct{}, closed when its owner is in
}

// NewSemaphore has a limit of at least 1.
func NewSemaphore(limit int) *Semaphore { return &Semaphore{limit: max(limit, 1)} }

// Acquire waits until there is room, or ctx is done, whose error it then returns.
func (s *Semaphore) Acquire(ctx context.Context) error {
	s.mu.Lock()
	if s.held < s.limit { // then nobody waits
		s.held++
		s.mu.Unlock()
		return nil
	}
	in := make(chan struct{})
	place := s.line.PushBack(in)
	s.mu.Unlock()
	select {
	case <-in:
		return nil
	case <-ctx.Done():
		s.mu.Lock()
		defer s.mu.Unlock()
		select {
		case <-in: // at the same moment: it is given to the next one
			s.held--
			s.admit()
		default:
			s.line.Remove(place)
		}
		return ctx.Err()
	}
}

// Release lets the next one in. Each follows an Acquire that returned nil.
func (s *Semaphore) Release() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.held == 0 {
		panic("knobs: Release of a Semaphore that nobody holds")
	}
	s.held--
	s.admit()
}

// SetLimit moves the limit, to at least 1.
func (s *Semaphore) SetLimit(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.limit = max(n, 1)
	s.admit()
}

// Limit is the one in force.
func (s *Semaphore) Limit() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.limit
}

func (s *Semaphore) admit() {
	for s.held < s.limit {
		first := s.line.Front()
		if first == nil {
			return
		}
		s.held++
		close(s.line.Remove(first).(chan struct{})) // nothing else is in it
	}
}

// Knob is the limit, 1 to most, as a knob of this name.
func (s *Semaphore) Knob(name string, most int) Actuator {
	return Int(name, "permits", 1, most, s.Limit, s.SetLimit).Log(2).With(func(k *controller.Knob) { k.Settle = 250 * time.Millisecond }).given(s != nil, "semaphore")
}
