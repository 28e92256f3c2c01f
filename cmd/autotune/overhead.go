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
all the time, and with the live page open: a process each, which take turns in short
blocks in a random order, over several generations of processes; throughput, p99, CPU
and allocations a request as ratios with 95 % intervals, and what recording a request
adds by itself, in nanoseconds. The whole takes some 18 min; leave the machine alone
meanwhile. Linux only, with two processors or more.`

func overheadCommand() *cobra.Command {
	o, check := overhead.Options{}, false
	cmd := &cobra.Command{
		Use: "overhead", Short: "Measure what the autopilot costs a service", Long: overheadHelp, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			process, err := loadProcess()
			if err != nil {
				return err
			}
			process = append(process, "overhead")
			if o.Command, o.Commit = process, commit(); check {
				o.Arms = overhead.CheckArms()
			}
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
	fs.BoolVar(&check, "check", false, "check the instrument: the service alone, its twin, and one with a tenth of its work twice")
	fs.IntVar(&o.Generations, "generations", 16, "generations of freshly started processes, at least 6")
	fs.IntVar(&o.Rounds, "rounds", 36, "rounds of a generation, each a block of every arm")
	fs.DurationVar(&o.Part, "part", 150*time.Millisecond, "how long each of a block's two parts is, at least 20ms")
	fs.DurationVar(&o.TrialBlock, "trial-block", 5*time.Second, "how long a trial's blocks are, at least 100ms; an autopilot's default is 5s")
	fs.IntVar(&o.Procs, "procs", 1, "processors of the services, less than there are")
	fs.IntVar(&o.Pairs, "pairs", 20, "pairs of blocks for each way to record a request, at least 8")
	fs.Uint64Var(&o.Seed, "seed", 1, "of every order and schedule")
	return cmd
}

// overheadProcessCommand is one of its processes, a service or the load.
func overheadProcessCommand() *cobra.Command {
	return &cobra.Command{
		Use: "overhead", Hidden: true, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := overhead.Serve(cmd.Context(), os.Stdin, os.Stdout); err != nil {
				return failure{err}
			}
			return nil
		},
	}
}
