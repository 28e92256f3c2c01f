package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"autotune/report"
	"autotune/report/history"
)

const reportHelp = `Writes the report of a journal: what was tried, kept and put back, on which
evidence and for which reason, and how the goals went while it happened. With a
second one, compares the two. Each may be a journal, a folder or one segment, or
the JSON of a report, of an experiment too.

The HTML page needs nothing else: it opens offline and prints.`

func reportCommand() *cobra.Command {
	var out, format string
	cmd := &cobra.Command{
		Use: "report JOURNAL [OTHER]", Short: "Report on a journal, or compare two", Long: reportHelp, Args: cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			f, err := reportFormat(out, format)
			if err != nil {
				return err
			}
			var docs []*report.Document
			for _, path := range args {
				d, err := readReport(path)
				if err != nil {
					return err
				}
				docs = append(docs, d)
			}
			d := docs[0]
			if len(docs) == 2 {
				if d, err = report.Compare(docs[0], docs[1]); err != nil {
					return err
				}
			}
			return writeReport(d, f, out, cmd.OutOrStdout())
		},
	}
	cmd.Flags().StringVar(&out, "out", "", "`file` to write (default stdout)")
	cmd.Flags().StringVar(&format, "format", "", "html, md, csv or json (default: by the ending of --out, or md)")
	return cmd
}

// reportFormat is what was asked for, by name or by the ending of a file.
func reportFormat(out, format string) (report.Format, error) {
	switch {
	case format != "":
		return report.FormatNamed(format)
	case out != "":
		f, err := report.FormatOf(out)
		if err != nil {
			return "", fmt.Errorf("out %w", err)
		}
		return f, nil
	}
	return report.Markdown, nil
}

// readReport reads a journal, or the JSON of a report.
func readReport(path string) (*report.Document, error) {
	if filepath.Ext(path) != ".json" {
		return history.Read(path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	d, err := report.ReadJSON(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return d, nil
}

// writeReport writes a report to a file, whole or not at all, or to stdout.
func writeReport(d *report.Document, f report.Format, out string, stdout io.Writer) error {
	var b bytes.Buffer
	if err := d.Write(&b, f); err != nil {
		return failure{err}
	}
	if out == "" {
		if _, err := stdout.Write(b.Bytes()); err != nil {
			return failure{err}
		}
		return nil
	}
	fresh := out + ".new"
	if err := os.WriteFile(fresh, b.Bytes(), 0o600); err != nil {
		return failure{err}
	}
	if err := os.Rename(fresh, out); err != nil {
		return failure{err}
	}
	return nil
}
