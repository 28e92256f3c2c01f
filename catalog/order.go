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

// Likelihood is how likely an optimization is to pay for a workload, by the guide,
// where its signal says that there is something to act on: what it turns on for the
// workload mostly does; what it leaves off may; for low latency it leaves everything
// off. The workload "" is none in particular.
func Likelihood(workload, optimization string) float64 {
	for _, w := range workloads {
		switch {
		case w.name != workload:
		case slices.Contains(w.picks, optimization):
			return 0.8
		case len(w.picks) == 0:
			return 0.2
		default:
			return 0.4
		}
	}
	return 0.5
}

// Picks are what the guide turns on for a workload.
func Picks(workload string) []string {
	for _, w := range workloads {
		if w.name == workload {
			return slices.Clone(w.picks)
		}
	}
	return nil
}

// Strong is the share of what a service spends from which on an optimization is
// tried where the guide would leave everything off.
const Strong = 0.25
