package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"autotune/diagnose"
)

const diagnoseHelp = `Goes through a journal, a folder or one segment, with the guide's troubleshooting as
rules: regression after enabling, high memory, high CPU, inconsistent performance,
no metrics, configuration not applied. Each finding has its evidence, a cause, and
what to do next; "nothing found" says what was looked at. The journal may be one
that is being written.

--profile has the sites that CPU time and allocations go to: of a live service that
serves net/http/pprof, by its URL, or of a profile in a file. It goes with a journal,
whose opportunity signals stand beside it, or alone. Like the rest it only looks; the
service pays some 1 % of CPU time while it is profiled.

The exit code is 0 whatever is found; 1 is a service that gives no profile, 2 a
journal or a file that cannot be read.`

func diagnoseCommand() *cobra.Command {
	var asJSON bool
	var where string
	cfg := diagnose.ProfileConfig{}
	cmd := &cobra.Command{
		Use: "diagnose [JOURNAL]", Short: "Say what is wrong, on which evidence, and what to do", Long: diagnoseHelp, Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 && where == "" {
				return errors.New("diagnose: nothing to look at: must have a journal, --profile, or both")
			}
			var parts []part
			if len(args) > 0 {
				d, err := diagnose.Read(args[0])
				if err != nil {
					return err
				}
				parts = append(parts, d)
			}
			if where != "" {
				p, err := profileOf(cmd.Context(), where, cfg)
				if err != nil {
					return err
				}
				parts = append(parts, p)
			}
			for i, p := range parts {
				if i > 0 && !asJSON {
					fmt.Fprintln(cmd.OutOrStdout())
				}
				if err := written(cmd.OutOrStdout(), asJSON, p.WriteJSON, p.WriteText); err != nil {
					return err
				}
			}
			return nil
		},
	}
	fs := cmd.Flags()
	fs.BoolVar(&asJSON, "json", false, "JSON objects, one a line, on stdout")
	fs.StringVar(&where, "profile", "", "`URL` of a service, as http://localhost:6060/debug/pprof, or a file, to profile")
	fs.DurationVar(&cfg.Length, "for", 10*time.Second, "how long to profile a service, in whole seconds up to 5m")
	fs.IntVar(&cfg.Top, "top", 10, "sites to tell of each kind")
	return cmd
}

// part is what diagnose tells of.
type part interface {
	WriteJSON(io.Writer) error
	WriteText(io.Writer) error
}

// profileOf a service, if it is a URL, or in a file. What is asked for wrongly is
// told apart from a service that does not answer.
func profileOf(ctx context.Context, where string, cfg diagnose.ProfileConfig) (*diagnose.Profiled, error) {
	if !strings.Contains(where, "://") {
		return diagnose.ReadProfile(where, cfg)
	}
	p, err := diagnose.ProfileURL(ctx, where, cfg)
	if errors.Is(err, diagnose.ErrNoProfile) {
		err = failure{err}
	}
	return p, err
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
