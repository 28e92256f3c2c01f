package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"autotune/controller"
	"autotune/internal/demo"
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

// prepareReport checks where the report of a run goes before the run, and sees to
// it that there is a journal to make it from. What it returns removes a temporary one.
func (f *runFlags) prepareReport() (drop func(), err error) {
	if _, err := report.FormatOf(f.report); err != nil {
		return nil, fmt.Errorf("report %w", err)
	}
	if info, err := os.Stat(filepath.Dir(f.report)); err != nil || !info.IsDir() {
		return nil, fmt.Errorf("report %s: %s: must be a folder", f.report, filepath.Dir(f.report))
	}
	if f.Journal != "" {
		return func() {}, nil
	}
	dir, err := os.MkdirTemp("", "autotune-journal-")
	if err != nil {
		return nil, failure{fmt.Errorf("journal: %w", err)}
	}
	f.Journal = dir
	return func() { _ = os.RemoveAll(dir) }, nil
}

// writeReport writes the report of a run, which is all that there is of one that broke.
func (f *runFlags) writeReport(s *demo.Summary) error {
	d, err := history.Read(f.Journal)
	switch {
	case errors.Is(err, history.ErrEmpty) && s != nil: // it was interrupted at once
		d = &report.Document{Kind: "journal", Summary: []string{"Nothing was tried."}}
	case err != nil && s == nil:
		return nil // it broke before there was anything to tell
	case err != nil:
		return failure{fmt.Errorf("report: %w", err)}
	}
	d.Name, d.Title = "run", "A run of the demonstration service"
	if s != nil {
		history.Check(d, s.Check, controller.DefaultGoals())
		d.Facts = append(d.Facts,
			report.Fact{Name: "the whole run took", Value: fmt.Sprintf("%.0f s", s.Seconds)},
			report.Fact{Name: "the autopilot's share of CPU time", Value: fmt.Sprintf("%.2f %%", 100*s.AutopilotShare)})
		if s.Interrupted {
			d.Summary = append([]string{"Interrupted: the candidate was withdrawn, and what was kept stays."}, d.Summary...)
		}
	}
	format, err := report.FormatOf(f.report)
	if err != nil {
		return err
	}
	return writeReport(d, format, f.report, nil)
}
