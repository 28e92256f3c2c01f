package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"autotune/controller"
	"autotune/journal"
	"autotune/policies"
	"autotune/simulate/plant"
	"autotune/simulate/traces"
)

type scenarioFlags struct {
	common            *simulateCommon
	name, rates, keys string
	journal           string
	duration          time.Duration
	rate              float64
}

// scenarioMode runs the controller on a simulated service.
func scenarioMode(common *simulateCommon) simulateMode {
	f := &scenarioFlags{common: common}
	fs := pflag.NewFlagSet("scenario", pflag.ContinueOnError)
	fs.StringVar(&f.name, "scenario", "", "`name` of a simulated service: "+strings.Join(plant.Names(), ", "))
	fs.DurationVar(&f.duration, "duration", time.Hour, "of a run, in virtual time")
	fs.StringVar(&f.rates, "rates", "", "CSV `file` of recorded request rates, whose busiest stretch is scaled to the scenario's mean")
	fs.StringVar(&f.keys, "keys", "", "`file` of recorded keys, for what is asked for most")
	fs.StringVar(&f.journal, "journal", "", "`folder` for the run's journal, for reports and replay")
	fs.Float64Var(&f.rate, "rate", 0, "mean of arrivals, in requests/s (default the scenario's)")
	return simulateMode{flags: fs, shared: []string{"policy", "seeds"}, run: f.run}
}

func (f *scenarioFlags) run(cmd *cobra.Command) error {
	s, err := f.scenario()
	if err != nil {
		return err
	}
	// Another mode has these two as well, with defaults of its own.
	policy, seeds := "guide", 1
	if fs := cmd.Flags(); fs.Changed("policy") {
		policy = fs.Lookup("policy").Value.String()
	}
	if fs := cmd.Flags(); fs.Changed("seeds") {
		if seeds, err = fs.GetInt("seeds"); err != nil || seeds < 1 {
			return fmt.Errorf("seeds %d: must be at least 1", seeds)
		}
	}
	if f.journal != "" && seeds > 1 {
		return fmt.Errorf("journal %s: must be of one run, and --seeds asks for %d", f.journal, seeds)
	}
	lines := json.NewEncoder(os.Stdout)
	for i := range seeds {
		cfg := plant.RunConfig{Scenario: s, Seed: f.common.seed + uint64(i), Duration: f.duration}
		spec, err := policies.Builtin().Spec(policy, s.Workload)
		if err != nil {
			return err
		}
		if cfg.Policy, err = policies.Builtin().New(spec); err != nil {
			return err
		}
		cfg.PolicyName = spec.String()
		if err := cfg.Check(); err != nil {
			return err
		}
		run, err := f.tune(cmd.Context(), cfg)
		if err != nil {
			return err
		}
		if f.common.json {
			err = lines.Encode(run)
		} else {
			_, err = io.WriteString(os.Stdout, describeRun(run))
		}
		if err != nil {
			return failure{fmt.Errorf("output: %w", err)}
		}
	}
	return nil
}

// tune makes a run, and its journal if one is asked for.
func (f *scenarioFlags) tune(ctx context.Context, cfg plant.RunConfig) (*plant.Run, error) {
	var j *journal.Journal
	if f.journal != "" {
		var err error
		if j, err = journal.Open(f.journal, journal.Options{}); err != nil {
			return nil, err
		}
		if j.State() != nil {
			return nil, errors.Join(fmt.Errorf("journal %s: must be empty: a simulated run does not go on from another", f.journal), j.Close())
		}
		cfg.Record = j
	}
	run, err := plant.Tune(ctx, cfg)
	if err != nil {
		err = failure{fmt.Errorf("seed %d: %w", cfg.Seed, err)}
	}
	if j != nil {
		if e := j.Close(); e != nil {
			err = errors.Join(err, failure{fmt.Errorf("journal: %w", e)})
		}
	}
	return run, err
}

// between is an interval of relative changes, for people. Log units without bound
// end at a scale that nobody should read as a figure.
func between(low, high float64) string {
	end := func(v float64) string { return fmt.Sprintf("%+.1f%%", 100*v) }
	const beyond = 1000 // a factor
	switch bounded := high < beyond; {
	case !bounded && 1+low < 1.0/beyond:
		return "not bounded yet"
	case !bounded:
		return end(low) + " or more"
	}
	return end(low) + " to " + end(high)
}

// scenario is the named one, with what was recorded.
func (f *scenarioFlags) scenario() (plant.Scenario, error) {
	s, err := plant.Named(f.name)
	if err != nil {
		return s, err
	}
	if f.rate != 0 {
		if !(f.rate > 0 && f.rate <= 1e6) {
			return s, fmt.Errorf("rate %v: must be above 0 and at most 1e6 requests/s", f.rate)
		}
		s = s.AtRate(f.rate)
	}
	if f.rates != "" {
		r, err := traces.OpenRates(f.rates)
		if err != nil {
			return s, err
		}
		if r = r.Busiest(f.duration); len(r.PerSecond) > 0 {
			if s, err = s.WithRates(r.PerSecond, r.Each); err != nil {
				return s, err
			}
		}
	}
	if f.keys != "" {
		keys, err := traces.OpenKeys(f.keys)
		if err != nil {
			return s, err
		}
		return s.WithKeys(keys)
	}
	return s, nil
}

// describeRun says in a few lines what came of a run.
func describeRun(r *plant.Run) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, seed %d: %.0f requests in %v of virtual time, %d trials in %d pairs of blocks.\n",
		r.Scenario, r.Seed, r.Requests, time.Duration(r.Seconds*1e9).Round(time.Second), r.Evaluations, r.Pairs)
	for _, t := range r.Tried {
		fmt.Fprintf(&b, "  %v  %s %s: %s, %s", time.Duration(t.At*1e9).Round(time.Second), t.Name, t.Move, t.Outcome, t.Reason)
		if t.Pairs > 0 {
			fmt.Fprintf(&b, " (%+.1f%%, %s, in %d pairs)", 100*t.Effect, between(t.Low, t.High), t.Pairs)
		}
		if t.Outcome == controller.Aborted || t.Outcome == controller.Errored {
			b.WriteString(": " + t.Detail)
		}
		b.WriteByte('\n')
	}
	if len(r.Changed) == 0 {
		b.WriteString("Nothing is set otherwise than at first.\n")
	} else {
		b.WriteString("Set otherwise than at first:")
		for _, name := range slices.Sorted(maps.Keys(r.Changed)) {
			fmt.Fprintf(&b, " %s=%g", name, r.Changed[name])
		}
		b.WriteString("\nWhat that truly does, run afresh under the same requests:\n")
		for _, c := range r.Check {
			fmt.Fprintf(&b, "  %s: %.4g instead of %.4g (%+.1f%%)\n", c.Metric, c.Final, c.Initial, 100*c.Effect)
		}
	}
	fmt.Fprintf(&b, "Against leaving everything as it was: %+.4g s of latency in all, %+.4g s of CPU time; in its worse seconds the run cost %.4g s of latency.\n",
		r.LatencyExcessSeconds, r.CPUExcessSeconds, r.HarmSeconds)
	return b.String()
}
