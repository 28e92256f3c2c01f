package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"autotune/catalog"
	"autotune/executor"
)

const configHelp = `Configurations of the executor: YAML files with the guide's names, and the guide's
presets. Where NAME or FILE is asked for, either will do: a preset, a preset with
overlays ("high-frequency+memory-constrained"), or the path of a file.`

func configCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "config", Short: "List, show, check, compare and export configurations", Long: configHelp,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		Args: cobra.NoArgs,
	}
	asJSON := cmd.PersistentFlags().Bool("json", false, "JSON objects, one a line, on stdout")
	add := func(use, short string, args cobra.PositionalArgs, run func(w io.Writer, asJSON bool, args []string) error) {
		cmd.AddCommand(&cobra.Command{
			Use: use, Short: short, Args: args,
			RunE: func(cmd *cobra.Command, args []string) error { return run(cmd.OutOrStdout(), *asJSON, args) },
		})
	}
	add("list", "List the presets", cobra.NoArgs, listPresets)
	add("show NAME", "Show a whole configuration as YAML, with ranges", cobra.ExactArgs(1), showConfig)
	add("check FILE", "Report everything that is wrong with a file; exit 2 if anything is", cobra.ExactArgs(1), checkConfig)
	add("diff A B", "Show what changes from one configuration to another", cobra.ExactArgs(2), diffConfigs)
	cmd.AddCommand(exportCommand(asJSON))
	add("schema", "Print the JSON Schema of a configuration file", cobra.NoArgs, printSchema)
	return cmd
}

// configuration returns the preset of that name, or reads the file.
func configuration(name string) (executor.Config, error) {
	c, err := executor.Preset(name)
	if err == nil {
		return c, nil
	}
	c, fileErr := executor.LoadFile(name)
	if errors.Is(fileErr, os.ErrNotExist) && !strings.ContainsAny(name, "./"+string(filepath.Separator)) {
		return c, err // it was meant to be a preset
	}
	return c, fileErr
}

func listPresets(w io.Writer, asJSON bool, _ []string) error {
	lines := json.NewEncoder(w)
	for _, p := range catalog.Presets() {
		c, err := executor.Preset(p.Name)
		if err != nil {
			return failure{err}
		}
		changes := executor.Diff(executor.Defaults(), c)
		if asJSON {
			err = lines.Encode(struct {
				Type    string                `json:"type"`
				Name    string                `json:"name"`
				For     string                `json:"for"`
				Overlay bool                  `json:"overlay"`
				Changes []executor.Difference `json:"changes"`
			}{"preset", p.Name, p.For, p.Overlay, append([]executor.Difference{}, changes...)})
		} else {
			err = writePreset(w, p, changes)
		}
		if err != nil {
			return failure{err}
		}
	}
	return nil
}

func writePreset(w io.Writer, p catalog.Preset, changes []executor.Difference) error {
	kind := ""
	if p.Overlay {
		kind = " (overlay)"
	}
	_, err := fmt.Fprintf(w, "%-19s %s%s\n", p.Name, p.For, kind)
	for _, d := range changes {
		if err == nil {
			_, err = fmt.Fprintf(w, "%-19s   %s: %s\n", "", d.Field, d.To)
		}
	}
	return err
}

func showConfig(w io.Writer, asJSON bool, args []string) error {
	c, err := configuration(args[0])
	if err != nil {
		return err
	}
	if asJSON {
		err = json.NewEncoder(w).Encode(struct {
			Type   string          `json:"type"`
			Name   string          `json:"name"`
			Config executor.Config `json:"config"`
		}{"config", args[0], c})
	} else {
		err = c.Save(w)
	}
	if err != nil {
		return failure{err}
	}
	return nil
}

// checkConfig tells each fault on a line of its own; what is an error for the
// exit code is their number, or the only one there is.
func checkConfig(w io.Writer, asJSON bool, args []string) error {
	_, err := executor.LoadFile(args[0])
	faults := executor.Faults(err)
	if asJSON && (err == nil || len(faults) > 0) {
		lines := json.NewEncoder(w)
		for _, f := range faults {
			if err := lines.Encode(struct {
				Type string `json:"type"`
				*executor.Fault
			}{"fault", f}); err != nil {
				return failure{err}
			}
		}
		if err := lines.Encode(struct {
			Type   string `json:"type"`
			File   string `json:"file"`
			OK     bool   `json:"ok"`
			Faults int    `json:"faults"`
		}{"check", args[0], err == nil, len(faults)}); err != nil {
			return failure{err}
		}
	}
	if err == nil && !asJSON {
		if _, err := fmt.Fprintf(w, "%s: ok\n", args[0]); err != nil {
			return failure{err}
		}
	}
	if len(faults) < 2 {
		return err
	}
	if !asJSON {
		for _, f := range faults {
			fmt.Fprintln(os.Stderr, f)
		}
	}
	return fmt.Errorf("%s: %d faults", args[0], len(faults))
}

func diffConfigs(w io.Writer, asJSON bool, args []string) error {
	var both [2]executor.Config
	var err error
	for i, name := range args {
		if both[i], err = configuration(name); err != nil {
			return err
		}
	}
	for _, d := range executor.Diff(both[0], both[1]) {
		if asJSON {
			err = json.NewEncoder(w).Encode(struct {
				Type string `json:"type"`
				executor.Difference
			}{"difference", d})
		} else {
			_, err = fmt.Fprintln(w, d)
		}
		if err != nil {
			return failure{err}
		}
	}
	return nil
}

func printSchema(w io.Writer, _ bool, _ []string) error {
	schema, err := executor.Schema()
	if err == nil {
		_, err = fmt.Fprintf(w, "%s\n", schema)
	}
	if err != nil {
		return failure{err}
	}
	return nil
}
