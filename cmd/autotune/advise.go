package main

import (
	"github.com/spf13/cobra"

	"autotune"
)

const adviseHelp = `Writes the proposals of a journal as a page to review: what would be tried and
why, on which evidence, the exact setting, what was said to it, and how to approve
it. The journal is that of a service in advise mode, and may be in use: a folder, or
one segment.`

// adviseCommand writes what waits for approval. A journal that cannot be read is
// bad input.
func adviseCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "advise JOURNAL", Short: "Write the proposals of advise mode as a page to review", Long: adviseHelp, Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			review, err := autotune.ReadReview(args[0])
			if err != nil {
				return err
			}
			if asJSON {
				return review.WriteJSON(cmd.OutOrStdout())
			}
			return review.WriteMarkdown(cmd.OutOrStdout())
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "one JSON object a line on stdout")
	return cmd
}
