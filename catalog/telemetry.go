package catalog

import (
	"time"

	"autotune/controller"
)

// TelemetryFlush is how long a span waits at most for its batch to fill.
const TelemetryFlush = time.Second

func telemetry() hypothesis {
	// What is batched is exported later, by TelemetryFlush at most. The period
	// stands at the switch, where it lengthens the drain. It would keep guided
	// trials from the size of batches, which act as often as they fill; their
	// drain is a second anyway.
	on := switchField(EnableTelemetry, "Spans of executions are sampled and exported in batches, instead of each one as it ends.")
	on.Defers = true
	on.Period = TelemetryFlush
	rate := ratioField(TelemetrySamplingRate, 0.5, 1, 0.5, "The share of executions that get a span, per step, in expectation exactly.")
	rate.Limit = AtLeast
	batch := countField(TelemetryBatchSize, "spans", 400, 1e5, "How many spans are exported at once; fewer if a second passes first.")
	batch.Defers = true
	return hypothesis{
		fields: []Field{on, rate, batch},
		optimization: controller.Optimization{
			Why:         "Spans that are not recorded cost nothing, and a batch costs little more than one.",
			Needs:       judged(),
			Start:       map[string]float64{TelemetrySamplingRate: 0.1, TelemetryBatchSize: 1000},
			Equivalence: controller.Bounded,
			MayDiffer:   "Only telemetry_sampling_rate of the spans are exported, up to a second later; counts are rescaled. When the queue is full spans are dropped and counted, as they are while this is off.",
			WhileOff:    "What is queued is exported, and then each span as it ends.",
		},
	}
}
