package main

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"autotune"
)

// replayCommand computes a journal's decisions again. A difference is a run that
// failed; a journal that cannot be read is bad input.
func replayCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "replay JOURNAL", Short: "Compute a journal's decisions again, and compare", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			sum, err := autotune.Replay(args[0])
			if errors.As(err, new(*autotune.DifferenceError)) {
				return failure{err}
			}
			if err != nil {
				return err
			}
			if asJSON {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(struct {
					Type      string `json:"type"`
					Identical bool   `json:"identical"`
					autotune.Replayed
				}{"replay", true, sum})
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "identical: %d sessions, %d steps, %d records, %d verdicts; %d entries of a session that began before the journal were skipped\n",
				sum.Sessions, sum.Steps, sum.Records, sum.Verdicts, sum.Skipped)
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "one JSON object on stdout")
	return cmd
}
