package knobs

import (
	"fmt"
	"runtime/debug"
	"runtime/metrics"
	"time"

	"autotune/controller"
)

// MemoryLimit is the runtime's soft memory limit (GOMEMLIMIT) of this process,
// within bounds in bytes: most is what the container leaves to Go, of which ten
// percent should stay free for what Go does not count.
//
// Below what is live a limit is a death spiral: collections follow each other and
// free nothing. So Set refuses one that leaves less than a third above what is
// live in the heap and is taken up by the rest of the runtime, and a trial of it
// ends as not applied. No limit (math.MaxInt64) reads as that, which is outside
// the bounds: set one to have it tuned. Where GOMEMLIMIT is in the environment,
// it is pinned.
func MemoryLimit(least, most int64) Actuator {
	return Actuator{
		Knob: controller.Knob{
			Name: "memory_limit", Kind: controller.Int, Unit: "bytes", Min: float64(least), Max: float64(most),
			Scale: controller.Log, MaxMove: 1.5, Settle: 2 * time.Second, Defers: true, Risky: true,
		},
		Get: func() (float64, error) { return float64(debug.SetMemoryLimit(-1)), nil },
		Set: func(v float64) error {
			if need := leastMemory(); v < need {
				return fmt.Errorf("memory_limit %.0f: must be at least %.0f bytes, a third above what is in use: below, collections follow each other", v, need)
			}
			debug.SetMemoryLimit(int64(v))
			return nil
		},
	}.operator("GOMEMLIMIT")
}

// headroom is how much of what is in use a limit must leave above it.
const headroom = 4.0 / 3

// leastMemory is the least limit that leaves the collector room.
func leastMemory() float64 {
	samples := []metrics.Sample{
		{Name: "/gc/heap/live:bytes"},
		{Name: "/memory/classes/total:bytes"},
		{Name: "/memory/classes/heap/released:bytes"},
		{Name: "/memory/classes/heap/objects:bytes"},
		{Name: "/memory/classes/heap/free:bytes"},
		{Name: "/memory/classes/heap/unused:bytes"},
	}
	metrics.Read(samples)
	v := func(i int) float64 { return float64(samples[i].Value.Uint64()) }
	rest := v(1) - v(2) - v(3) - v(4) - v(5) // stacks, the runtime's own
	return headroom * (v(0) + max(rest, 0))
}
