// Command shop is a service in a module of its own, as yours is: go.mod has the
// two lines that bring the autopilot in.
package main

import (
	"autotune"
	"autotune/executor"
	"autotune/knobs"
	"autotune/sensors"
	"context"
	"flag"
	"fmt"
	"log"
	"time"
)

func main() {
	last := flag.Duration("for", 10*time.Second, "how long to run")
	flag.Parse()
	ctx, cancel := context.WithTimeout(context.Background(), *last)
	defer cancel()
	pilot, err := autotune.Start(ctx, autotune.Config{
		Executor: executor.Config{EnableAutomaticOptimization: true}, Knobs: []knobs.Actuator{knobs.GCPercent()}, Offer: []string{"gc_percent"},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer pilot.Executor().Close()
	defer pilot.Close()
	sold := 0
	for ctx.Err() == nil {
		sold, _ = sensors.Observe(ctx, pilot.Recorder(), func(context.Context) (int, error) {
			time.Sleep(2 * time.Millisecond)
			return sold + 1, nil
		})
	}
	fmt.Println("sold", sold, "and the autopilot is", pilot.Status().Phase)
}
