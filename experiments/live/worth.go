package live

import "autotune/catalog"

// worthHaving is the smallest effect that counts: what a controller.Goal has as
// its MinEffect by default.
const worthHaving = 0.03

// Worth is what a switch does to a workload, as a whole.
type Worth string

// Pays: better on something and worse on nothing that Counts; Costs the reverse;
// Trades both; Unclear neither.
// NotMeasured is a cell without a result.
const (
	Pays        Worth = "pays"
	Costs       Worth = "costs"
	Trades      Worth = "trades"
	Unclear     Worth = "unclear"
	NotMeasured Worth = "-"
)

// WorthOf sums up a result.
func WorthOf(r *Result) Worth {
	if r == nil {
		return NotMeasured
	}
	better, worse := false, false
	for _, e := range r.Effects() {
		better = better || e.Better() && e.Counts()
		worse = worse || e.Worse() && e.Counts()
	}
	switch {
	case better && worse:
		return Trades
	case better:
		return Pays
	case worse:
		return Costs
	}
	return Unclear
}

// Where a switch has anything to act on in this service, and how it was measured
// where that is not as the guide has it.
var acts = map[string]string{
	catalog.EnableObjectPool:     "Only reports, two in five requests of high-allocation, take scratch objects from a pool: what is shown elsewhere is chance.",
	catalog.EnableContext:        "Only baskets, two in five requests of large-context, pass state along: what is shown elsewhere is chance.",
	catalog.EnableMemory:         "By the guide's values it looks once a minute or two and acts near the memory limit, so here never: it was measured looking every second and acting whatever the memory in use (`memory_cleanup_interval` 1 s, `memory_threshold` 0), which is the most that it can give and cost.",
	catalog.EnableConcurrency:    "It pays beyond saturation, where executions slow each other down; the load here is mostly below that.",
	catalog.EnableTelemetry:      "Without it each span goes through the OpenTelemetry SDK as it ends; what encoding and sending would cost is in neither.",
	catalog.EnableMonitoring:     "It is not meant to speed anything up: what it shows is its price.",
	catalog.EnableErrorHandling:  "It acts where retries cannot help: in the outages of low-latency, whose blocks were long enough to have one more often than not.",
	catalog.EnableCircuitBreaker: "Circuits open in the outages of low-latency only, whose blocks were long enough to have one more often than not; what is shown elsewhere is chance. While one is open, offers are answered by their fallback: at once, without the discount.",
	catalog.EnableCache:          "Items may be 5 s old and searches 20 s, packing plans are pure. In cpu-intensive no order is packed twice. What is cached stays while it is off, so that resident memory does not show it.",
	catalog.EnableStep:           "It acts where identical executions are in flight at once, which takes more load than there was, or slower steps.",
	catalog.EnableAlgorithm:      "Measured with the cache on in both: without it, nothing is looked up. What is kept under one identity is not found under the other, so that both have half the cache in turn.",
	catalog.EnableAutomatic:      "The autopilot worked from the baseline in the guide's order for the time given, and was gone before what it had kept was compared with the baseline. For low-latency the guide advises the baseline and nothing is tried: a control.",
	Control:                      "Two configurations that are the same: whatever is shown here is chance, or a fault of the measurement.",
}
