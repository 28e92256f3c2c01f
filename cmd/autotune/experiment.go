package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"autotune/experiments"
)

// experimentCommand runs the simulated experiments. A claim that does not hold,
// and an interruption, are runs that failed.
func experimentCommand() *cobra.Command {
	o := experiments.Options{}
	cmd := &cobra.Command{
		Use:   "experiment NAME|all|list|live|live-order|overhead",
		Short: "Run simulated experiments on the decision code, beside rival rules, or live ones",
		Long: `Run simulated experiments on the decision code, beside rival rules, and write
a report of each: one HTML page, the same as Markdown, CSV and JSON. An interrupted
run is taken up by the same command; results of other code, another seed or other
parameters are not used.

experiment live measures the demonstration service instead, experiment live-order how
soon it has its gain, and experiment overhead what the autopilot costs a service: each
has a --help of its own.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if args[0] == "list" {
				return listExperiments(cmd.OutOrStdout())
			}
			todo, err := experimentsNamed(args[0])
			if err != nil {
				return err
			}
			if o.Workers < 1 {
				return fmt.Errorf("workers %d: must be at least 1", o.Workers)
			}
			if o.Out == "" {
				return errors.New("out is empty: must name a folder for the reports")
			}
			if o.Build, err = buildID(); err != nil {
				return failure{err}
			}
			return runExperiments(cmd.Context(), todo, args[0] == "all", o, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	cmd.AddCommand(liveCommand(), liveOrderCommand(), overheadCommand())
	cmd.Flags().StringVar(&o.Out, "out", "", "folder for NAME.html, .md, .csv and .json, created if need be")
	cmd.Flags().IntVar(&o.Workers, "workers", runtime.GOMAXPROCS(0), "trials at once")
	cmd.Flags().BoolVar(&o.Short, "short", false, "ask the same of fewer trials")
	cmd.Flags().Uint64Var(&o.Seed, "seed", 1, "seed of all trials")
	return cmd
}

func listExperiments(w io.Writer) error {
	for _, e := range experiments.All() {
		if _, err := fmt.Fprintf(w, "%-8s %s\n", e.Name, e.Doc); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(w, "%-8s %s\n%-8s %s\n%-8s %s\n", "live", "What each of the guide's switches does to a real service, on each of its workloads.",
		"live-order", "How soon a real service has nine tenths of its gain, by what is tried first and by who judges.",
		"overhead", "What the autopilot costs a real service: alone, idle, in a trial, with the page open.")
	return err
}

func experimentsNamed(name string) ([]experiments.Experiment, error) {
	var names []string
	for _, e := range experiments.All() {
		if e.Name == name {
			return []experiments.Experiment{e}, nil
		}
		names = append(names, e.Name)
	}
	if name == "all" {
		return experiments.All(), nil
	}
	return nil, fmt.Errorf("experiment %q: must be one of %s, all, list, live, live-order, overhead", name, strings.Join(names, ", "))
}

// runExperiments runs them one after the other. One without its data is skipped
// if it was not asked for by name.
func runExperiments(ctx context.Context, todo []experiments.Experiment, skip bool, o experiments.Options, out, progress io.Writer) error {
	var failed []string
	for _, e := range todo {
		line := &progressLine{to: progress, began: time.Now()}
		o.Progress = line.tell
		report, err := experiments.Run(ctx, e, o)
		line.clear()
		if skip && errors.Is(err, experiments.ErrNoData) {
			if _, err := fmt.Fprintf(out, "%s: skipped: %v\n", e.Name, err); err != nil {
				return failure{err}
			}
			continue
		}
		if err != nil {
			return failure{err}
		}
		for _, c := range report.Claims {
			holds := "holds "
			if !c.Holds {
				holds = "FAILS "
				failed = append(failed, e.Name+": "+c.Text)
			}
			if _, err := fmt.Fprintf(out, "%s: %s %s: %s\n", e.Name, holds, c.Text, c.Figure); err != nil {
				return failure{err}
			}
		}
		if _, err := fmt.Fprintf(out, "%s: done in %v, see %s/%s.html\n", e.Name, time.Since(line.began).Round(time.Second), o.Out, e.Name); err != nil {
			return failure{err}
		}
	}
	if len(failed) > 0 {
		return failure{fmt.Errorf("%d claims do not hold: %s", len(failed), strings.Join(failed, "; "))}
	}
	return nil
}

// progressLine draws over itself on a terminal, every second; elsewhere it adds
// a line every half minute.
type progressLine struct {
	to    io.Writer
	began time.Time
	drawn time.Time
}

func (l *progressLine) tell(p experiments.Progress) {
	start, end, every := "\r\x1b[K", "", time.Second
	if !isTerminal(l.to) {
		start, end, every = "", "\n", 30*time.Second
	}
	now := time.Now()
	if now.Sub(l.drawn) < every {
		return
	}
	l.drawn = now
	rate := float64(p.Done-p.Resumed) / max(now.Sub(l.began).Seconds(), 1e-3)
	left := ""
	if rate > 0 {
		left = fmt.Sprintf(", %.0f/s, %v left", rate, time.Duration(float64(p.Of-p.Done)/rate*float64(time.Second)).Round(time.Second))
	}
	fmt.Fprintf(l.to, "%s%s: %d of %d trials%s%s", start, p.Experiment, p.Done, p.Of, left, end)
}

func (l *progressLine) clear() {
	if isTerminal(l.to) {
		fmt.Fprint(l.to, "\r\x1b[K")
	}
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// buildID is a hash of this program: other code makes another.
func buildID() (string, error) {
	path, err := os.Executable()
	if err != nil {
		return "", err
	}
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", fmt.Errorf("read %s: %w", path, err)
	}
	return fmt.Sprintf("%x", h.Sum(nil)[:8]), nil
}
