package catalog

import (
	"strconv"

	"autotune/controller"
)

// Opportunity signals: what an executor measures of itself, at little cost,
// that says where a gain is likely before anything is switched on. A policy
// finds them in the View's Baseline; one that was not measured is absent.

// Totals.
const (
	// Executions of steps that began, nested ones included.
	Executions controller.Metric = "executions"
	// QueueWaitSeconds that attempts waited for a permit.
	QueueWaitSeconds controller.Metric = "queue_wait_seconds"
	// SchedulerWaitSeconds that goroutines of the process were ready to run and
	// no processor was free: what a bound on concurrency could take away.
	SchedulerWaitSeconds controller.Metric = "scheduler_wait_seconds"
	// StateCopiedBytes of run state copied for steps.
	StateCopiedBytes controller.Metric = "state_copied_bytes"
	// TelemetrySeconds that the exporter's calls took, waits included.
	TelemetrySeconds controller.Metric = "telemetry_seconds"
	// RepeatedSeconds that executions took, waits included, whose input was seen
	// before and whose result would still have been fresh: what a cache could save.
	// With the cache on, what is left of it.
	RepeatedSeconds controller.Metric = "repeated_seconds"
	// Retries are attempts after the first.
	Retries controller.Metric = "retries"
	// Fallbacks that answered because all attempts had failed.
	Fallbacks controller.Metric = "fallbacks"
	// FailedExecutions ended with an error.
	FailedExecutions controller.Metric = "failed_executions"
	// ErrorBursts that began: seconds in which many executions failed.
	ErrorBursts controller.Metric = "error_bursts"
)

// Gauges, 0..1, over executions whose results are declared.
const (
	// DuplicateInputRatio is the share whose input was seen before.
	DuplicateInputRatio controller.Metric = "duplicate_input_ratio"
	// IdenticalInFlightRatio is the share that began while an identical execution
	// was in flight.
	IdenticalInFlightRatio controller.Metric = "identical_in_flight_ratio"
)

// CPUUtilization is the gauge of how much of its processors the process used, 0..1.
const CPUUtilization controller.Metric = "cpu_utilization_ratio"

// DeclaredSteps is the gauge of how many steps declare their results.
const DeclaredSteps controller.Metric = "declared_steps"

// PoolTypes is the gauge of how many types of scratch objects can be pooled.
const PoolTypes controller.Metric = "pool_types"

// CacheMissRatio is the gauge of the miss ratio that a cache of that many
// entries would have. Samples have it for MissRatioSizes.
func CacheMissRatio(size int) controller.Metric {
	return controller.Metric("cache_miss_ratio_" + strconv.Itoa(size))
}

// MissRatioSizes are the cache sizes of which a sample has the miss ratio.
func MissRatioSizes() []int { return []int{256, 1024, 4096, 16384} }
