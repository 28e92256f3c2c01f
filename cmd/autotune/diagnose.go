package main

import (
	"io"

	"github.com/spf13/cobra"

	"autotune/diagnose"
)

const diagnoseHelp = `Goes through a journal, a folder or one segment, with the guide's troubleshooting as
rules: regression after enabling, high memory, high CPU, inconsistent performance,
no metrics, configuration not applied. Each finding has its evidence, a cause, and
what to do next; "nothing found" says what was looked at. The journal may be one
that is being written.

The exit code is 0 whatever is found; 2 is a journal that cannot be read.`

func diagnoseCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "diagnose JOURNAL", Short: "Say what is wrong, on which evidence, and what to do", Long: diagnoseHelp, Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			d, err := diagnose.Read(args[0])
			if err != nil {
				return err
			}
			return written(cmd.OutOrStdout(), asJSON, d.WriteJSON, d.WriteText)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "JSON objects, one a line, on stdout")
	return cmd
}

// written tells something as JSON or as text; what does not get out is a failure.
func written(w io.Writer, asJSON bool, lines, text func(io.Writer) error) error {
	write := text
	if asJSON {
		write = lines
	}
	if err := write(w); err != nil {
		return failure{err}
	}
	return nil
}
