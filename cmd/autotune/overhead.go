package main

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"autotune/experiments/overhead"
)

const overheadHelp = `Measures what the autopilot costs a service that embeds it: alone, idle, in a trial
all the time, and with the live page open, in blocks that take turns in an order
drawn for each round; throughput, p99, CPU and allocations a request as ratios with
95 % intervals, and what recording a request adds by itself, in nanoseconds. A
round takes 33 s and the whole 12 min; leave the machine alone meanwhile.`

func overheadCommand() *cobra.Command {
	o := overhead.Options{}
	cmd := &cobra.Command{
		Use: "overhead", Short: "Measure what the autopilot costs a service", Long: overheadHelp, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			load, err := loadProcess()
			if err != nil {
				return err
			}
			load = append(load, "overhead")
			o.LoadCommand, o.Commit = load, commit()
			out := cmd.OutOrStdout()
			o.Tell = func(line string) { _, _ = fmt.Fprintln(out, "overhead: "+line) }
			r, err := overhead.Run(cmd.Context(), o)
			if errors.Is(err, overhead.ErrFailed) {
				return failure{err}
			}
			if err == nil {
				_, err = fmt.Fprintf(out, "overhead: done in %.0f s, see %s/overhead.md\n", r.Seconds, o.Out)
			}
			return err
		},
	}
	fs := cmd.Flags()
	fs.StringVar(&o.Out, "out", "", "folder for overhead.md and .csv, created if need be")
	fs.IntVar(&o.Rounds, "rounds", 21, "rounds, each a block of every arm, at least 6")
	fs.DurationVar(&o.Part, "part", 2250*time.Millisecond, "how long each of a block's two measured parts is, at least 100ms")
	fs.IntVar(&o.Procs, "procs", 1, "processors of the service")
	fs.IntVar(&o.Pairs, "pairs", 20, "pairs of blocks for each way to record a request, at least 8")
	fs.Uint64Var(&o.Seed, "seed", 1, "of every order and schedule")
	return cmd
}

// overheadLoadCommand is the process that makes its load.
func overheadLoadCommand() *cobra.Command {
	return &cobra.Command{
		Use: "overhead", Hidden: true, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := overhead.ServeLoad(cmd.Context(), os.Stdin, os.Stdout); err != nil {
				return failure{err}
			}
			return nil
		},
	}
}
