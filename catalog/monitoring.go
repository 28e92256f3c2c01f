package catalog

import "autotune/controller"

func monitoring() hypothesis {
	interval := secondsField(PerformanceMonitoringInterval, 300, 1, day, "How long the intervals are that are compared with the reference.")
	interval.Limit = AtMost
	threshold := ratioField(PerformanceAlertThreshold, 0.2, 10, 1, "How much worse than the reference an interval must be for an alert: 0.2 is 20 %.")
	threshold.Limit = AtMost
	threshold.Period = interval.Period
	return hypothesis{
		fields: []Field{
			switchField(EnableMonitoring, "Latency and errors of executions are counted, and an interval that is worse than the reference raises an alert."),
			interval, threshold,
		},
		optimization: controller.Optimization{
			Why:         "It speeds nothing up: it tells when the service has become slower, at a small cost for each execution.",
			Needs:       judged(),
			Equivalence: controller.Exact,
			WhileOff:    "The reference is dropped; it is measured anew when this is on again.",
		},
	}
}
