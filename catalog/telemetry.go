package catalog

import "autotune/controller"

func telemetry() hypothesis {
	on := switchField(EnableTelemetry, "Spans of executions are sampled and exported in batches, instead of each one as it ends.")
	on.Defers = true
	rate := ratioField(TelemetrySamplingRate, 0.5, 1, 0.5, "The share of executions that get a span, per step, in expectation exactly.")
	rate.Limit = AtLeast
	batch := countField(TelemetryBatchSize, "spans", 400, 1e5, "How many spans are exported at once.")
	batch.Defers = true
	return hypothesis{
		fields: []Field{on, rate, batch},
		optimization: controller.Optimization{
			Why:         "Spans that are not recorded cost nothing, and a batch costs little more than one.",
			Needs:       judged(),
			Start:       map[string]float64{TelemetrySamplingRate: 0.1, TelemetryBatchSize: 1000},
			Equivalence: controller.Bounded,
			MayDiffer:   "Only telemetry_sampling_rate of the spans are exported, later, and none when the queue is full; counts are rescaled.",
			WhileOff:    "What is queued is exported.",
		},
	}
}
