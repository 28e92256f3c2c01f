package simulate

import (
	"fmt"
	"testing"
	"time"

	"autotune/controller"
)

// BenchmarkTrial is a whole trial without an effect, from the baseline to the
// verdict, through the shipped controller and loop: what an experiment pays.
func BenchmarkTrial(b *testing.B) {
	tail := Lognormal(0.6)
	for _, blocks := range []bool{true, false} {
		b.Run(fmt.Sprintf("blocks=%v", blocks), func(b *testing.B) {
			pairs, n := 0, uint64(0)
			for b.Loop() {
				n++
				service := newService(b, ServiceConfig{
					Seed: n, Rate: 50, Tail: tail, CPUNoise: 0.6, Blocks: blocks, Level: AR1(seeded(n), 30*time.Second, 0.1),
				})
				_, offered, _ := Switches("x")
				core, err := controller.New(controller.Config{
					Space: service.Space(), Offered: offered, Policy: &once{}, Seed: n,
					Timing: controller.Timing{Washout: time.Second, Measure: 5 * time.Second, Tick: 5 * time.Second},
				})
				if err != nil {
					b.Fatal(err)
				}
				ended := &untilVerdict{Controller: core}
				if err := controller.Run(ctx, service, ended, controller.Loop{}); err != nil {
					b.Fatal(err)
				}
				pairs += ended.pairs
			}
			b.ReportMetric(float64(pairs)/float64(n), "pairs/op")
		})
	}
}

// untilVerdict ends the loop with the first verdict.
type untilVerdict struct {
	*controller.Controller
	pairs int
}

func (u *untilVerdict) Step(in controller.Input) controller.Command {
	cmd := u.Controller.Step(in)
	for _, r := range cmd.Records {
		if r.Kind == controller.RecordVerdict {
			u.pairs, cmd.Done = r.Trial.Pairs, true
		}
	}
	return cmd
}
