// Command autotune runs the autopilot: on the demonstration service, offline,
// and over its journals. Exit codes: 0 ok, 1 a run that failed, 2 bad usage or
// input, with one line that names the field, the value and the rule.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := rootCommand().ExecuteContext(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "autotune: "+oneLine(err))
		stop()
		os.Exit(exitCode(err)) //nolint:gocritic // stop was called
	}
}

func rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use: "autotune", Short: "An autopilot for Go services",
		SilenceErrors: true, SilenceUsage: true,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		Args: cobra.NoArgs,
	}
	root.AddCommand(runCommand(), validateCommand(), simulateCommand(), experimentCommand(), replayCommand(), reportCommand(), adviseCommand(), diagnoseCommand(), watchCommand(), configCommand(), loadCommand())
	return root
}

// failure is a run that failed, as opposed to one that was asked for wrongly.
type failure struct{ error }

func (f failure) Unwrap() error { return f.error }

func exitCode(err error) int {
	if errors.As(err, new(failure)) {
		return 1
	}
	return 2
}

// oneLine joins what errors.Join puts on lines of their own.
func oneLine(err error) string { return strings.ReplaceAll(err.Error(), "\n", "; ") }
