package executor

import (
	"sync/atomic"
	"unsafe"
)

// Stats are counts since the executor was made. They are read while it runs, so
// that they may be an execution or two apart from each other.
type Stats struct {
	// Executions are runs of steps that began, nested ones and those that were
	// answered from the cache included.
	Executions uint64 `json:"executions"`
	// InFlight are the ones among them that have not ended.
	InFlight uint64 `json:"in_flight"`
	// CacheHits were answered from the cache; CacheMisses looked and found nothing.
	CacheHits   uint64 `json:"cache_hits"`
	CacheMisses uint64 `json:"cache_misses"`
	// CacheEntries are in the cache now, about.
	CacheEntries uint64 `json:"cache_entries"`
	// Shared took the result of an identical execution that was in flight.
	Shared uint64 `json:"shared"`
	// Waits are attempts that queued for a permit; Rejected gave up after concurrency_timeout.
	Waits    uint64 `json:"waits"`
	Rejected uint64 `json:"rejected"`
	// Retries are attempts after the first; Timeouts are attempts that took
	// longer than their step's Timeout.
	Retries  uint64 `json:"retries"`
	Timeouts uint64 `json:"timeouts"`
	// PointlessRetries were not made because the error would have come again;
	// UnaffordableRetries because the step's budget for retries was spent.
	PointlessRetries    uint64 `json:"pointless_retries"`
	UnaffordableRetries uint64 `json:"unaffordable_retries"`
	// CircuitsOpened counts how often a step's circuit did; CircuitRejections are
	// attempts that an open one rejected.
	CircuitsOpened    uint64 `json:"circuits_opened"`
	CircuitRejections uint64 `json:"circuit_rejections"`
	// Panics of functions, turned into errors.
	Panics uint64 `json:"panics"`
	// Fallbacks that ran.
	Fallbacks uint64 `json:"fallbacks"`
	// Spans of executions that ended. SpansExported were taken by the exporter in
	// SpanExports calls; SpansDropped met a full queue, an exporter that failed, or
	// one that was stuck when the executor was closed; the others are queued.
	Spans         uint64 `json:"spans"`
	SpansExported uint64 `json:"spans_exported"`
	SpansDropped  uint64 `json:"spans_dropped"`
	SpanExports   uint64 `json:"span_exports"`
	// PoolMade are objects that pools made because none was idle, while they were
	// on; PoolIdle are idle now.
	PoolMade uint64 `json:"pool_made"`
	PoolIdle uint64 `json:"pool_idle"`
	// StateBytes of run state were copied for steps, about.
	StateBytes uint64 `json:"state_bytes"`
	// SnapshotHits took what had been derived of run state before; SnapshotMisses
	// computed it, and kept it.
	SnapshotHits   uint64 `json:"snapshot_hits"`
	SnapshotMisses uint64 `json:"snapshot_misses"`
	// MemoryCleanups found memory above memory_threshold; Trimmed are objects and
	// results that they dropped; MemoryReturns is how often they also collected
	// garbage and returned memory to the system.
	MemoryCleanups uint64 `json:"memory_cleanups"`
	Trimmed        uint64 `json:"trimmed"`
	MemoryReturns  uint64 `json:"memory_returns"`
	// Alerts of performance monitoring, and those among them that were dropped
	// because nobody took them.
	Alerts        uint64 `json:"alerts"`
	AlertsDropped uint64 `json:"alerts_dropped"`
}

// stripes is a power of two. Executions that run at once mostly count in
// different stripes, so that counting is not what they contend for.
const stripes = 16

// stripe has what every execution counts, on cache lines of its own. An
// execution that does nothing else counts twice: one atomic addition is a third
// of what it costs.
type stripe struct {
	began   [2]atomic.Uint64 // by whether each such execution is offered to the ghost cache
	ended   [3]atomic.Uint64 // by source
	misses  atomic.Uint64
	failed  atomic.Uint64
	thinned atomic.Uint64 // offered otherwise
	_       [128 - 8*8]byte
}

// source is where an execution has its result from.
type source uint8

const (
	ran    source = iota // from the step's function, or nowhere
	hit                  // from the cache
	joined               // from an identical execution
)

// counters has stripes, and the counts of what happens rarely or after a wait.
type counters struct {
	stripes                   [stripes]stripe
	waits, rejected           atomic.Uint64
	retries, timeouts, panics atomic.Uint64
	fallbacks                 atomic.Uint64
	poolMade                  atomic.Uint64
	pointless, unaffordable   atomic.Uint64 // retries that were not made
	opened, broken            atomic.Uint64 // circuits; attempts that they rejected

	stateCopies, stateBytes      atomic.Uint64
	snapshotHits, snapshotMisses atomic.Uint64

	memoryCleanups, trimmed, memoryReturns atomic.Uint64
}

// stripe returns one for the running goroutine.
func (c *counters) stripe() *stripe { return &c.stripes[here()] }

// here is a number below stripes for the running goroutine, from where its stack
// is: that costs a multiplication, and two goroutines never have the same stack.
func here() uint64 {
	var local byte
	at := uint64(uintptr(unsafe.Pointer(&local))) //nolint:gosec // an address as a number, never a pointer again
	const golden = 0x9e3779b97f4a7c15
	return (at >> 11) * golden >> (64 - 4)
}

// copied counts a copy of run state.
func (c *counters) copied(bytes int) {
	c.stateCopies.Add(1)
	c.stateBytes.Add(uint64(bytes))
}

// inFlight may be too high while executions end, never too low: what ended is
// read before what began.
func (c *counters) inFlight() uint64 {
	var ended uint64
	for i := range c.stripes {
		for a := range c.stripes[i].ended {
			ended += c.stripes[i].ended[a].Load()
		}
	}
	return c.begun() - ended
}

func (c *counters) stats() Stats {
	s := Stats{
		InFlight:  c.inFlight(),
		Waits:     c.waits.Load(),
		Rejected:  c.rejected.Load(),
		Retries:   c.retries.Load(),
		Timeouts:  c.timeouts.Load(),
		Panics:    c.panics.Load(),
		Fallbacks: c.fallbacks.Load(),
		PoolMade:  c.poolMade.Load(),

		PointlessRetries:    c.pointless.Load(),
		UnaffordableRetries: c.unaffordable.Load(),
		CircuitsOpened:      c.opened.Load(),
		CircuitRejections:   c.broken.Load(),

		StateBytes:     c.stateBytes.Load(),
		SnapshotHits:   c.snapshotHits.Load(),
		SnapshotMisses: c.snapshotMisses.Load(),
		MemoryCleanups: c.memoryCleanups.Load(),
		Trimmed:        c.trimmed.Load(),
		MemoryReturns:  c.memoryReturns.Load(),
	}
	for i := range c.stripes {
		p := &c.stripes[i]
		s.CacheHits += p.ended[hit].Load()
		s.CacheMisses += p.misses.Load()
		s.Shared += p.ended[joined].Load()
	}
	s.Executions = c.begun()
	return s
}
