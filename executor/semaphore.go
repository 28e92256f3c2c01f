package executor

import (
	"context"
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"time"
)

// semaphore hands out permits, first come first served, up to a limit that can
// be moved both ways while others wait.
//
// # Algorithm
//
// One word holds how many permits are out, the limit, and whether anybody
// queues. While nobody does, taking and giving back is one compare-and-swap of
// that word. Whoever finds no permit takes the lock, sets the queued bit, and
// only then looks again: from then on every release sees the bit and comes to
// the lock too. A release that came just before changed the word, which that
// second look sees. Either way no wake-up is lost.
//
// A permit that is given back while others queue goes to the first in the
// queue; nobody passes them. A lowered limit takes nothing from those who hold
// a permit: it is reached as they give them back.
type semaphore struct {
	// word: bit 63 queued, bits 32..62 limit in effect, bits 0..31 permits out.
	// Changed by compare-and-swap while the queued bit is not set, otherwise
	// under mu.
	word atomic.Uint64

	mu    sync.Mutex
	limit int     // guarded by mu; what setLimit was given
	first *waiter // guarded by mu; a list, nil if nobody waits
	last  *waiter

	waited atomic.Int64 // nanoseconds in the queue, of all who left it
}

// waiter is a place in the queue.
type waiter struct {
	granted    chan struct{} // closed, under mu, with the permit
	next, prev *waiter
}

const (
	queuedBit = uint64(1) << 63
	limitAt   = 32
	usedMask  = uint64(1)<<limitAt - 1
	unlimited = math.MaxInt32
)

func usedOf(word uint64) uint64  { return word & usedMask }
func limitOf(word uint64) uint64 { return word &^ queuedBit >> limitAt }

func newSemaphore(limit int, open bool) *semaphore {
	s := &semaphore{}
	s.setLimit(limit, open)
	return s
}

// setLimit moves the limit, 1 to 1e5. If open, everybody is let in whatever the
// limit is. Those who wait are let in before it returns, as far as they can be.
func (s *semaphore) setLimit(limit int, open bool) {
	if limit < 1 || limit >= unlimited {
		panic(fmt.Sprintf("executor: limit %d of a semaphore", limit))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.limit = limit
	if open {
		limit = unlimited
	}
	for {
		w := s.word.Load()
		if s.word.CompareAndSwap(w, w&(queuedBit|usedMask)|uint64(limit)<<limitAt) {
			break
		}
	}
	s.grant()
}

// getLimit returns the limit in effect, or, while the semaphore is open, the
// one that it will have when it is not.
func (s *semaphore) getLimit() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if l := limitOf(s.word.Load()); l != unlimited {
		return int(l)
	}
	return s.limit
}

// acquire takes a permit. It waits at most timeout and then returns
// ErrConcurrencyTimeout, or ctx's error as soon as ctx is done. Waited reports
// that it queued.
func (s *semaphore) acquire(ctx context.Context, timeout time.Duration) (waited bool, err error) {
	for {
		w := s.word.Load()
		if w&queuedBit != 0 || usedOf(w) >= limitOf(w) {
			break
		}
		if s.word.CompareAndSwap(w, w+1) {
			return false, nil
		}
	}
	began := time.Now()
	defer func() { s.waited.Add(int64(time.Since(began))) }()
	me := s.enqueue()
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	select {
	case <-me.granted:
		return true, nil
	case <-ctx.Done():
		if !s.leave(me) {
			s.release() // granted at the same moment; pass it on
		}
		return true, ctx.Err()
	case <-timer.C:
		if !s.leave(me) {
			return true, nil // granted at the same moment; take it
		}
		return true, ErrConcurrencyTimeout
	}
}

// enqueue takes a place at the end of the queue, which may be granted at once.
func (s *semaphore) enqueue() *waiter {
	me := &waiter{granted: make(chan struct{})}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.word.Or(queuedBit)
	if me.prev = s.last; s.last == nil {
		s.first = me
	} else {
		s.last.next = me
	}
	s.last = me
	s.grant()
	return me
}

// leave gives up a place, and reports false if it has a permit already.
func (s *semaphore) leave(me *waiter) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-me.granted:
		return false
	default:
	}
	s.unlink(me)
	s.grant()
	return true
}

// release gives a permit back.
func (s *semaphore) release() {
	for {
		w := s.word.Load()
		if usedOf(w) == 0 {
			panic("executor: release of a permit that nobody holds")
		}
		if w&queuedBit != 0 {
			break
		}
		if s.word.CompareAndSwap(w, w-1) {
			return
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.word.Add(^uint64(0))
	s.grant()
}

// grant lets in as many from the head of the queue as there are permits, and
// clears the queued bit if nobody is left. It is called under mu.
func (s *semaphore) grant() {
	for s.first != nil {
		if w := s.word.Load(); usedOf(w) >= limitOf(w) {
			return
		}
		s.word.Add(1)
		me := s.first
		s.unlink(me)
		close(me.granted)
	}
	s.word.And(^queuedBit)
}

func (s *semaphore) unlink(me *waiter) {
	if me.prev == nil {
		s.first = me.next
	} else {
		me.prev.next = me.next
	}
	if me.next == nil {
		s.last = me.prev
	} else {
		me.next.prev = me.prev
	}
	me.next, me.prev = nil, nil
}
