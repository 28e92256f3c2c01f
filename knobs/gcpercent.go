package knobs

import (
	"runtime/debug"
	"runtime/metrics"
	"time"

	"autotune/controller"
)

// GCPercent is the garbage collector's target percentage (GOGC) of this
// process: higher is less CPU for more memory. Bounds are 25 to 800, a trial
// moves it by a factor of 2 at most. It defers work, so blocks under it need to
// span collections. It reads back from the runtime; collection turned off
// (GOGC=off) reads as -1, which is outside the bounds, and no trial moves a knob
// from there. Where GOGC is in the environment, it is pinned.
func GCPercent() Actuator {
	sample := []metrics.Sample{{Name: "/gc/gogc:percent"}}
	return Actuator{
		Knob: controller.Knob{
			Name: "gc_percent", Kind: controller.Int, Unit: "percent", Min: 25, Max: 800,
			Scale: controller.Log, MaxMove: 2, Settle: 2 * time.Second, Defers: true,
		},
		Get: func() (float64, error) {
			metrics.Read(sample)
			return float64(int64(sample[0].Value.Uint64())), nil
		},
		Set: func(v float64) error {
			debug.SetGCPercent(int(v))
			return nil
		},
	}.operator("GOGC")
}
