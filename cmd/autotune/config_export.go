package main

import (
	"github.com/spf13/cobra"

	"autotune/diagnose"
)

// exportCommand writes the kept setting of a journal as a configuration file.
func exportCommand(asJSON *bool) *cobra.Command {
	var kept bool
	cmd := &cobra.Command{
		Use: "export JOURNAL", Short: "Write what a journal kept as YAML, each value with its reason", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			x, err := diagnose.Export(args[0])
			if err == nil && kept {
				x, err = x.Moved()
			}
			if err != nil {
				return err
			}
			return written(cmd.OutOrStdout(), *asJSON, x.WriteJSON, x.WriteYAML)
		},
	}
	cmd.Flags().BoolVar(&kept, "kept", false, "only what was kept, pinned, or moved by hand")
	return cmd
}
