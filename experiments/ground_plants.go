package experiments

import (
	"context"
	"time"

	"autotune/catalog"
	"autotune/controller"
	"autotune/experiments/rivals"
	"autotune/simulate/plant"
)

const (
	workloadGroup = "workloads"
	numberGroup   = "one number"
	plantHorizon  = 15 * time.Minute
	// failure is what a request that fails costs, in seconds of latency: whoever
	// sent it waits, and asks again.
	failure = 1.0
)

// workloadGrounds are the guide's five workloads with four of its optimizations
// on offer, one for each that it names one for, and the numbers behind them.
func workloadGrounds() []ground {
	switches := []string{catalog.EnableObjectPool, catalog.EnableContext, catalog.EnableConcurrency, catalog.EnableCache}
	var out []ground
	for _, s := range plant.Scenarios() {
		if s.Workload == "" {
			continue
		}
		g := ground{group: workloadGroup, name: s.Name, doc: s.For, horizon: plantHorizon, unit: "latency"}
		var offered []controller.Optimization
		starts := map[string]float64{}
		for _, o := range s.Offered {
			for _, name := range switches {
				if o.Switch == name {
					offered = append(offered, o)
					for knob, v := range catalog.Start(o, func(controller.Metric) (float64, bool) { return 0, false }) {
						starts[knob] = v
					}
				}
			}
		}
		plantGround(&g, s, offered, "")
		g.static = func(*play) []controller.Setting { // on means with the numbers that the guide starts with
			either := map[string][]float64{}
			for _, name := range switches {
				either[name] = []float64{0, 1}
			}
			all := corners(s.Initial().With(starts), either, switches...)
			return append(all, s.Initial())
		}
		out = append(out, g)
	}
	return out
}

// numberGrounds have one number to turn, of an optimization that is on.
func numberGrounds() []ground {
	var out []ground
	for _, n := range []struct {
		scenario, on, knob string
		turns              rivals.Turns
	}{
		{"overload", catalog.EnableConcurrency, catalog.MaxConcurrentExecutions, rivals.Concurrency},
		{"cpu-intensive", catalog.EnableConcurrency, catalog.MaxConcurrentExecutions, rivals.Concurrency},
		{"memory-constrained", catalog.EnableCache, catalog.CacheSize, rivals.Share},
		{"high-frequency", catalog.EnableCache, catalog.CacheSize, rivals.Share},
	} {
		s, err := plant.Named(n.scenario)
		if err != nil {
			continue // the list of cells would lack it, which a test sees
		}
		s.Config.Initial = controller.SettingOf(s.Config.Initial).With(map[string]float64{n.on: 1}).Map()
		g := ground{
			group: numberGroup, name: n.knob + ", " + s.Name, doc: s.For, horizon: plantHorizon, unit: "latency", turns: n.turns,
		}
		var offered []controller.Optimization
		for _, o := range s.Offered {
			if o.Switch == n.on { // the number alone: its switch is not on offer
				offered = append(offered, controller.Optimization{
					Name: n.knob, Why: o.Why, Knobs: []string{n.knob}, Needs: o.Needs, Equivalence: o.Equivalence, MayDiffer: o.MayDiffer, Granted: o.Granted,
				})
			}
		}
		plantGround(&g, s, offered, n.knob)
		g.static = func(p *play) []controller.Setting {
			k, _ := p.space.Knob(n.knob)
			was, _ := s.Initial().Get(n.knob)
			return corners(s.Initial(), map[string][]float64{n.knob: grid(k, 9, was)}, n.knob)
		}
		out = append(out, g)
	}
	return out
}

// plantGround lets a scenario of simulate/plant be played on.
func plantGround(g *ground, s plant.Scenario, offered []controller.Optimization, knob string) {
	s.Config.Horizon = g.horizon
	untuned := &onces[uint64, []paidFor]{}
	g.scene = func(seed uint64) (meeting, play, error) {
		service, err := s.Start(seed)
		if err != nil {
			return meeting{}, play{}, err
		}
		unchanged := untuned.get(seed, func() []paidFor { return leftAlone(s, seed, g.horizon) })
		m := meeting{stage: stage{target: &watched{Service: service}, initial: s.Initial()}}
		m.age = service.Age
		m.books = func() (cost, excess float64) {
			is, was := billOf(service), unchanged[min(int(m.age()/paidEvery), len(unchanged)-1)]
			return is.latency + failure*is.failed, is.latency - was.latency + failure*(is.failed-was.failed)
		}
		p := play{
			space: service.Space(), knob: knob, offered: offered, goals: controller.DefaultGoals(), seed: seed, openLoop: true,
			guards: []controller.Guard{
				{Metric: controller.MemoryRatio, Limit: 0.95},
				{Metric: controller.ErrorRatio, Limit: 0.25, MinRequests: 50},
				{Metric: controller.OldestInFlight, Limit: 30},
			},
			timing: controller.Timing{Washout: time.Second, Measure: 5 * time.Second, Tick: 250 * time.Millisecond},
			until:  epoch().Add(g.horizon), policy: guide(s.Workload),
		}
		if s.Workload != "" { // as the demonstration, whose knobs act at once
			p.timing = controller.Timing{Washout: 250 * time.Millisecond, Measure: time.Second, Tick: 125 * time.Millisecond}
		}
		return m, p, nil
	}
}

// paidFor is what a service has cost: seconds of latency, and requests that failed.
type paidFor struct{ latency, failed float64 }

func billOf(s *plant.Service) paidFor {
	c := s.Counts()
	return paidFor{s.Bill().LatencySeconds, float64(c.Failed + c.Rejected)}
}

// paidEvery is how often it is noted what doing nothing costs: every tick ends
// at a multiple of it.
const paidEvery = 125 * time.Millisecond

// leftAlone is what it has cost at each multiple of paidEvery, if nothing is done.
func leftAlone(s plant.Scenario, seed uint64, d time.Duration) []paidFor {
	service, err := s.Start(seed)
	if err != nil {
		return []paidFor{{}}
	}
	out := []paidFor{{}}
	for range int(d/paidEvery) + 8 {
		if _, err := service.Observe(context.Background(), 0, paidEvery); err != nil {
			break
		}
		out = append(out, billOf(service))
	}
	return out
}
