package main

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"autotune/experiments/liveorder"
	"autotune/internal/demo"
)

const liveOrderHelp = `Measures on the demonstration service how soon a session has nine tenths of the
gain there is to have, for good: with the guide, with its fixed order, with a random
order, and with rivals' rules in the place of the decision code. Each session is a
process of its own, under load from another one. A session takes seven minutes and
there are 100: twelve hours one by one, --at-once runs some beside each other.

Every session is kept as soon as it ends, in live-order.jsonl, and the report is
written anew. An interrupted run is taken up by the same command.`

func liveOrderCommand() *cobra.Command {
	o := liveorder.Options{}
	cmd := &cobra.Command{
		Use: "live-order", Short: "Measure how soon a live service has its gain, by what is tried first", Long: liveOrderHelp, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			session, err := loadProcess()
			if err != nil {
				return err
			}
			session = append(session, "order")
			if err := checkRate(o.Rate); err != nil {
				return err
			}
			o.Command, o.Commit = session, commit()
			out, began := cmd.OutOrStdout(), time.Now()
			o.Tell = func(line string) { _, _ = fmt.Fprintln(out, "live-order: "+line) }
			err = liveorder.Run(cmd.Context(), o)
			if errors.Is(err, liveorder.ErrFailed) {
				return failure{err}
			}
			if err == nil {
				_, err = fmt.Fprintf(out, "live-order: done in %v, see %s/live-order.html\n", time.Since(began).Round(time.Second), o.Out)
			}
			return err
		},
	}
	fs := cmd.Flags()
	fs.StringVar(&o.Out, "out", "", "folder for live-order.html, .json, .md, .csv and .jsonl, created if need be")
	fs.StringSliceVar(&o.Only, "only", []string{liveorder.Everyday}, "what to measure: everyday or one of the guide's workloads, or WORKLOAD/ARM")
	fs.IntVar(&o.Seeds, "seeds", 20, "sessions of each arm on each workload")
	fs.DurationVar(&o.Session, "session", 6*time.Minute, "how long each is steered, at least 90s")
	fs.IntVar(&o.Pairs, "pairs", 20, "pairs of blocks by which a setting of the yardstick is compared, at least 8")
	fs.IntVar(&o.CheckPairs, "check-pairs", 12, "pairs of blocks by which the end of a session is compared, at least 8")
	fs.IntVar(&o.AtOnce, "at-once", 1, "sessions beside each other")
	fs.Float64Var(&o.Rate, "rate", demo.DefaultRate, "mean requests per second of each")
	fs.Uint64Var(&o.Seed, "seed", 1, "of every coin, order and request")
	return cmd
}

// liveOrderSessionCommand is the process of one session.
func liveOrderSessionCommand() *cobra.Command {
	return &cobra.Command{
		Use: "order", Hidden: true, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			load, err := loadProcess()
			if err != nil {
				return err
			}
			exporter, end := spans()
			defer end()
			if err := liveorder.Serve(cmd.Context(), os.Stdin, os.Stdout, liveorder.Env{LoadCommand: load, Exporter: exporter}); err != nil {
				return failure{err}
			}
			return nil
		},
	}
}
