// Command worker takes rows from a queue in batches. How many rows a batch has, how
// many workers there are and how often garbage is collected are on offer; the goal
// is CPU time a row, and no row may wait for long.
//
//	go run ./examples/worker -for 3m
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/rs/zerolog"

	"autotune"
	"autotune/controller"
	"autotune/executor"
	"autotune/knobs"
	"autotune/sensors"
)

type row struct {
	ID   int       `json:"id"`
	At   time.Time `json:"at"`
	Tags []string  `json:"tags"`
}

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
	return work(ctx)
}

func work(ctx context.Context) error {
	var batch, written atomic.Int64
	batch.Store(4)
	queue := make(chan row, 4096)
	recorder := sensors.NewRecorder()

	workers := knobs.NewWorkers(4, func(ctx context.Context) {
		rows := make([]row, 0, batch.Load())
		for len(rows) < cap(rows) {
			select {
			case r := <-queue:
				rows = append(rows, r)
			case <-ctx.Done():
				return
			}
		}
		request := recorder.Start(rows[0].At) // the oldest has waited since it came
		_, err := json.Marshal(rows)
		time.Sleep(2 * time.Millisecond) // a round trip, for however many rows
		written.Add(int64(len(rows)))
		request.End(err != nil)
	})
	defer workers.Close()

	logger := zerolog.New(zerolog.ConsoleWriter{Out: os.Stderr})
	pilot, err := autotune.Start(ctx, autotune.Config{
		Executor: executor.Config{EnableAutomaticOptimization: true},
		Recorder: recorder,
		Knobs: []knobs.Actuator{
			knobs.Int("batch", "rows", 1, 512, batch.Load, batch.Store).Log(2),
			workers.Knob("workers", 32),
			knobs.GCPercent(),
		},
		Offer:  []string{"batch", "workers", "gc_percent"},
		Goals:  []controller.Goal{{Metric: controller.LatencyP95}, {Metric: controller.CPUPerRequest}},
		Logger: &logger,
	})
	if err != nil {
		return err
	}
	defer pilot.Executor().Close()
	defer pilot.Close()

	for tick, id := time.Tick(time.Millisecond), 0; ctx.Err() == nil; <-tick {
		for range 2 { // rows a millisecond
			id++
			select {
			case queue <- row{id, time.Now(), []string{"new", "paid"}}:
			default: // the queue is full: the row is refused where it came from
			}
		}
	}
	s := pilot.Status()
	fmt.Printf("%d rows written; in force at the end, where it differs: %v\n", written.Load(), s.Initial.Diff(s.Safe))
	return nil
}
