// Command orders is a pipeline of steps on the executor: an order is checked,
// priced, quoted for shipping by somebody else, and taken. Which of the
// executor's optimizations it is better off with, the autopilot finds out.
//
//	go run ./examples/orders -for 3m
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"math/rand/v2"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/rs/zerolog"

	"autotune"
	"autotune/executor"
	"autotune/sensors"
)

// Order is what comes in.
type Order struct {
	Item  string
	Count int
}

var errNoRoute = errors.New("no route today")

func main() {
	if err := run(); err != nil {
		log.Fatal(err)
	}
}

func run() error {
	last := flag.Duration("for", 0, "how long to run (default until interrupted)")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if *last > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, *last)
		defer cancel()
	}
	return sell(ctx)
}

func sell(ctx context.Context) error {
	logger := zerolog.New(zerolog.ConsoleWriter{Out: os.Stderr})
	pilot, err := autotune.Start(ctx, autotune.Config{
		Executor: executor.Config{EnableAutomaticOptimization: true},
		Offer:    []string{"enable_cache_optimization", "enable_step_optimization", "enable_optimized_error_handling", "enable_circuit_breaker"},
		Grant:    []string{"enable_cache_optimization", "enable_step_optimization", "enable_optimized_error_handling", "enable_circuit_breaker"},
		Logger:   &logger,
	})
	if err != nil {
		return err
	}
	defer pilot.Executor().Close()
	defer pilot.Close()

	price, err := executor.NewStep(pilot.Executor(), executor.StepConfig[Order, int]{
		Name:    "price",
		Results: executor.Pure(), // the same order has the same price: it may be kept, and shared
		Run: func(_ context.Context, o Order) (int, error) {
			cents := 0
			for i := range 200_000 { // discounts are complicated
				cents = (cents*31 + len(o.Item)*o.Count + i) % 10_007
			}
			return cents, nil
		},
	})
	if err != nil {
		return err
	}
	shipping, err := executor.NewStep(pilot.Executor(), executor.StepConfig[Order, int]{
		Name: "shipping", Attempts: 3, Backoff: 5 * time.Millisecond, Timeout: 200 * time.Millisecond,
		Run: func(ctx context.Context, _ Order) (int, error) { // somebody else's service
			select {
			case <-time.After(3 * time.Millisecond):
			case <-ctx.Done():
				return 0, ctx.Err()
			}
			if rand.IntN(20) == 0 {
				return 0, errNoRoute
			}
			return 490, nil
		},
		Fallback: func(context.Context, Order, error) (int, error) { return 990, nil },
	})
	if err != nil {
		return err
	}

	taken := 0
	for tick := time.Tick(5 * time.Millisecond); ctx.Err() == nil; <-tick {
		order := Order{Item: fmt.Sprint("item ", rand.IntN(100)), Count: 1 + rand.IntN(3)}
		if _, err := sensors.Observe(ctx, pilot.Recorder(), func(ctx context.Context) (int, error) {
			cents, err := price.Run(ctx, order)
			if err != nil {
				return 0, err
			}
			freight, err := shipping.Run(ctx, order)
			return cents + freight, err
		}); err == nil {
			taken++
		}
	}
	s := pilot.Status()
	fmt.Printf("%d orders taken; in force at the end, where it differs: %v\n", taken, s.Initial.Diff(s.Safe))
	return nil
}
