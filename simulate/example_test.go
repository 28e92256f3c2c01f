package simulate_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"autotune/controller"
	"autotune/policies"
	"autotune/simulate"
)

// The shipped controller, in the shipped loop, tunes a service whose latency
// drifts: one switch makes it a fifth faster, the other does nothing.
func Example() {
	space, offered, initial := simulate.Switches("useful", "useless")
	service, err := simulate.NewService(simulate.ServiceConfig{
		Space: space, Initial: initial, Seed: 1,
		Rate: 200, Load: simulate.Oscillation(time.Hour, 0.3, 0),
		Median: 10 * time.Millisecond, Tail: simulate.Lognormal(0.6),
		Level:    simulate.AR1(rand.New(rand.NewPCG(1, 10)), time.Minute, 0.1),
		CPUNoise: 0.6,
		Effect: func(m simulate.Moment) (e simulate.Effect) {
			if m.Setting.On("useful") {
				e.Latency = -0.22
			}
			return e
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	guide, err := policies.NewGuide("")
	if err != nil {
		fmt.Println(err)
		return
	}
	core, err := controller.New(controller.Config{
		Space: space, Offered: offered, Policy: guide, Seed: 1,
		Budget: controller.Budget{Until: simulate.Epoch().Add(40 * time.Minute)},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	var trace controller.Trace
	if err := controller.Run(context.Background(), service, core, controller.Loop{Record: &trace}); err != nil {
		fmt.Println(err)
		return
	}
	for _, v := range trace.Verdicts()[:2] {
		fmt.Printf("%s %s: %v, %v\n", v.Optimization, v.Move, v.Outcome, v.Reason)
	}
	fmt.Println("in force at the end:", service.Setting())
	gain := -service.Score().Whole.LatencyExcess
	fmt.Println("latency paid is less than without tuning:", gain > 0)
	// Output:
	// useful on: kept, better
	// useless on: inconclusive, no-effect
	// in force at the end: useful=1 useless=0
	// latency paid is less than without tuning: true
}
