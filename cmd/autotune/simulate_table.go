package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"autotune/controller"
	"autotune/policies"
	"autotune/simulate/table"
)

type tableFlags struct {
	table.Config
	common                               *simulateCommon
	path, defaults, policy, judge, order string
	invalid, knobs                       []string
	evaluations, seeds                   int
}

// tableMode searches a measured table.
func tableMode(common *simulateCommon) simulateMode {
	f := &tableFlags{common: common}
	fs := pflag.NewFlagSet("table", pflag.ContinueOnError)
	fs.StringVar(&f.path, "table", "", "CSV `file` of measured configurations, with a header; plain or under gzip")
	fs.StringSliceVar(&f.Metrics, "metric", nil, "`columns` of the results, * for any text; several are repeats")
	fs.StringVar(&f.SD, "sd", "", "`column` of the standard deviation of a single result")
	fs.StringVar(&f.RelativeSD, "relative-sd", "", "`column` of the same as a share of the result")
	fs.StringSliceVar(&f.Ignore, "ignore", nil, "`columns` that are no knobs")
	fs.StringVar(&f.Environment, "environment", "", "`column` of releases, workloads or machines; or the columns of --metric, if each is one")
	fs.StringSliceVar(&f.At, "at", nil, "`environments` to go through in turn (default all)")
	fs.StringVar(&f.defaults, "default", "", "CSV `file` with the configuration to start from (default another for each seed)")
	fs.StringSliceVar(&f.invalid, "invalid", nil, "`results` that mark what does not work, as an empty one does")
	fs.StringSliceVar(&f.knobs, "knob", nil, "`name=kind`: switch, int, float or enum, where the values do not tell")
	fs.StringVar(&f.order, "repeats", "random", "how repeats are drawn: random, with replacement, or in their `order`")
	fs.StringVar(&f.policy, "policy", "greedy", "what to try: "+strings.Join(policies.OfflineNames(), ", "))
	fs.IntVar(&f.evaluations, "evaluations", 100, "candidates to try in a run")
	fs.IntVar(&f.seeds, "seeds", 20, "runs, of --seed and those after it")
	fs.StringVar(&f.judge, "judge", "sequential", "who decides: sequential (the shipped controller) or exact (true values)")
	return simulateMode{flags: fs, shared: []string{"maximize"}, run: f.run}
}

func (f *tableFlags) run(cmd *cobra.Command) error {
	cfg, err := f.config()
	if err != nil {
		return err
	}
	t, err := table.Open(f.path, f.Config)
	if err != nil {
		return err
	}
	if f.defaults != "" {
		var notes []string
		if cfg.Start, notes, err = t.OpenDefault(f.defaults); err != nil {
			return err
		}
		tell(os.Stderr, notes)
	}
	if cfg.Policy, err = f.newPolicy(t); err != nil {
		return err
	}
	if err := cfg.Check(t); err != nil {
		return fmt.Errorf("table %s: %w", f.path, err)
	}
	tell(os.Stderr, t.Notes())
	runs, err := f.runs(cmd, t, cfg)
	if err != nil {
		return failure{err}
	}
	if !f.common.json {
		_, err = io.WriteString(os.Stdout, table.Describe(t, cfg, f.policy, strings.Join(f.Metrics, ", "), runs))
	}
	if err != nil {
		return failure{fmt.Errorf("summary: %w", err)}
	}
	return nil
}

func tell(w io.Writer, notes []string) {
	for _, n := range notes {
		fmt.Fprintln(w, "note: "+n)
	}
}

// config puts the flags together, and reports the first that is wrong.
func (f *tableFlags) config() (cfg table.RunConfig, err error) {
	cfg = table.RunConfig{Evaluations: f.evaluations, Start: -1}
	if f.seeds < 1 {
		return cfg, fmt.Errorf("seeds %d: must be at least 1", f.seeds)
	}
	if f.evaluations < 1 {
		return cfg, fmt.Errorf("evaluations %d: must be at least 1", f.evaluations)
	}
	if cfg.Judge, err = table.JudgeNamed(f.judge); err != nil {
		return cfg, err
	}
	switch f.order {
	case "order":
		cfg.Order = table.InOrder
	case "random":
		cfg.Order = table.Resampled
	default:
		return cfg, fmt.Errorf("repeats %q: must be one of order, random", f.order)
	}
	for _, text := range f.invalid {
		v, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return cfg, fmt.Errorf("invalid %q: must be a number", text)
		}
		f.Invalid = append(f.Invalid, v)
	}
	f.Knobs = map[string]controller.Kind{}
	kinds := map[string]controller.Kind{
		"switch": controller.Switch, "int": controller.Int, "float": controller.Float, "enum": controller.Enum,
	}
	for _, text := range f.knobs {
		at := strings.LastIndex(text, "=")
		if at < 1 || kinds[text[at+1:]] == 0 {
			return cfg, fmt.Errorf("knob %q: must be name=kind, the kind one of switch, int, float, enum", text)
		}
		f.Knobs[text[:at]] = kinds[text[at+1:]]
	}
	f.Maximize = f.common.maximize
	return cfg, f.Check()
}

func (f *tableFlags) newPolicy(t *table.Table) (controller.Policy, error) {
	return policies.Offline(f.policy, policies.Pool{Len: t.Len(), At: t.Setting})
}

// runs has one run for each seed, and tells of each as it ends.
func (f *tableFlags) runs(cmd *cobra.Command, t *table.Table, cfg table.RunConfig) (out []table.Run, err error) {
	lines := json.NewEncoder(os.Stdout)
	for i := range f.seeds {
		cfg.Seed = f.common.seed + uint64(i)
		if cfg.Policy, err = f.newPolicy(t); err != nil {
			return out, err
		}
		run, err := t.Run(cmd.Context(), cfg)
		if cmd.Context().Err() != nil {
			return out, errors.New("interrupted after " + strconv.Itoa(i) + " of " + strconv.Itoa(f.seeds) + " runs")
		}
		if err != nil {
			return out, fmt.Errorf("seed %d: %w", cfg.Seed, err)
		}
		out = append(out, *run)
		if f.common.json {
			if err := lines.Encode(run); err != nil {
				return out, err
			}
		}
	}
	return out, nil
}
