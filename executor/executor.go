package executor

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// Executor runs steps under one configuration, which Apply swaps while they
// run. New makes one, Close ends it.
type Executor struct {
	attached bool // to an autopilot
	fields   []configField
	clock    clock
	permits  *semaphore
	counters counters
	graph    waitGraph
	steps    atomic.Uint64 // bound so far
	fresh    atomic.Int64  // of these, how many are FreshFor
	// background counts goroutines that run functions of steps with a Timeout.
	background atomic.Int64

	// state is what an execution looks at, once, when it begins.
	state atomic.Pointer[state]

	mu     sync.Mutex // orders Apply and Close
	closed chan struct{}
}

// state is a configuration in force. It is never changed.
type state struct {
	config   Config // complete
	features feature
	store    *store // nil until the cache was on for the first time
}

// feature is a set of things that are on. A step has the set of those that
// matter to it, and takes the short way if none of them is on.
type feature uint32

const (
	always feature = 1 << iota // on; for steps that never take the short way
	cached
	shared
	limited
	closed
)

func (c Config) features() feature {
	f := always
	for _, s := range []struct {
		on bool
		f  feature
	}{{c.EnableCacheOptimization, cached}, {c.EnableStepOptimization, shared}, {c.EnableConcurrencyOptimization, limited}} {
		if s.on {
			f |= s.f
		}
	}
	return f
}

// New returns an executor. Its error has every fault of the configuration.
// EnableAutomaticOptimization is one: nobody is there to do it.
func New(cfg Config) (*Executor, error) { return newExecutor(cfg, false) }

// NewWithAutopilot is New for one that an autopilot watches: it may change the
// configuration while EnableAutomaticOptimization is on, and pauses while it is off.
func NewWithAutopilot(cfg Config) (*Executor, error) { return newExecutor(cfg, true) }

func newExecutor(cfg Config, attached bool) (*Executor, error) {
	ex := &Executor{attached: attached, fields: configFields(), clock: newClock(), closed: make(chan struct{})}
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
	return ex.apply(cfg)
}

// Update changes fields of the configuration in force, and no others: what an
// autopilot moves meanwhile is not put back. f must not call the executor.
func (ex *Executor) Update(f func(*Config)) error {
	ex.mu.Lock()
	defer ex.mu.Unlock()
	cfg := ex.state.Load().config
	f(&cfg)
	return ex.apply(cfg)
}

func (ex *Executor) apply(cfg Config) error {
	if err := cfg.Validate(); err != nil {
		return err
	}
	if cfg.EnableAutomaticOptimization && !ex.attached {
		return fmt.Errorf("enable_automatic_optimization true: must be off without an autopilot to do it: start one with autotune.Start")
	}
	next := &state{config: cfg.withDefaults(), features: cfg.features()}
	c := &next.config
	if was := ex.state.Load(); was != nil {
		if was.features&closed != 0 {
			return ErrClosed
		}
		next.store = was.store
	}
	switch {
	case next.store != nil:
		next.store.resize(c.CacheSize)
		next.store.setTTL(c.CacheTTL)
	case c.EnableCacheOptimization:
		var err error
		if next.store, err = newStore(c.CacheSize, c.CacheTTL, ex.clock); err != nil {
			return fmt.Errorf("cache of %d entries: %w", c.CacheSize, err)
		}
	}
	if open := !c.EnableConcurrencyOptimization; ex.permits == nil {
		ex.permits = newSemaphore(c.MaxConcurrentExecutions, open)
	} else {
		ex.permits.setLimit(c.MaxConcurrentExecutions, open)
	}
	ex.state.Store(next)
	return nil
}

// Config returns the configuration in force, defaults filled in.
func (ex *Executor) Config() Config { return ex.state.Load().config }

// Stats returns what was counted so far.
func (ex *Executor) Stats() Stats {
	s := ex.counters.stats()
	if store := ex.state.Load().store; store != nil {
		s.CacheEntries = uint64(store.cache.EstimatedSize())
	}
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
		if store := ex.state.Load().store; store != nil {
			store.close()
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
	last := *ex.state.Load()
	if last.features&closed != 0 {
		return false
	}
	last.features |= closed
	ex.state.Store(&last)
	return true
}
