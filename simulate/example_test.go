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
		Level:    simulate.AR1(rand.New(rand.NewPCG(1, 10)), time.Minute, 0.2),
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
	for _, v := range trace.Verdicts() {
		fmt.Printf("%s %s: %v, %v, after %d pairs\n", v.Optimization, v.Move, v.Outcome, v.Reason, v.Pairs)
	}
	score := service.Score().Whole
	fmt.Printf("latency paid, against leaving all as it was: %+.0f%%\n", 100*score.LatencyExcess/(score.LatencySeconds-score.LatencyExcess))
	// Output:
	// useful on: kept, better, after 9 pairs
	// useless on: inconclusive, no-effect, after 14 pairs
	// useful off: reverted, worse, after 7 pairs
	// latency paid, against leaving all as it was: -18%
}
