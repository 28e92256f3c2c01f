package sensors

import (
	"sync"
	"time"

	"autotune/controller"
)

// counts is what a shard counted since the last Take.
type counts struct {
	arrivals uint64
	failures uint64
	ended    uint64  // latencies, failures not included
	sum      float64 // nanoseconds; a float does not overflow, and is exact below 104 days
	low, end int     // buckets outside low..end-1 are zero
	buckets  [controller.Buckets]uint32
}

// record counts a latency, which is not negative.
func (c *counts) record(latency time.Duration) {
	b := controller.Bucket(latency)
	if c.ended == 0 {
		c.low, c.end = b, b+1
	} else {
		c.low, c.end = min(c.low, b), max(c.end, b+1)
	}
	c.buckets[b]++
	c.ended++
	c.sum += float64(latency)
}

// moveTo adds the latencies and failures to h and empties c.
func (c *counts) moveTo(h *controller.Histogram) {
	sum := c.sum / 1e9 // of all buckets, handed over with the first
	for i := c.low; i < c.end; i++ {
		if n := c.buckets[i]; n > 0 {
			h.Add(i, n, sum)
			sum = 0
		}
	}
	h.Fail(c.failures)
	c.clear()
}

func (c *counts) clear() {
	clear(c.buckets[c.low:c.end])
	c.arrivals, c.failures, c.ended, c.sum, c.low, c.end = 0, 0, 0, 0, 0, 0
}

// slot holds one request in flight, or is a link of the list of free slots.
type slot struct {
	start  time.Duration // since the recorder's base
	round  uint32        // in which the request started
	serial uint32        // odd while in use; one up at each start and each end
	next   uint32        // while free: the next free slot, by index + 1; 0 ends the list
}

// inFlight is what Take needs to know of a request that has not ended.
type inFlight struct {
	start   time.Duration
	current bool // of the current epoch
}

// shard is one part of a recorder. All fields but base are guarded by mu.
type shard struct {
	base  time.Time // the recorder's
	mu    sync.Mutex
	round uint32 // of the current epoch
	free  uint32 // first free slot, by index + 1; 0: none
	busy  uint32 // slots in use
	slots []slot
	now   *counts
	_     [128 - 80]byte // a shard to a pair of cache lines: processors fetch two
}

func newShard(base time.Time) *shard { return &shard{base: base, now: new(counts)} }

// start counts an arrival and gives it a slot. The caller holds mu.
func (s *shard) start(at time.Duration) (index, serial uint32) {
	s.now.arrivals++
	if s.free == 0 {
		s.grow()
	}
	index = s.free - 1
	p := &s.slots[index]
	s.free = p.next
	p.start, p.round = at, s.round
	p.serial++
	serial = p.serial
	s.busy++
	return index, serial
}

// grow doubles the slots. They are kept for good: a burst that came once comes again.
func (s *shard) grow() {
	have := len(s.slots)
	s.slots = append(s.slots, make([]slot, max(have, 16))...)
	for i := len(s.slots) - 1; i >= have; i-- {
		s.slots[i].next = s.free
		s.free = uint32(i) + 1
	}
}

// end frees the slot and counts, if the request is of the current epoch. A
// serial that is not the slot's is of a request that has ended before.
func (s *shard) end(index, serial uint32, now time.Duration, failed bool) (latency time.Duration, first bool) {
	s.mu.Lock()
	p := &s.slots[index]
	if p.serial != serial {
		s.mu.Unlock()
		return 0, false
	}
	latency = max(now-p.start, 0)
	p.serial++
	p.next = s.free
	s.free = index + 1
	s.busy--
	if p.round == s.round {
		if failed {
			s.now.failures++
		} else {
			s.now.record(latency)
		}
	}
	s.mu.Unlock()
	return latency, true
}

// swap puts empty counts in the place of what was counted, and appends the
// requests in flight to live. Both are of the same instant, so that a request
// is either unfinished in one Take or counted in it, and never both. With
// newRound an epoch begins at that instant.
func (s *shard) swap(empty *counts, live []inFlight, newRound bool) (*counts, []inFlight) {
	s.mu.Lock()
	defer s.mu.Unlock()
	full := s.now
	s.now = empty
	if newRound {
		s.round++
		return full, live
	}
	left := s.busy
	for i := 0; left > 0; i++ {
		if p := &s.slots[i]; p.serial&1 == 1 {
			live = append(live, inFlight{start: p.start, current: p.round == s.round})
			left--
		}
	}
	return full, live
}
