package main

import (
	"io"

	"autotune/diagnose"
)

// exportConfig writes the kept setting of a journal as a configuration file.
func exportConfig(w io.Writer, asJSON bool, args []string) error {
	x, err := diagnose.Export(args[0])
	if err != nil {
		return err
	}
	return written(w, asJSON, x.WriteJSON, x.WriteYAML)
}
