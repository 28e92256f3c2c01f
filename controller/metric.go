package controller

import "fmt"

// Metric names a quantity that a sample holds or that is formed from it. The
// unit is in the name.
type Metric string

// Totals: counts over the time a sample covers. They merge by adding.
const (
	// Requests that started: arrivals. With open-loop load no knob moves it.
	Requests Metric = "requests"
	// Completions are requests that started in this epoch and ended, well or not.
	Completions Metric = "completions"
	// Errors are completions that failed.
	Errors Metric = "errors"
	// CPUSeconds of the process, user and system.
	CPUSeconds Metric = "cpu_seconds"
	// AllocBytes allocated on the heap.
	AllocBytes Metric = "alloc_bytes"
)

// Gauges: the state at the end of a tick. In a block they are averaged over time.
const (
	// InFlight is the number of requests started and not ended, of any epoch.
	InFlight Metric = "in_flight"
	// OldestInFlight is the age of the oldest of them.
	OldestInFlight Metric = "oldest_in_flight_seconds"
	// RSSBytes is the resident memory of the process.
	RSSBytes Metric = "rss_bytes"
	// MemoryRatio is RSSBytes over the memory limit that applies, 0..1.
	MemoryRatio Metric = "memory_ratio"
	// GCCPURatio is the share of the process's CPU time that garbage collection took, 0..1.
	GCCPURatio Metric = "gc_cpu_ratio"
)

// Derived metrics, formed from a whole tick or block, never averaged.
const (
	LatencyP50    Metric = "latency_p50_seconds"
	LatencyP95    Metric = "latency_p95_seconds"
	LatencyP99    Metric = "latency_p99_seconds"
	LatencyMean   Metric = "latency_mean_seconds"
	CPUPerRequest Metric = "cpu_seconds_per_request"
	ErrorRatio    Metric = "error_ratio"
	// CompletionRatio is completions over arrivals: throughput that load cannot move.
	CompletionRatio Metric = "completion_ratio"
)

// Goal is something to improve. Goals are ranked: the first is the top goal.
// Effects are log ratios, so percentages here are log units.
type Goal struct {
	Metric Metric `json:"metric"`
	// Maximize: more is better. The default is that less is better.
	Maximize bool `json:"maximize,omitempty"`
	// MinEffect is the smallest change worth having, 0.03 by default. It is
	// raised to 0.35 of the baseline's scale where noise is larger.
	MinEffect float64 `json:"min_effect,omitempty"`
	// Tolerance is how much worse this goal may get when a lower one gains,
	// over the whole session, 0.03 by default; raised to half the baseline's scale.
	Tolerance float64 `json:"tolerance,omitempty"`
}

// Check reports what is wrong with the goal, or nil.
func (g Goal) Check() error {
	switch {
	case g.Metric == "":
		return fmt.Errorf("goal: metric is empty: must name what to improve")
	case !(g.MinEffect >= 0 && g.MinEffect < 1):
		return fmt.Errorf("goal %s: min_effect %v: must be within 0..1", g.Metric, g.MinEffect)
	case !(g.Tolerance >= 0 && g.Tolerance < 1):
		return fmt.Errorf("goal %s: tolerance %v: must be within 0..1", g.Metric, g.Tolerance)
	}
	return nil
}

// DefaultGoals are p95 latency, then CPU per request, then mean latency: a
// cache that answers most requests may leave p95 where it is and halve the CPU.
func DefaultGoals() []Goal {
	return []Goal{{Metric: LatencyP95}, {Metric: CPUPerRequest}, {Metric: LatencyMean}}
}

// Guard is a hard limit, looked at on every tick, without statistics.
type Guard struct {
	Metric Metric `json:"metric"`
	// Limit that trips the guard when the metric is above it, or below it if Below.
	Limit float64 `json:"limit"`
	Below bool    `json:"below,omitempty"`
	// MinRequests is how many requests a tick must hold before its value is
	// looked at; 0 looks always. A p99 of a handful of requests means nothing.
	MinRequests float64 `json:"min_requests,omitempty"`
}

// Check reports what is wrong with the guard, or nil.
func (g Guard) Check() error {
	switch {
	case g.Metric == "":
		return fmt.Errorf("guard: metric is empty: must name what to limit")
	case !finite(g.Limit):
		return fmt.Errorf("guard %s: limit %v: must be a finite number", g.Metric, g.Limit)
	case !(g.MinRequests >= 0):
		return fmt.Errorf("guard %s: min_requests %v: must not be negative", g.Metric, g.MinRequests)
	}
	return nil
}

// Trips returns the metric's value and whether it is beyond the limit. A metric
// that is absent trips nothing: it is absent, not zero.
func (g Guard) Trips(s *Sample) (value float64, tripped bool) {
	if g.MinRequests > 0 && s.Totals[Requests] < g.MinRequests {
		return 0, false
	}
	v, ok := s.Value(g.Metric)
	if !ok {
		return 0, false
	}
	if g.Below {
		return v, v < g.Limit
	}
	return v, v > g.Limit
}
