package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"autotune/internal/demo"
	"autotune/internal/terminal"
)

const validateHelp = `Compares two configurations of the executor on the demonstration service, under
load from another process, in randomized pairs of short blocks. Each of the two
is a YAML file or a preset, as for autotune config.

Exit code 1 says that the candidate is a regression: the interval of a goal (p95
latency, CPU per request, mean latency) is entirely on the worse side.`

type validateFlags struct {
	demo.ValidateConfig
	baseline, candidate string
	json                bool
}

func validateCommand() *cobra.Command {
	var f validateFlags
	cmd := &cobra.Command{
		Use: "validate", Short: "Compare two configurations; exit 1 on a regression", Long: validateHelp, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd) },
	}
	fs := cmd.Flags()
	fs.StringVar(&f.baseline, "baseline", "baseline", "`file` or preset to compare with")
	fs.StringVar(&f.candidate, "candidate", "", "`file` or preset to judge")
	fs.DurationVar(&f.Duration, "duration", 0, "of it all (default what 20 pairs take: a minute or so; four where work is put off)")
	fs.Float64Var(&f.Rate, "rate", demo.DefaultRate, "mean requests per second")
	fs.StringVar(&f.Workload, "workload", "", "the guide's name of the workload to make (default an everyday mix)")
	fs.Uint64Var(&f.Seed, "seed", 0, "of every coin, row and request (default random)")
	fs.BoolVar(&f.json, "json", false, "one line of JSON on stdout")
	return cmd
}

func (f *validateFlags) run(cmd *cobra.Command) error {
	var err error
	if f.LoadCommand, err = loadProcess(); err != nil {
		return err
	}
	f.Seed = seedOr(f.Seed)
	exporter, end := spans()
	defer end()
	f.Exporter = exporter
	if f.candidate == "" {
		return errors.New("candidate is empty: must name a file or a preset")
	}
	if f.Duration < 0 {
		return fmt.Errorf("duration %v: must not be negative", f.Duration)
	}
	if err := checkRate(f.Rate); err != nil {
		return err
	}
	for _, c := range []struct {
		name string
		into *demo.Named
	}{{f.baseline, &f.Baseline}, {f.candidate, &f.Candidate}} {
		c.into.Name = c.name
		if c.into.Config, err = configuration(c.name); err != nil {
			return err
		}
	}
	view := terminal.New(os.Stderr, terminal.Options{})
	f.OnStage = view.Stage
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE) // as in run
	v, err := demo.Validate(cmd.Context(), f.ValidateConfig)
	view.Close()
	switch {
	case errors.Is(err, demo.ErrFailed):
		return failure{err}
	case err != nil:
		return err
	case f.json:
		err = json.NewEncoder(os.Stdout).Encode(v)
	default:
		err = v.WriteText(os.Stdout)
	}
	if err != nil {
		return failure{err}
	}
	if v.Verdict == "worse" {
		return failure{fmt.Errorf("%s is a regression against %s", f.candidate, f.baseline)}
	}
	return nil
}
