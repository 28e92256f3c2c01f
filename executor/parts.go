package executor

// part is what an optimization consists of while the executor runs: a cache, a
// semaphore, pools, a goroutine. The package comment says how to add one.
type part interface {
	// reconcile brings the part to next.config, which is complete and valid, and
	// puts into next what executions need of the part. It is called under the
	// executor's lock and before next is published: executions of older snapshots
	// are still running. It cannot fail, and must not wait for an execution or for
	// a goroutine that may call the executor.
	reconcile(next *snapshot)
	// readBack sets the numbers of the part in c to what the part goes by.
	readBack(c *Config)
	// trim drops what the part holds and can have again, when memory is short, down
	// to that share of it, and reports how many it dropped. It is called while
	// executions run, with what new ones look at.
	trim(now *snapshot, keep float64) (dropped int)
	// stop ends what the part runs itself, and waits for that. It is called once,
	// after the last execution.
	stop()
}

// nothingToTrim is embedded in a part that holds next to nothing.
type nothingToTrim struct{}

func (nothingToTrim) trim(*snapshot, float64) int { return 0 }

// parts are those of ex, in the guide's order. They are stopped in reverse.
func (ex *Executor) parts() []part {
	return []part{
		&ex.pools,
		&ex.snapshots,
		&ex.memory,
		&ex.permits,
		&ex.telemetry,
		&ex.monitoring,
		&ex.classes,
		&ex.circuits,
		&ex.results,
	}
}

// snapshot is what an execution looks at, once, when it begins. It is never
// changed after it was published.
type snapshot struct {
	config   Config // complete
	features feature
	classes  *classTable // nil while errors are not classified
	circuits *circuitRule
	session  *session       // nil while monitoring is off
	store    *store[uint64] // by an identity's hash; nil until the cache was on for the first time
	// snapshots are what was derived of run state; nil while sharingState is off.
	snapshots *store[any]
	// spanRate is the share of executions with a span, if features has traced.
	spanRate float64
}

// feature is a set of things that are on. A step has the set of those that
// matter to it, and takes the short way if none of them is on.
type feature uint32

const (
	always feature = 1 << iota // on; for steps that never take the short way
	pooled
	sharingState
	trimming
	limited
	sampled
	monitored
	classified
	breaking
	cached
	shared
	hashed
	automatic
	stateful // a flow with run state is bound
	traced   // there is an exporter
	closed
)

// switches ties each switch of Config to its feature, in the guide's order.
func switches() []struct {
	of func(*Config) *bool
	feature
} {
	return []struct {
		of func(*Config) *bool
		feature
	}{
		{func(c *Config) *bool { return &c.EnableObjectPool }, pooled},
		{func(c *Config) *bool { return &c.EnableContextOptimization }, sharingState},
		{func(c *Config) *bool { return &c.EnableMemoryOptimization }, trimming},
		{func(c *Config) *bool { return &c.EnableConcurrencyOptimization }, limited},
		{func(c *Config) *bool { return &c.EnableOptimizedTelemetry }, sampled},
		{func(c *Config) *bool { return &c.EnablePerformanceMonitoring }, monitored},
		{func(c *Config) *bool { return &c.EnableOptimizedErrorHandling }, classified},
		{func(c *Config) *bool { return &c.EnableCircuitBreaker }, breaking},
		{func(c *Config) *bool { return &c.EnableCacheOptimization }, cached},
		{func(c *Config) *bool { return &c.EnableStepOptimization }, shared},
		{func(c *Config) *bool { return &c.EnableAlgorithmOptimization }, hashed},
		{func(c *Config) *bool { return &c.EnableAutomaticOptimization }, automatic},
	}
}

// featuresOf returns what is on in a configuration.
func featuresOf(c *Config) feature {
	f := always
	for _, s := range switches() {
		if *s.of(c) {
			f |= s.feature
		}
	}
	return f
}

// readBack returns what is in force: the switches from what executions look at,
// the numbers from the parts.
func (ex *Executor) readBack() Config {
	now := ex.current.Load()
	c := now.config
	for _, s := range switches() {
		*s.of(&c) = now.features&s.feature != 0
	}
	for _, p := range ex.parts() {
		p.readBack(&c)
	}
	return c
}
