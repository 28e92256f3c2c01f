package catalog

import (
	"fmt"
	"slices"
	"strings"
)

// The guide's workloads, and what it turns on for each. For low latency it
// recommends the baseline: nothing.
var workloads = []struct {
	name  string
	picks []string
}{
	{"high-allocation", []string{EnableObjectPool, EnableMemory}},
	{"large-context", []string{EnableContext, EnableMemory}},
	{"cpu-intensive", []string{EnableConcurrency, EnableTelemetry}},
	{"high-frequency", []string{EnableCache, EnableTelemetry}},
	{"low-latency", nil},
}

// general is the order without a known workload: what preserves everything and
// can save whole executions first, then what makes each of them cheaper, then
// what may reject or drop something.
var general = []string{
	EnableCache,
	EnableStep,
	EnableObjectPool,
	EnableContext,
	EnableMemory,
	EnableAlgorithm,
	EnableTelemetry,
	EnableConcurrency,
	EnableErrorHandling,
	EnableCircuitBreaker,
}

// Order returns the order in which the guide would try optimizations for a
// workload: first what it turns on for it, then the others in general order. For
// "low-latency" it is empty, because the guide advises the baseline; for ""
// it is the general order. Names may be of optimizations that an executor does
// not have: intersect with what is offered. An unknown workload is an error that
// lists the known ones.
func Order(workload string) ([]string, error) {
	if workload == "" {
		return slices.Clone(general), nil
	}
	names := make([]string, len(workloads))
	for i, w := range workloads {
		names[i] = w.name
		if w.name != workload {
			continue
		}
		if len(w.picks) == 0 {
			return nil, nil
		}
		order := slices.Clone(w.picks)
		for _, name := range general {
			if !slices.Contains(order, name) {
				order = append(order, name)
			}
		}
		return order, nil
	}
	return nil, fmt.Errorf("workload %q: must be one of %s, or empty", workload, strings.Join(names, ", "))
}
