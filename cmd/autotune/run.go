package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"autotune"
	"autotune/controller"
	"autotune/dashboard"
	"autotune/internal/demo"
	"autotune/internal/terminal"
	"autotune/policies"
)

const runHelp = `Starts a real HTTP service on loopback over an embedded database, loads it from
another process, and lets the autopilot improve it: one optimization at a time,
each judged in randomized pairs of blocks. Two of the five offered are controls:
"placebo" does nothing and "harmful" doubles the latency. It ends with an
independent check of the final setting against the initial one.

Workloads: high-allocation, large-context, cpu-intensive, high-frequency,
low-latency. --offer all offers every optimization of the executor, and needs
--duration 12m.`

type runFlags struct {
	demo.RunConfig
	trace, policy     string
	report, dashboard string
	json, verbose     bool
}

func runCommand() *cobra.Command {
	var f runFlags
	cmd := &cobra.Command{
		Use: "run", Short: "Improve a live demonstration service, and prove it", Long: runHelp, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd) },
	}
	fs := cmd.Flags()
	fs.DurationVar(&f.Duration, "duration", demo.DefaultDuration, "of the whole run, check included; at least 100s, and 12m to offer all")
	fs.Float64Var(&f.Rate, "rate", demo.DefaultRate, "mean requests per second")
	fs.StringVar(&f.trace, "trace", "", "CSV `file` of requests per second or minute to replay, scaled to mean --rate from its busiest stretch")
	fs.StringVar(&f.Addr, "addr", demo.DefaultAddr, "loopback address of the service")
	fs.StringVar(&f.policy, "policy", "guide", "what to try next: guide or static")
	fs.StringVar(&f.Workload, "workload", "", "the guide's name of the workload: what is asked of the service, and the order of trials (default an everyday mix)")
	fs.StringSliceVar(&f.Offer, "offer", demo.DefaultOffer(), "optimizations to try, by name, or all")
	fs.IntVar(&f.MaxPairs, "max-pairs", 24, "pairs a trial may take")
	fs.StringVar(&f.Journal, "journal", "", "`folder` of the decision log (default a temporary one)")
	fs.StringVar(&f.report, "report", "", "`file` for a report of the run, also of one that is interrupted: .html, .md, .csv or .json")
	fs.StringVar(&f.dashboard, "dashboard", "", "loopback `address` of a live page, 127.0.0.1:8080 or so (default none)")
	fs.BoolVar(&f.Advise, "advise", false, "change nothing, say what would be tried and why")
	fs.Uint64Var(&f.Seed, "seed", 0, "of every coin, row and request (default random)")
	fs.BoolVar(&f.json, "json", false, "one JSON object per line on stdout")
	fs.BoolVar(&f.verbose, "verbose", false, "log every decision to stderr")
	return cmd
}

func (f *runFlags) run(cmd *cobra.Command) error {
	var err error
	if f.LoadCommand, err = loadProcess(); err != nil {
		return err
	}
	f.Seed = seedOr(f.Seed)
	exporter, end := spans()
	defer end()
	f.Exporter = exporter
	if f.Policy, err = policies.Named(f.policy, f.Workload); err != nil {
		return err
	}
	if len(f.Offer) == 1 && f.Offer[0] == "all" {
		f.Offer = nil
	}
	if err := checkRate(f.Rate); err != nil {
		return err
	}
	if f.MaxPairs < 1 {
		return fmt.Errorf("max-pairs %d: must be at least 1", f.MaxPairs)
	}
	if f.trace != "" {
		if f.Trace, err = demo.ReadTrace(f.trace, f.Rate, int(math.Ceil(f.Duration.Seconds()))); err != nil {
			return err
		}
	}
	if f.report != "" {
		drop, err := f.prepareReport()
		if err != nil {
			return err
		}
		defer drop()
	}
	if f.verbose {
		log := zerolog.New(zerolog.ConsoleWriter{Out: os.Stderr, TimeFormat: time.TimeOnly}).With().Timestamp().Logger()
		f.Configure = func(c *autotune.Config) { c.Logger = &log }
	}
	if f.dashboard != "" {
		listener, err := dashboard.Listen(f.dashboard, nil, false)
		if err != nil {
			return err
		}
		f.OnStart = func(p *autotune.Autopilot, journal string) (func(), error) {
			return serveDashboard(listener, p, journal)
		}
	}
	view := terminal.New(os.Stderr, terminal.Options{Until: time.Now().Add(f.Duration)})
	f.OnStage = view.Stage
	f.OnStatus = view.Show
	// A reader that goes away is an error of the write, not the end of the
	// process: what the run has made is removed first.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	ctx, stop := context.WithCancelCause(cmd.Context())
	defer stop(nil)
	out := json.NewEncoder(os.Stdout)
	if f.json {
		f.OnTrial = func(t controller.Trial) {
			kind := "trial"
			if t.Audit != 0 {
				kind = "rollback"
			}
			err := out.Encode(struct {
				Type string `json:"type"`
				controller.Trial
			}{kind, t})
			if err != nil {
				stop(err)
			}
		}
	}
	summary, err := demo.Run(ctx, f.RunConfig)
	view.Close()
	var reported error
	if f.report != "" {
		reported = f.writeReport(summary)
	}
	switch {
	case errors.Is(err, demo.ErrFailed):
		return failure{err}
	case err != nil:
		return err
	case f.json:
		err = out.Encode(summary)
	default:
		err = summary.WriteText(os.Stdout)
	}
	if err != nil {
		return failure{fmt.Errorf("summary: %w", err)}
	}
	return reported
}

func checkRate(rate float64) error {
	if !(rate > 0 && rate <= demo.MaxRate) {
		return fmt.Errorf("rate %v: must be above 0 and at most %v requests/s", rate, float64(demo.MaxRate))
	}
	return nil
}

// loadProcess is the command that runs the load: this program's own.
func loadProcess() ([]string, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, failure{err}
	}
	return []string{self, "load"}, nil
}

// seedOr is the seed, or one by the clock if there is none.
func seedOr(seed uint64) uint64 {
	for seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	return seed
}
