package plant

import (
	"errors"
	"fmt"
	"math"
	"time"
)

// Heap is the memory of a service and what its collector costs. It is Go's
// pacer: a cycle begins each time the heap has grown by gc_percent of what was
// live after the last one, and takes CPU time in proportion to what is live.
//
// https://go.dev/doc/gc-guide
type Heap struct {
	// Live bytes of the service itself, without caches, pools and requests; 4 MB by default.
	Live float64
	// Other resident memory, which is not the heap's.
	Other float64
	// Limit that the collector heeds by cycles that follow sooner, as GOMEMLIMIT
	// has it; 0: none.
	Limit float64
	// Container is the memory that there is, which ratios are formed with. It is the
	// limit by default; owners leave the collector some room below.
	Container float64
	// Mark is the CPU time of marking a live byte, 1 ns by default, and Cycle that of any cycle, 100 µs.
	Mark  float64 // seconds per byte
	Cycle time.Duration
	// Fault is the CPU time of getting a byte of memory from the system, 0.25 ns by default.
	Fault float64 // seconds per byte
}

const (
	// leastHeap is the heap below which Go collects nothing at gc_percent 100.
	leastHeap = 4 << 20
	// mostCollecting is the share of time that the collector may take: Go's
	// limiter lets the heap grow beyond the limit rather than take more.
	mostCollecting = 0.5
	// requestStack is live for each request in flight.
	requestStack = 16 << 10
)

func (h *Heap) setDefaults() {
	if h.Live == 0 {
		h.Live = 4e6
	}
	if h.Container == 0 {
		h.Container = h.Limit
	}
	if h.Mark == 0 {
		h.Mark = 1e-9
	}
	if h.Cycle == 0 {
		h.Cycle = 100 * time.Microsecond
	}
	if h.Fault == 0 {
		h.Fault = 0.25e-9
	}
}

func (h *Heap) check() error {
	var errs []error
	for _, f := range []struct {
		name string
		v    float64
	}{
		{"live", h.Live},
		{"other", h.Other},
		{"limit", h.Limit},
		{"container", h.Container},
		{"mark", h.Mark},
		{"cycle", float64(h.Cycle)},
		{"fault", h.Fault},
	} {
		if !(f.v >= 0) || math.IsInf(f.v, 0) {
			errs = append(errs, fmt.Errorf("heap: %s %v: must be a finite number, and not negative", f.name, f.v))
		}
	}
	return errors.Join(errs...)
}

// collector is the heap at work.
type collector struct {
	allocated  float64 // since the last cycle
	goal       float64 // how much may be
	marked     float64 // live at the last cycle
	resident   float64 // of the heap
	collecting bool
	lastEnd    time.Duration
	lastWork   time.Duration
	total      float64 // allocated ever, and when it was last reported
	reported   float64
}

// live bytes now.
func (s *Service) live() float64 {
	return s.cfg.Heap.Live + s.cache.bytes + s.pool.bytes() + s.pinned + float64(s.inFlight)*requestStack
}

// alloc takes bytes from the heap, and returns the CPU time of the page faults
// that they cause. A cycle may begin.
func (s *Service) alloc(bytes float64) time.Duration {
	if bytes == 0 {
		return 0
	}
	c := &s.collector
	c.allocated += bytes
	c.total += bytes
	if c.allocated >= c.goal && !c.collecting {
		s.collect()
	}
	if size := c.marked + c.allocated; size > c.resident {
		faults := (size - c.resident) * s.cfg.Heap.Fault
		c.resident = size
		return time.Duration(faults * 1e9)
	}
	return 0
}

// collect begins a cycle: work that goes ahead of all that waits for a core.
func (s *Service) collect() {
	h, c := &s.cfg.Heap, &s.collector
	c.collecting = true
	c.lastWork = h.Cycle + time.Duration(s.live()*h.Mark*1e9)
	s.background(collects, c.lastWork)
}

// collected ends a cycle and sets when the next one begins.
func (s *Service) collected() {
	c := &s.collector
	c.collecting = false
	c.lastEnd = s.now
	c.marked, c.allocated = s.live(), 0
	s.pace()
	// The scavenger gives back what the heap does not need, some of it at each cycle.
	if need := 1.1 * (c.marked + c.goal); c.resident > need {
		c.resident -= (c.resident - need) * 0.02
	}
}

// pace sets how much may be allocated until the next cycle.
func (s *Service) pace() {
	h, c := &s.cfg.Heap, &s.collector
	c.goal = max(c.marked*s.on.gcPercent/100, leastHeap*s.on.gcPercent/100-c.marked)
	if h.Limit == 0 {
		return
	}
	if room := h.Limit - h.Other - c.marked; c.goal > room {
		// Near the limit cycles follow each other, but no closer than that they take
		// half of a core: what is allocated while one runs is the least.
		least := mostCollecting * s.allocRate() * (c.lastWork.Seconds() / mostCollecting)
		c.goal = max(room, least, 64<<10)
	}
}

// allocRate is bytes/s since the beginning.
func (s *Service) allocRate() float64 {
	return s.collector.total / max(s.now.Seconds(), 1)
}

// rss is the resident memory.
func (s *Service) rss() float64 { return s.cfg.Heap.Other + s.collector.resident }

const (
	// releaseShare is the most of the time that returning memory may take, and
	// worthReleasing the share of memory that must come free for it to be done again
	// without a longer wait: as the executor has it.
	releaseShare   = 0.01
	worthReleasing = 0.02
	longestWait    = time.Hour
)

// release is when memory optimization may return memory again.
type release struct {
	next time.Duration
	wait time.Duration // the least pause before that, since it last brought little
}

// lookAtMemory is memory optimization: above the threshold it trims what can be
// had again, and returns memory to the system after a collection.
func (s *Service) lookAtMemory() {
	h, c, r := &s.cfg.Heap, &s.collector, &s.returns
	if h.Container == 0 || s.rss()/h.Container <= s.on.memoryAbove {
		r.wait = 0
		return
	}
	s.pool.idle = 0
	s.cache.shrink(s.cache.len() / 2)
	if s.now < r.next {
		return
	}
	before := s.rss()
	if !c.collecting {
		s.collect()
	}
	c.resident = min(c.resident, s.live())
	if s.rss() > (1-worthReleasing)*before {
		r.wait = min(max(2*r.wait, 2*s.on.memoryEvery), longestWait)
	} else {
		r.wait = 0
	}
	r.next = s.now + max(r.wait, time.Duration(float64(c.lastWork)/releaseShare))
}
