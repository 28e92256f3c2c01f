package catalog

import (
	"runtime"

	"autotune/controller"
)

// limitOverCores is the guide's balanced limit: its 24 is twice the 12 cores of
// the machine it was measured on.
const limitOverCores = 2

// Cores are the processors that this process may use.
func Cores() int { return runtime.GOMAXPROCS(0) }

func concurrency() hypothesis {
	limit := countField(MaxConcurrentExecutions, "executions", float64(limitOverCores*Cores()), 1e5,
		"How many leaf executions run at once.")
	limit.MaxMove = 2
	limit.DefaultRule = "twice the cores"
	timeout := secondsField(ConcurrencyTimeout, 30, 1e-3, hour, "How long an execution waits for its turn before it is rejected.")
	timeout.MaxMove = 2
	timeout.Limit = AtLeast
	return hypothesis{
		fields: []Field{
			switchField(EnableConcurrency, "How many executions run at once is bounded; others wait in order."),
			limit, timeout,
		},
		optimization: controller.Optimization{
			Why:         "Bounding how many executions run at once keeps them from slowing each other down beyond saturation.",
			Needs:       judged(controller.ErrorRatio),
			Start:       map[string]float64{MaxConcurrentExecutions: limit.Default},
			Equivalence: controller.Bounded,
			MayDiffer:   "An execution that has waited for concurrency_timeout is rejected with an error.",
			WhileOff:    "Nothing is warm; those who wait are let in at once.",
		},
	}
}
