package executor

import (
	"math"
	"sync/atomic"
	"time"
)

// cleanups is the part of enable_memory_optimization. At each interval it looks at
// how much of the memory limit is used, and above the threshold does two things:
//
// It trims what parts hold that can be had again: idle objects of pools, the half
// of what is cached that is least likely to be asked for. Bounds stay where they
// are, so that what is worth holding comes back when there is room.
//
// It collects garbage and returns free memory to the system, as seldom as need
// be: so that it takes at most a hundredth of the time, and, while that brings
// next to nothing because what is held is in use, after waits that double.
//
// # Death spiral
//
// When what is in use comes close to the limit, the collector runs without a
// pause and the service hardly does. One more collection would make that worse:
// none is forced while the collector takes more than gcSpiral of the processors,
// and all that can be had again is dropped, for only that ends it.
type cleanups struct {
	nothingToTrim

	ex    *Executor
	meter memoryMeter
	looks periodic

	threshold atomic.Uint64 // bits of a float64

	// Of the goroutine alone.
	last memoryUse     // at the last look
	next time.Time     // when memory may be returned again
	wait time.Duration // the least pause before that, since it last brought little
}

// memoryMeter is the memory of this process: in tests, one of their making.
type memoryMeter interface {
	use() memoryUse
	// release collects garbage and returns free memory to the system.
	release()
}

// memoryUse is what a meter reads.
type memoryUse struct {
	ratio   float64 // of the limit that is nearest; 0 if none is known
	bytes   uint64
	gc, cpu float64 // seconds of processor time since the start: the collector's, and all there was
}

const (
	keepWhenTrimmed = 0.5
	// gcSpiral: the collector takes a quarter of the processors while a cycle is
	// on, so that near that, cycles follow each other without a pause.
	gcSpiral = 0.2
	// releaseShare is the most of the time that returning memory may take.
	releaseShare = 0.01
	// worthReleasing is the share of memory that must come free for it to be
	// done again without a longer wait.
	worthReleasing = 0.02
	longestWait    = time.Hour
)

func (m *cleanups) reconcile(next *snapshot) {
	m.threshold.Store(math.Float64bits(next.config.MemoryThreshold))
	interval := time.Duration(0)
	if next.config.EnableMemoryOptimization {
		interval = next.config.MemoryCleanupInterval
	}
	m.looks.set(interval)
}

func (m *cleanups) readBack(c *Config) {
	c.MemoryThreshold = math.Float64frombits(m.threshold.Load())
	if every := m.looks.every(); every > 0 {
		c.MemoryCleanupInterval = every
	}
}

func (m *cleanups) stop() { m.looks.stop() }

func (m *cleanups) look() {
	use := m.meter.use()
	spiral := use.gc-m.last.gc > gcSpiral*(use.cpu-m.last.cpu)
	m.last = use
	if use.ratio <= math.Float64frombits(m.threshold.Load()) {
		m.wait = 0
		return
	}
	m.ex.counters.memoryCleanups.Add(1)
	keep := keepWhenTrimmed
	if spiral {
		keep = 0
	}
	now := m.ex.current.Load()
	for _, p := range m.ex.parts() {
		m.ex.counters.trimmed.Add(uint64(p.trim(now, keep)))
	}
	if began := time.Now(); !spiral && !began.Before(m.next) {
		m.release(use.bytes, began)
	}
}

// release returns memory, and says when it may be done again.
func (m *cleanups) release(before uint64, began time.Time) {
	m.meter.release()
	m.ex.counters.memoryReturns.Add(1)
	took := time.Since(began)
	m.last = m.meter.use() // its own collection is no sign of a spiral
	if float64(m.last.bytes) > (1-worthReleasing)*float64(before) {
		m.wait = min(max(2*m.wait, 2*m.looks.every()), longestWait)
	} else {
		m.wait = 0
	}
	m.next = began.Add(max(m.wait, time.Duration(float64(took)/releaseShare)))
}
