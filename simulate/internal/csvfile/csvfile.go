// Package csvfile opens CSV files as people have them: plain or under gzip, with
// or without a byte order mark, separated by commas or semicolons. Its errors
// are one line that names the line or column and the rule.
package csvfile

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"

	"autotune/internal/spelling"
)

// Open reads the named file by read. An error names the file, and what it is.
func Open[T any](kind, path string, read func(io.Reader) (T, error)) (T, error) {
	var none T
	f, err := os.Open(path)
	if err != nil {
		var pathErr *fs.PathError
		if errors.As(err, &pathErr) {
			err = pathErr.Err
		}
		return none, fmt.Errorf("%s %s: %w", kind, path, err)
	}
	defer f.Close()
	out, err := read(f)
	if err != nil {
		return none, fmt.Errorf("%s %s: %w", kind, path, err)
	}
	return out, nil
}

// NewReader looks at the content, not the name: gzip or not, with a byte order
// mark or not, and with semicolons where the first line has no comma. A record
// is valid until the next one.
func NewReader(r io.Reader) (*csv.Reader, error) {
	const peek = 1 << 16
	in := bufio.NewReaderSize(r, peek)
	if magic, _ := in.Peek(2); string(magic) == "\x1f\x8b" {
		unzipped, err := gzip.NewReader(in)
		if err != nil {
			return nil, fmt.Errorf("gzip: %w", err)
		}
		in = bufio.NewReaderSize(unzipped, peek)
	}
	if mark, _ := in.Peek(3); string(mark) == "\ufeff" {
		_, _ = in.Discard(3)
	}
	rows := csv.NewReader(in)
	rows.ReuseRecord = true
	start, _ := in.Peek(peek)
	first, _, _ := bytes.Cut(start, []byte("\n"))
	if bytes.IndexByte(first, ';') >= 0 && bytes.IndexByte(first, ',') < 0 {
		rows.Comma = ';'
	}
	return rows, nil
}

// Header reads the first record, and returns a copy without spaces around names.
func Header(rows *csv.Reader, needs string) ([]string, error) {
	header, err := rows.Read()
	if errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("empty: must have a header and %s", needs)
	}
	if err != nil {
		return nil, Fault(err)
	}
	header = slices.Clone(header)
	for i := range header {
		header[i] = strings.TrimSpace(header[i])
	}
	return header, nil
}

// Each gives take every record after the header, until one of them fails.
func Each(rows *csv.Reader, take func(row []string) error) error {
	for {
		row, err := rows.Read()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return Fault(err)
		}
		if err := take(row); err != nil {
			return err
		}
	}
}

// Fault says in one line why a record could not be read.
func Fault(err error) error {
	var parse *csv.ParseError
	switch {
	case !errors.As(err, &parse):
		return fmt.Errorf("read: %w", err) // a broken disk, or a broken gzip stream
	case errors.Is(err, csv.ErrFieldCount):
		return fmt.Errorf("line %d: must have as many fields as the header", parse.Line)
	}
	return fmt.Errorf("line %d: %w", parse.Line, parse.Err)
}

// Column returns the place of a column that must be there once.
func Column(header []string, name string) (int, error) {
	at := -1
	for i, h := range header {
		if h != name {
			continue
		}
		if at >= 0 {
			return 0, fmt.Errorf("column %q: is there twice, as fields %d and %d: names must be unique", name, at+1, i+1)
		}
		at = i
	}
	if at < 0 {
		return 0, Absent(header, name)
	}
	return at, nil
}

// Absent says that a column is not there, and which is the nearest.
func Absent(header []string, name string) error {
	const most = 12
	names, rest := header, ""
	if n := len(header) - most; n > 0 {
		names, rest = header[:most], fmt.Sprintf(" and %d more", n)
	}
	return fmt.Errorf("column %q: is not in the header: the nearest is %q, of %q%s", name, Nearest(header, name), names, rest)
}

// Nearest is the one of names that takes the fewest edits to become name, upper
// and lower case alike.
func Nearest(names []string, name string) string {
	edits := func(n string) int { return spelling.Edits(strings.ToLower(n), strings.ToLower(name)) }
	return slices.MinFunc(names, func(a, b string) int { return edits(a) - edits(b) })
}
