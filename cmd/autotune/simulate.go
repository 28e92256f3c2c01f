package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

const simulateHelp = `Runs the shipped controller offline.

--series FILE: trials on a recorded series of measurements, in its own order. A
candidate in force multiplies the values by 1+E: with --effect 0 each keep is a
false one, otherwise the rates say how often, and how soon, such a change would
have been found under the noise that was recorded.

--table FILE: a search among measured configurations, a row each. Every column that
is not a metric, a standard deviation, an environment or ignored is a knob; columns
that always sum to 1 are one. One line for each seed, or their summary.

--scenario NAME: the guide's policy on a simulated service, in which requests
wait, for hours of virtual time in seconds. A line says what was tried and kept,
and what the setting that it ended with truly does. --rates and --keys let it get
recorded requests.`

// simulateMode is one kind of thing to simulate. The flag that chooses it has
// its name and says where the input is.
type simulateMode struct {
	flags *pflag.FlagSet
	// shared names the flags that it has in common with other modes.
	shared []string
	run    func(*cobra.Command) error
}

// simulateCommon are the flags that more than one mode has.
type simulateCommon struct {
	json, maximize bool
	seed           uint64
}

func simulateCommand() *cobra.Command {
	common := &simulateCommon{}
	modes := []simulateMode{seriesMode(common), tableMode(common), scenarioMode(common)}
	cmd := &cobra.Command{
		Use: "simulate " + choices(modes, "|") + " ...", Short: "Run the controller offline", Long: simulateHelp, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			m, err := chosen(cmd.Flags(), modes)
			if err != nil {
				return err
			}
			return m.run(cmd)
		},
	}
	fs := cmd.Flags()
	fs.BoolVar(&common.json, "json", false, "JSON on stdout, an object a line")
	fs.Uint64Var(&common.seed, "seed", 1, "of everything that is left to chance")
	fs.BoolVar(&common.maximize, "maximize", false, "more is better (default: less)")
	for _, m := range modes {
		fs.AddFlagSet(m.flags)
	}
	return cmd
}

func choices(modes []simulateMode, sep string) string {
	var names []string
	for _, m := range modes {
		names = append(names, "--"+m.flags.Name())
	}
	return strings.Join(names, sep)
}

// chosen is the one mode whose flag was given. A flag of another mode would be
// silently ignored, so it is refused.
func chosen(given *pflag.FlagSet, modes []simulateMode) (simulateMode, error) {
	var found []simulateMode
	for _, m := range modes {
		if given.Changed(m.flags.Name()) {
			found = append(found, m)
		}
	}
	if len(found) != 1 {
		return simulateMode{}, fmt.Errorf("%d inputs given: must be exactly one of %s", len(found), choices(modes, ", "))
	}
	m := found[0]
	var err error
	given.Visit(func(f *pflag.Flag) {
		always := f.Name == "json" || f.Name == "seed" || f.Name == "help"
		if err == nil && !always && m.flags.Lookup(f.Name) == nil && !slices.Contains(m.shared, f.Name) {
			err = fmt.Errorf("--%s: is no flag of simulate --%s", f.Name, m.flags.Name())
		}
	})
	return m, err
}
