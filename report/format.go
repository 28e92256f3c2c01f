package report

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"
)

// Format of a report.
type Format string

// The formats, each with the ending of its files.
const (
	HTML     Format = "html"
	Markdown Format = "md"
	CSV      Format = "csv"
	JSON     Format = "json"
)

// Formats are all of them.
func Formats() []Format { return []Format{HTML, Markdown, CSV, JSON} }

// FormatNamed returns a format by its name.
func FormatNamed(name string) (Format, error) {
	for _, f := range Formats() {
		if string(f) == name {
			return f, nil
		}
	}
	return "", fmt.Errorf("format %q: must be html, md, csv or json", name)
}

// FormatOf returns the format that the ending of a file's name asks for.
func FormatOf(path string) (Format, error) {
	ext := strings.TrimPrefix(filepath.Ext(path), ".")
	f, err := FormatNamed(ext)
	if err != nil {
		return "", fmt.Errorf("%s: ending %q: must be .html, .md, .csv or .json", path, ext)
	}
	return f, nil
}

// Write writes the report in one of the formats.
func (d *Document) Write(w io.Writer, f Format) error {
	switch f {
	case HTML:
		return d.WriteHTML(w)
	case Markdown:
		return d.WriteMarkdown(w)
	case CSV:
		return d.WriteCSV(w)
	case JSON:
		return d.WriteJSON(w)
	}
	return fmt.Errorf("format %q: must be html, md, csv or json", f)
}
