package policytest

import (
	"time"

	"autotune/controller"
	"autotune/simulate"
)

// Worlds are those that a policy is asked about by default: switches only;
// numbers of each kind, with limits of the owner; and numbers behind a switch.
func Worlds() []World {
	return []World{switches(), numbers(), behind()}
}

func switches() World {
	space, offered, initial := simulate.Switches("a", "b", "c")
	initial["b"] = 1
	offered[2].Needs = []controller.Metric{controller.AllocBytes}
	return World{Name: "switches", Space: space, Offered: offered, Initial: initial}
}

func numbers() World {
	floor, ceiling := 8.0, 0.6
	knobs := []controller.Knob{
		{Name: "ratio", Kind: controller.Float, Min: 0, Max: 1, MaxMove: 0.1, Ceiling: &ceiling},
		{Name: "count", Kind: controller.Int, Min: 1, Max: 1000, Scale: controller.Log, MaxMove: 2, Floor: &floor},
		{Name: "level", Kind: controller.Int, Min: 1, Max: 4096, Levels: []float64{1, 16, 256, 4096}},
		{Name: "wait", Kind: controller.Duration, Unit: "s", Min: 0.001, Max: 10, Scale: controller.Log, MaxMove: 4},
		{Name: "mode", Kind: controller.Enum, Min: 0, Max: 2, Levels: []float64{0, 1, 2}},
		{Name: "pair", Kind: controller.Int, Min: 1, Max: 64},
		{Name: "rare", Kind: controller.Duration, Unit: "s", Min: 1, Max: 1e5, Scale: controller.Log, Period: time.Hour},
	}
	w := World{
		Name: "numbers", Space: controller.Space{Knobs: knobs},
		Initial: map[string]float64{"ratio": 0.5, "count": 16, "level": 16, "wait": 0.1, "mode": 0, "pair": 32, "rare": 60},
	}
	for _, names := range [][]string{{"ratio"}, {"count"}, {"level"}, {"wait"}, {"mode"}, {"pair", "rare"}} {
		w.Offered = append(w.Offered, controller.Optimization{Name: "tune " + names[0], Why: "of the test", Knobs: names, Equivalence: controller.Exact})
	}
	return w
}

func behind() World {
	space, offered, initial := simulate.Switches("cache", "pool", "useless")
	space.Knobs = append(space.Knobs,
		controller.Knob{Name: "cache size", Kind: controller.Int, Min: 1, Max: 1 << 16, Scale: controller.Log, MaxMove: 4, Needs: "cache"},
		controller.Knob{Name: "cache ttl", Kind: controller.Duration, Unit: "s", Min: 1, Max: 3600, Scale: controller.Log, Needs: "cache"},
		controller.Knob{Name: "pool size", Kind: controller.Int, Min: 0, Max: 100, MaxMove: 10, Needs: "pool"},
	)
	offered[0].Knobs, offered[0].Start = []string{"cache size", "cache ttl"}, map[string]float64{"cache size": 1024}
	offered[1].Knobs, offered[1].Start = []string{"pool size"}, map[string]float64{"pool size": 50}
	initial["cache size"], initial["cache ttl"], initial["pool size"] = 16, 60, 5
	return World{Name: "behind switches", Space: space, Offered: offered, Initial: initial}
}
