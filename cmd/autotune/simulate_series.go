package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"autotune/internal/stats"
	"autotune/simulate"
)

type seriesFlags struct {
	simulate.TrialsConfig
	common       *simulateCommon
	path, column string
	group        []string
}

// seriesMode runs trials on a recorded series.
func seriesMode(common *simulateCommon) simulateMode {
	f := &seriesFlags{common: common}
	fs := pflag.NewFlagSet("series", pflag.ContinueOnError)
	fs.StringVar(&f.path, "series", "", "CSV `file` of measurements in order, with a header; plain or under gzip")
	fs.StringVar(&f.column, "column", "", "`name` of the column to judge by")
	fs.StringSliceVar(&f.group, "group", nil, "`columns` each combination of which is a series of its own")
	fs.Float64Var(&f.Effect, "effect", 0, "of the candidate: -0.05 takes 5% off the values")
	fs.IntVar(&f.N, "trials", 1000, "to run")
	fs.IntVar(&f.Block, "block", 1, "values in a block, whose value is their mean")
	fs.IntVar(&f.Workers, "workers", 0, "trials at once (default as many as processors)")
	return simulateMode{flags: fs, shared: []string{"maximize"}, run: f.run}
}

func (f *seriesFlags) run(cmd *cobra.Command) error {
	if f.column == "" {
		return errors.New("column is empty: must name the column to judge by")
	}
	f.Maximize, f.Seed = f.common.maximize, f.common.seed
	if f.Block < 1 { // to the library, 0 is the default
		return fmt.Errorf("block %d: must be at least 1 value", f.Block)
	}
	if err := f.Check(); err != nil {
		return err
	}
	all, err := simulate.OpenSeries(f.path, f.column, f.group...)
	if err != nil {
		return err
	}
	series, unfit := simulate.Usable(all, f.Block)
	if len(series) == 0 {
		return fmt.Errorf("series %s: %s", f.path, some(unfit))
	}
	if len(unfit) > 0 {
		fmt.Fprintf(os.Stderr, "left out %d of %d series: %s\n", len(unfit), len(all), some(unfit))
	}
	clearProgress := f.showProgress(os.Stderr)
	trials, err := simulate.Trials(cmd.Context(), series, f.TrialsConfig)
	clearProgress()
	interrupted := cmd.Context().Err() != nil
	if err != nil && !interrupted {
		return failure{err}
	}
	summary := simulate.Summarize(trials)
	if f.common.json {
		err = json.NewEncoder(os.Stdout).Encode(struct {
			simulate.TrialsSummary
			Interrupted bool `json:"interrupted,omitempty"`
		}{summary, interrupted})
	} else {
		err = f.writeText(os.Stdout, series, summary, interrupted)
	}
	if err != nil {
		return failure{fmt.Errorf("summary: %w", err)}
	}
	return nil
}

// some of the reasons, on one line that can be read.
func some(reasons []string) string {
	const most = 10
	if n := len(reasons) - most; n > 0 {
		return fmt.Sprintf("%s; and %d more", strings.Join(reasons[:most], "; "), n)
	}
	return strings.Join(reasons, "; ")
}

// showProgress counts on a terminal, and nowhere else. The function returned
// wipes the line.
func (f *seriesFlags) showProgress(w *os.File) (wipe func()) {
	if info, err := w.Stat(); err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return func() {}
	}
	f.Progress = func(done int) {
		if step := max(f.N/200, 1); done%step == 0 {
			fmt.Fprintf(w, "\r%d of %d trials", done, f.N)
		}
	}
	return func() { fmt.Fprint(w, "\r\x1b[K") }
}

// writeText says it in a paragraph.
func (f *seriesFlags) writeText(w io.Writer, series []simulate.Recording, s simulate.TrialsSummary, interrupted bool) error {
	var text strings.Builder
	if interrupted {
		fmt.Fprintf(&text, "Interrupted after %d of %d trials. ", s.N, f.N)
	}
	better, candidate := "less is better", "a candidate without any effect"
	if f.Maximize {
		better = "more is better"
	}
	if f.Effect != 0 {
		kind := "loss"
		if (f.Effect > 0) == f.Maximize {
			kind = "gain"
		}
		candidate = fmt.Sprintf("a candidate that changes %s by %+.4g%%, a %s", f.column, 100*f.Effect, kind)
	}
	fmt.Fprintf(&text, "%d trials of %s (%s), on %s, in blocks of %d: %s, %s, %s",
		s.N, candidate, better, describe(series), f.Block,
		share("kept", s.Kept, s.N), share("reverted", s.Reverted, s.N), share("inconclusive", s.Inconclusive, s.N))
	if s.Aborted+s.Errored > 0 {
		fmt.Fprintf(&text, ", %s, %s", share("aborted", s.Aborted, s.N), share("errored", s.Errored, s.N))
	}
	noise := make([]float64, len(series))
	for i, r := range series {
		noise[i] = r.Noise(f.Block)
	}
	middle := stats.Median(noise)
	fmt.Fprintf(&text, "; the median trial took %g pairs. The median pair noise is %.3f", s.MedianPairs, middle)
	if f.Effect != 0 {
		plan := math.Ceil(stats.PlannedPairs(simulate.TrialsAlpha, middle, math.Log1p(f.Effect)))
		fmt.Fprintf(&text, ": about %.0f pairs are to be planned for such an effect", plan)
		if plan > simulate.TrialsMaxPairs {
			fmt.Fprintf(&text, ", and a trial has at most %d", simulate.TrialsMaxPairs)
		}
	}
	text.WriteString(".\n")
	_, err := io.WriteString(w, text.String())
	return err
}

// share of the trials, with its exact 95 % interval.
func share(what string, k, n int) string {
	low, high := stats.Binomial(k, n, 0.95)
	return fmt.Sprintf("%s %d (%.1f%% to %.1f%%)", what, k, 100*low, 100*high)
}

func describe(series []simulate.Recording) string {
	count, least, most := "one", len(series[0].Values), 0
	for _, s := range series {
		least, most = min(least, len(s.Values)), max(most, len(s.Values))
	}
	if len(series) > 1 {
		count = strconv.Itoa(len(series))
	}
	if least == most {
		return fmt.Sprintf("%s series of %d values", count, most)
	}
	return fmt.Sprintf("%s series of %d to %d values", count, least, most)
}
