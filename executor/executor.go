package executor

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"autotune/catalog"
)

// Executor runs steps under one configuration, which Apply swaps while they
// run. New makes one, Close ends it.
type Executor struct {
	attached bool          // to an autopilot
	fields   []configField // that a setting may have
	clock    clock
	counters counters
	graph    waitGraph
	signals  signals

	pools      pools
	snapshots  snapshots
	memory     cleanups
	permits    permits
	telemetry  telemetry
	monitoring monitoring
	classes    errorClasses
	circuits   circuits
	results    resultCache

	steps atomic.Uint64 // bound so far
	fresh atomic.Int64  // of these, how many are FreshFor
	// background counts goroutines that run functions of steps with a Timeout.
	background atomic.Int64

	// current is what an execution looks at, once, when it begins.
	current atomic.Pointer[snapshot]

	mu     sync.Mutex // orders what changes the configuration, and Close
	owner  Config     // guarded by mu; what Apply or Update put in force last
	bound  feature    // guarded by mu; on because of what is bound
	closed chan struct{}
}

// New returns an executor. Its error has every fault of the configuration.
func New(cfg Config, options ...Option) (*Executor, error) {
	ex := &Executor{fields: movableFields(), clock: newClock(), closed: make(chan struct{})}
	ex.results.clock, ex.snapshots.clock = ex.clock, ex.clock
	ex.pools.looks.act = ex.pools.look
	ex.monitoring.looks.act, ex.monitoring.alerts = ex.monitoring.look, make(chan Alert, alertsKept)
	ex.memory.ex, ex.memory.meter, ex.memory.looks.act = ex, newProcessMemory(), ex.memory.look
	ex.signals.begin()
	for _, o := range options {
		o(ex)
	}
	if err := ex.Apply(cfg); err != nil {
		return nil, err
	}
	return ex, nil
}

// Apply puts a whole configuration in force while steps run. On an error
// nothing has changed. Executions that have begun end as they began; those that
// begin after Apply has returned see all of it.
//
// The cache keeps what it holds: a smaller size evicts down to it, a TTL holds
// from the next lookup on, off keeps entries for later. The limit on
// concurrency takes no permit from anybody; off lets in at once whoever waits.
func (ex *Executor) Apply(cfg Config) error {
	ex.mu.Lock()
	defer ex.mu.Unlock()
	return ex.applyOwn(cfg)
}

// Update changes fields of the configuration in force, and no others: what an
// autopilot moves meanwhile is not put back. f must not call the executor.
func (ex *Executor) Update(f func(*Config)) error {
	ex.mu.Lock()
	defer ex.mu.Unlock()
	cfg := ex.current.Load().config
	f(&cfg)
	return ex.applyOwn(cfg)
}

// applyOwn is apply for what the owner wants, as opposed to an autopilot.
func (ex *Executor) applyOwn(cfg Config) error {
	if err := ex.apply(cfg); err != nil {
		return err
	}
	ex.owner = ex.current.Load().config
	return nil
}

func (ex *Executor) apply(cfg Config) error {
	if err := cfg.Validate(); err != nil {
		return err
	}
	if cfg.EnableAutomaticOptimization && !ex.attached {
		return &Fault{Field: catalog.EnableAutomatic, Value: "true", Rule: "must be off without an autopilot to do it: start one with autotune.Start"}
	}
	if was := ex.current.Load(); was != nil && was.features&closed != 0 {
		return ErrClosed
	}
	next := &snapshot{config: cfg.withDefaults(), features: featuresOf(&cfg) | ex.bound}
	for _, p := range ex.parts() {
		p.reconcile(next)
	}
	ex.current.Store(next)
	return nil
}

// bind turns a feature on for good, because something is bound that needs it.
func (ex *Executor) bind(f feature) {
	ex.mu.Lock()
	defer ex.mu.Unlock()
	ex.bound |= f
	next := *ex.current.Load()
	next.features |= f
	ex.current.Store(&next)
}

// Config returns the configuration in force, defaults filled in.
func (ex *Executor) Config() Config { return ex.current.Load().config }

// Stats returns what was counted so far.
func (ex *Executor) Stats() Stats {
	s := ex.counters.stats()
	s.CacheEntries = ex.results.entries()
	spans := ex.telemetry.counts()
	s.Spans, s.SpansExported, s.SpansDropped, s.SpanExports = spans.ended, spans.exported, spans.dropped, spans.exports
	s.Alerts, s.AlertsDropped = ex.monitoring.sent.Load(), ex.monitoring.dropped.Load()
	s.PoolIdle = uint64(ex.pools.idle())
	return s
}

// Close lets no further execution begin, waits until those in flight have
// ended, functions that were left behind by a timeout included, and stops what
// the executor runs itself. Steps that run afterwards return ErrClosed. It may
// be called more than once; every call waits. It must not be called by a
// function of a step, which it would wait for.
func (ex *Executor) Close() error {
	if ex.shut() {
		// In this order: what is in flight may put functions in the background.
		for pause := 20 * time.Microsecond; ex.counters.inFlight() > 0 || ex.background.Load() > 0; pause = min(2*pause, 5*time.Millisecond) {
			time.Sleep(pause)
		}
		parts := ex.parts()
		for _, p := range slices.Backward(parts) {
			p.stop()
		}
		close(ex.closed)
	}
	<-ex.closed
	return nil
}

// shut marks the executor closed, and reports whether it was not.
func (ex *Executor) shut() bool {
	ex.mu.Lock()
	defer ex.mu.Unlock()
	last := *ex.current.Load()
	if last.features&closed != 0 {
		return false
	}
	last.features |= closed
	ex.current.Store(&last)
	return true
}
