package catalog

import (
	"time"

	"autotune/controller"
)

func circuitBreaker() hypothesis {
	threshold := countField(CircuitBreakerFailureThreshold, "failures", 10, 1e5, "How many failures in a row open a step's circuit.")
	threshold.Period = time.Minute // outages are rarer than blocks
	recovery := secondsField(CircuitBreakerRecoveryTimeout, 60, 0.1, hour, "How long a circuit stays open before a bounded number of executions may try again.")
	return hypothesis{
		fields: []Field{
			switchField(EnableCircuitBreaker, "A step that keeps failing is rejected at once for a while, instead of failing slowly."),
			threshold, recovery,
		},
		optimization: controller.Optimization{
			Why:         "Work that would fail is not begun, which saves its time here and its load on what is failing.",
			Needs:       judged(controller.ErrorRatio),
			Equivalence: controller.Bounded,
			MayDiffer:   "While a step's circuit is open its attempts are rejected with an error, and while it is half open all but three at once.",
			WhileOff:    "Every circuit is closed, and counts from zero when this is on again.",
		},
	}
}
