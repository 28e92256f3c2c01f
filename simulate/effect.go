package simulate

import (
	"time"

	"autotune/controller"
)

// Moment is what an effect may depend on.
type Moment struct {
	// Age of the run.
	Age time.Duration
	// Since the setting in force was applied, or the run began: what decays,
	// turns bad later, or costs something right after a switch depends on it.
	Since time.Duration
	// Changes is how often a different setting was applied so far. What differs
	// from block to block can be drawn from a hash of it.
	Changes int
	// Setting in force.
	Setting controller.Setting
	// Load is the rate of arrivals now over the configured one; 1 is usual.
	Load float64
}

// Effect is what the setting in force does now, relative to the service's own
// level. The zero Effect does nothing.
type Effect struct {
	// Latency of each request, in log units: -0.1 is about 10 % less.
	Latency float64
	// Tail of latencies under this setting, if it is not the service's own. A
	// better median with a worse p99 is a wider tail with a lower Latency; a few
	// requests that got slow are Tail.Slow. Build it outside of the function.
	Tail Tail
	// CPU time of each request, in log units.
	CPU float64
	// Errors is the share of requests that fail, 0..1.
	Errors float64
	// Stalled: nothing completes. Work goes on where it was when it is over.
	Stalled bool
	// Memory is added to the resident memory while this holds, in bytes.
	Memory float64
	// Leak is added to the resident memory with each second that this holds, in
	// bytes. What has leaked stays.
	Leak float64
}
