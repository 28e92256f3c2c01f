package experiments

import (
	"context"
	"time"

	"autotune/controller"
	"autotune/experiments/rivals"
	"autotune/policies"
)

const homeGroup = "homes of rivals"

// homeGrounds are where rivals that turn a number are at home.
func homeGrounds() []ground {
	var out []ground
	for _, h := range rivals.Homes() {
		g := ground{group: homeGroup, name: h.Name, doc: h.Doc, horizon: h.Last, turns: rivals.Concurrency}
		if h.Rivals[0] == rivals.CaffeineName {
			g.turns = rivals.Share
		}
		g.scene = func(seed uint64) (meeting, play, error) {
			plant := h.New(seed)
			nothing := h.New(seed)
			initial, err := plant.Current(context.Background())
			if err != nil {
				return meeting{}, play{}, err
			}
			m := meeting{stage: stage{target: plant, initial: initial}, age: plant.Age}
			m.books = func() (cost, excess float64) {
				for nothing.Age() < plant.Age() { // the same time, left alone
					if _, err := nothing.Observe(context.Background(), 0, min(time.Second, plant.Age()-nothing.Age())); err != nil {
						break
					}
				}
				return -plant.Earned(), nothing.Earned() - plant.Earned()
			}
			space := plant.Space()
			knob := space.Knobs[0].Name
			p := play{
				space: space, knob: knob, goals: []controller.Goal{h.Goal}, seed: seed, until: epoch().Add(h.Last),
				offered: []controller.Optimization{{Name: knob, Why: "it is a number", Knobs: []string{knob}, Equivalence: controller.Exact}},
				timing:  controller.Timing{Washout: -1, Measure: h.Block, Tick: h.Block, MinRequests: -1}, policy: guide(""),
			}
			return m, p, nil
		}
		g.static = func(p *play) []controller.Setting { return along(p, h.New(0)) }
		out = append(out, g)
	}
	return out
}

// along are settings along the knob that is turned.
func along(p *play, t controller.Target) []controller.Setting {
	initial, _ := t.Current(context.Background()) // a simulation reads back
	k, _ := p.space.Knob(p.knob)
	was, _ := initial.Get(k.Name)
	return corners(initial, map[string][]float64{k.Name: grid(k, 12, was)}, k.Name)
}

// guide makes the guide's policy for a workload that there is.
func guide(workload string) func() controller.Policy {
	return func() controller.Policy {
		p, err := policies.Named("guide", workload)
		if err != nil {
			panic(err) // workloads are named in this package and in simulate/plant
		}
		return p
	}
}
