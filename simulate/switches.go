package simulate

import "autotune/controller"

// Switches returns a space of switches, all off, each an optimization of its
// own: what most scenarios need.
func Switches(names ...string) (space controller.Space, offered []controller.Optimization, initial map[string]float64) {
	initial = map[string]float64{}
	for _, n := range names {
		space.Knobs = append(space.Knobs, controller.Knob{Name: n, Kind: controller.Switch})
		offered = append(offered, controller.Optimization{Name: n, Why: "simulated", Switch: n, Equivalence: controller.Exact})
		initial[n] = 0
	}
	return space, offered, initial
}
