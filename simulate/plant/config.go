package plant

import (
	"errors"
	"fmt"
	"math"
	"time"

	"autotune/controller"
	"autotune/simulate"
)

// Config describes a service: what is asked of it, what that costs, and what of
// it may be changed. It is plain data and descriptions, which runs may share.
type Config struct {
	// Space of what may be changed; Initial has the value of each of its knobs.
	// Knobs are the catalog's, and "gc_percent". Those of the catalog that are not in
	// the space stay at their defaults; switches are off.
	Space   controller.Space
	Initial map[string]float64
	// Seed of everything random.
	Seed uint64
	// Cores that share the work, 1 to 1024; 2 by default.
	Cores int
	// Quantum is how long one request has a core while others wait for it; 0: to
	// its end. Go's scheduler has 10 ms.
	Quantum time.Duration
	// Arrivals of requests, open loop.
	Arrivals Arrivals
	// Kinds of requests, at least one.
	Kinds []Kind
	// Overhead is CPU time of every request: reading it and writing the answer.
	Overhead time.Duration
	// OverheadAlloc is what every request allocates, in bytes, also one that is
	// answered from the cache.
	OverheadAlloc float64
	// Transit is the mean time that a request spends on its way, exponential,
	// without any CPU time of the service's.
	Transit time.Duration
	// Level of what CPU work takes, in log units: noisy neighbors. Each run makes
	// its own from the seed that it gives. Nil: none.
	Level func(seed uint64) simulate.Signal
	// Heap is the memory of the service and its collector.
	Heap Heap
	// Executor is what its own work costs.
	Executor Overheads
	// Exporter of spans; nil: there is none, and telemetry costs nothing.
	Exporter *Exporter
	// Horizon is how long a run is meant to last, for the thirds of its Score; 0: no thirds.
	Horizon time.Duration
}

// Kind is one kind of request: a step of the executor behind a route.
type Kind struct {
	Name string
	// Share of requests, relative to those of the other kinds.
	Share float64
	// Keys are what is asked for; nil: nothing in particular.
	Keys Keys
	// Steps that a request runs, each an execution with a span; 1 if 0.
	Steps int
	// Work is the median CPU time of the step itself, and Tail its distribution around it.
	Work time.Duration
	Tail simulate.Tail
	// PerKey: the same key always takes as long, so that the draw from Tail belongs to the key.
	PerKey bool
	// Alloc is what it allocates, in bytes.
	Alloc float64
	// Results says whether results may be kept or shared.
	Results Results
	// Writes invalidates what another kind has kept for the same key: its index in
	// Kinds, from 1; 0: nothing.
	Writes int
	// Scratch is memory that it needs while it runs and that a pool may hold; State
	// is run state that is copied for its steps. The zero values: none.
	Scratch Scratch
	State   State
	// Calls is what it depends on; nil: nothing.
	Calls *Dependency
}

// Results is what a step declares about its results. The zero value declares
// nothing, and then every execution runs.
type Results struct {
	// Pure: the same key has the same result for ever.
	Pure bool
	// Fresh is how old a result may be served; 0: not at all, unless Pure.
	Fresh time.Duration
	// Bytes that a kept result takes in the heap.
	Bytes float64
}

func (r Results) declared() bool { return r.Pure || r.Fresh > 0 }

// Scratch is what a new scratch object takes: CPU time to allocate and clear
// it, and bytes.
type Scratch struct {
	Cost  time.Duration
	Bytes float64
}

// State is what copying run state for the steps that do not look at it takes,
// which is what copy-on-write saves.
type State struct {
	Cost  time.Duration
	Alloc float64
	// Copies is how many there are, and Bytes how large each is: what the sensors tell.
	Copies int
	Bytes  float64
}

// Check reports every fault of the configuration at once, or nil.
func (c *Config) Check() error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	notNegative := func(name string, v float64) {
		if !(v >= 0) || math.IsInf(v, 0) {
			bad("%s %v: must be a finite number, and not negative", name, v)
		}
	}
	errs = append(errs, c.Space.Check())
	initial := controller.SettingOf(c.Initial)
	for _, k := range c.Space.Knobs {
		if _, ok := initial.Get(k.Name); !ok {
			bad("initial: %s is missing: must have a value for each knob", k.Name)
		}
		if !known(k.Name) {
			bad("knob %s: is not one of the catalog's, nor %s", k.Name, GCPercent)
		}
	}
	for name := range initial.All() {
		if _, ok := c.Space.Knob(name); !ok {
			bad("initial: %s: unknown knob", name)
		}
	}
	if c.Cores < 0 || c.Cores > 1024 {
		bad("cores %d: must be within 1..1024, or 0 for the default", c.Cores)
	}
	if c.Arrivals == nil {
		bad("arrivals: missing: must say how requests come")
	}
	notNegative("quantum", float64(c.Quantum))
	notNegative("overhead", float64(c.Overhead))
	notNegative("overhead_alloc", c.OverheadAlloc)
	notNegative("transit", float64(c.Transit))
	notNegative("horizon", float64(c.Horizon))
	if len(c.Kinds) == 0 || len(c.Kinds) > math.MaxUint8 {
		bad("kinds: %d of them: must be within 1..%d", len(c.Kinds), math.MaxUint8)
	}
	total := 0.0
	for i := range c.Kinds {
		k := &c.Kinds[i]
		total += k.Share
		notNegative(k.Name+": share", k.Share)
		notNegative(k.Name+": work", float64(k.Work))
		notNegative(k.Name+": alloc", k.Alloc)
		if k.Steps < 0 || k.Steps > 1000 {
			bad("%s: steps %d: must be within 1..1000, or 0 for one", k.Name, k.Steps)
		}
		if k.Writes < 0 || k.Writes > len(c.Kinds) {
			bad("%s: writes %d: must be the number of a kind, or 0", k.Name, k.Writes)
		}
		if k.Results.declared() && k.Keys == nil {
			bad("%s: keys: missing: a result that may be kept belongs to a key", k.Name)
		}
		if err := k.Tail.Check(); err != nil {
			bad("%s: tail: %w", k.Name, err)
		}
		if k.Calls != nil {
			if err := k.Calls.check(); err != nil {
				bad("%s: %w", k.Name, err)
			}
		}
	}
	if len(c.Kinds) > 0 && !(total > 0) {
		bad("kinds: shares are all 0: one must be above")
	}
	errs = append(errs, c.Heap.check())
	return errors.Join(errs...)
}
