package main

import (
	"os"

	"github.com/spf13/cobra"

	"autotune/internal/demo"
)

// loadCommand is the load generator's process, started by run.
func loadCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "load", Hidden: true, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := demo.ServeLoad(cmd.Context(), os.Stdin, os.Stdout); err != nil {
				return failure{err}
			}
			return nil
		},
	}
	cmd.AddCommand(overheadLoadCommand(), liveOrderSessionCommand())
	return cmd
}
