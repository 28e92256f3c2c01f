package knobs

import (
	"runtime"
	"time"

	"autotune/controller"
)

// GOMAXPROCS is how many threads run Go code at once, from 1 to what the runtime
// takes by itself at the time of the call: the cores, or the container's quota of
// them. Fewer can be faster where threads get into each other's way. Undo lets the
// runtime follow its container again, as it did before the first Set. Where
// GOMAXPROCS is in the environment, it is pinned. Setting it stops the world for
// some microseconds.
func GOMAXPROCS() Actuator {
	return Actuator{
		Knob: controller.Knob{
			Name: "gomaxprocs", Kind: controller.Int, Unit: "threads", Min: 1, Max: float64(runtime.GOMAXPROCS(0)),
			Scale: controller.Log, MaxMove: 2, Settle: 500 * time.Millisecond, Risky: true,
		},
		Get: func() (float64, error) { return float64(runtime.GOMAXPROCS(0)), nil },
		Set: func(v float64) error {
			runtime.GOMAXPROCS(int(v))
			return nil
		},
		Undo: func() error {
			runtime.SetDefaultGOMAXPROCS()
			return nil
		},
	}.operator("GOMAXPROCS")
}
