package main

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"autotune/experiments/live"
	"autotune/internal/demo"
)

const liveHelp = `Measures what each of the guide's twelve switches does to a real service, on each
of its five workloads: p95 and mean latency, CPU time and bytes allocated per
request, resident memory, each with an interval. The demonstration service runs
under load from another process; with and without the switch take turns in
randomized pairs of short blocks. The whole table takes 75 minutes or so.

Every cell is kept as soon as it is measured, in live.jsonl, and the report
(live.md, live.csv) is written anew. An interrupted run is taken up by the same
command. --only measures a part: --only low-latency,high-frequency/enable_cache_optimization`

func liveCommand() *cobra.Command {
	o := live.Options{}
	cmd := &cobra.Command{
		Use: "live", Short: "Measure what each switch does to a real service, on each workload", Long: liveHelp, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runLive(cmd, o) },
	}
	fs := cmd.Flags()
	fs.StringVar(&o.Out, "out", "", "folder for live.html, .json, .md, .csv and .jsonl, created if need be")
	fs.StringSliceVar(&o.Only, "only", nil, "cells to measure: workloads, switches, or WORKLOAD/SWITCH (default all)")
	fs.IntVar(&o.Pairs, "pairs", 20, "pairs of blocks in a cell, at least 8; fewer where blocks are long")
	fs.DurationVar(&o.Block, "block", 750*time.Millisecond, "how long a block is measured, at least 250ms")
	fs.DurationVar(&o.Autopilot, "autopilot", 2*time.Minute, "how long the autopilot works in its own row, at least 1m")
	fs.Float64Var(&o.Rate, "rate", demo.DefaultRate, "mean requests per second")
	fs.Uint64Var(&o.Seed, "seed", 1, "of every coin, row and request")
	return cmd
}

func runLive(cmd *cobra.Command, o live.Options) error {
	var err error
	if o.LoadCommand, err = loadProcess(); err != nil {
		return err
	}
	if err := checkRate(o.Rate); err != nil {
		return err
	}
	o.Exporter, o.Commit = spans, commit()
	began := time.Now()
	out := cmd.OutOrStdout()
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE) // as in run
	o.Tell = func(p live.Progress) { _, _ = fmt.Fprintln(out, liveLine(p, time.Since(began))) }
	err = live.Run(cmd.Context(), o)
	if errors.Is(err, live.ErrFailed) {
		return failure{err}
	}
	if err == nil {
		_, err = fmt.Fprintf(out, "live: done in %v, see %s/live.html\n", time.Since(began).Round(time.Second), o.Out)
	}
	return err
}

// liveLine tells of a cell.
func liveLine(p live.Progress, since time.Duration) string {
	left := ""
	if n := p.Done - p.Resumed; n > 0 && p.Done < p.Of {
		left = fmt.Sprintf(", about %v left", (since / time.Duration(n) * time.Duration(p.Of-p.Done)).Round(time.Minute))
	}
	at := fmt.Sprintf("live: %d of %d cells%s", p.Done, p.Of, left)
	switch {
	case p.Failed != nil:
		return fmt.Sprintf("%s: failed: %s", at, oneLine(p.Failed))
	case p.Last == nil:
		return at
	}
	var effects []string
	pairs := 0
	for _, e := range p.Last.Effects() {
		pairs = max(pairs, e.Pairs)
		name, _ := strings.CutSuffix(string(e.Metric), "_seconds")
		effects = append(effects, fmt.Sprintf("%s %+.1f%% (%+.1f to %+.1f)", name, 100*e.Change, 100*e.Low, 100*e.High))
	}
	return fmt.Sprintf("%s: %s on %s: %s: %s, %d pairs, %.0f s", at, p.Last.Plan.Switch, p.Last.Plan.Workload,
		live.WorthOf(p.Last), strings.Join(effects, ", "), pairs, p.Last.Seconds)
}

// commit is the one that this program was built from, "+" if it was changed
// since; empty if the build does not say.
func commit() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	revision, changed := "", ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			revision = s.Value[:min(len(s.Value), 12)]
		case s.Key == "vcs.modified" && s.Value == "true":
			changed = "+"
		}
	}
	return revision + changed
}
