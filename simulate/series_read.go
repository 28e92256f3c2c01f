package simulate

import (
	"bufio"
	"compress/gzip"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"

	"autotune/catalog"
)

// OpenSeries reads a file as ReadSeries does.
func OpenSeries(path, column string, group ...string) ([]Recording, error) {
	f, err := os.Open(path)
	if err != nil {
		var pathErr *fs.PathError
		if errors.As(err, &pathErr) {
			err = pathErr.Err
		}
		return nil, fmt.Errorf("series %s: %w", path, err)
	}
	defer f.Close()
	out, err := ReadSeries(f, column, group...)
	if err != nil {
		return nil, fmt.Errorf("series %s: %w", path, err)
	}
	return out, nil
}

// ReadSeries reads a column of a CSV file with a header, or of the same under
// gzip. Each combination of values of the group columns is a series of its own,
// in the order of the file. An error is one line that names line, column, value
// and rule; a file with one bad value is refused as a whole, since leaving it
// out would make neighbors of values that are none.
func ReadSeries(r io.Reader, column string, group ...string) ([]Recording, error) {
	rows, err := csvRows(r)
	if err != nil {
		return nil, err
	}
	header, err := rows.Read()
	if errors.Is(err, io.EOF) {
		return nil, errors.New("empty: must have a header and a row for each value")
	}
	if err != nil {
		return nil, csvError(err)
	}
	header = slices.Clone(header)
	at, err := findColumn(header, column)
	if err != nil {
		return nil, err
	}
	groupAt := make([]int, len(group))
	for i, name := range group {
		if groupAt[i], err = findColumn(header, name); err != nil {
			return nil, err
		}
		if groupAt[i] == at {
			return nil, fmt.Errorf("group %q: is the column of the values: must be another", name)
		}
	}
	var out []Recording
	byKey := map[string]int{}
	for {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, csvError(err)
		}
		v, err := measured(row[at])
		if err != nil {
			line, _ := rows.FieldPos(at)
			return nil, fmt.Errorf("line %d, column %q: %w", line, column, err)
		}
		name, key := groupName(row, group, groupAt)
		i, ok := byKey[key]
		if !ok {
			i = len(out)
			byKey[key] = i
			out = append(out, Recording{Name: name})
		}
		out[i].Values = append(out[i].Values, v)
	}
	if len(out) == 0 {
		return nil, errors.New("no rows: must have a header and a row for each value")
	}
	return out, nil
}

// csvRows looks at the content, not the name: gzip or not, with a byte order
// mark or not.
func csvRows(r io.Reader) (*csv.Reader, error) {
	in := bufio.NewReader(r)
	if magic, _ := in.Peek(2); string(magic) == "\x1f\x8b" {
		unzipped, err := gzip.NewReader(in)
		if err != nil {
			return nil, fmt.Errorf("gzip: %w", err)
		}
		in = bufio.NewReader(unzipped)
	}
	if mark, _ := in.Peek(3); string(mark) == "\ufeff" {
		_, _ = in.Discard(3)
	}
	rows := csv.NewReader(in)
	rows.ReuseRecord = true
	return rows, nil
}

func csvError(err error) error {
	var parse *csv.ParseError
	switch {
	case !errors.As(err, &parse):
		return fmt.Errorf("read: %w", err) // a broken disk, or a broken gzip stream
	case errors.Is(err, csv.ErrFieldCount):
		return fmt.Errorf("line %d: must have as many fields as the header", parse.Line)
	}
	return fmt.Errorf("line %d: %w", parse.Line, parse.Err)
}

// measured reads a value that is fit to be judged by its log.
func measured(cell string) (float64, error) {
	cell = strings.TrimSpace(cell)
	v, err := strconv.ParseFloat(cell, 64)
	switch {
	case err != nil && !errors.Is(err, strconv.ErrRange):
		return 0, fmt.Errorf("%q: must be a number", cell)
	case math.IsNaN(v) || math.IsInf(v, 0):
		return 0, fmt.Errorf("%s: must be finite", cell)
	case v <= 0:
		return 0, fmt.Errorf("%s: must be above 0, effects are ratios", cell)
	}
	return v, nil
}

// groupName returns a row's group, for people and so that no two look alike.
func groupName(row, group []string, at []int) (name, key string) {
	var names, keys []string
	for i, g := range group {
		value := row[at[i]]
		quoted := strconv.Quote(value)
		if len(quoted) > len(value)+2 { // something in it is not for a line of text
			value = quoted
		}
		names = append(names, g+"="+value)
		keys = append(keys, quoted)
	}
	return strings.Join(names, ", "), strings.Join(keys, ",")
}

// findColumn returns the place of a column that must be there once.
func findColumn(header []string, name string) (int, error) {
	at := -1
	for i, h := range header {
		if strings.TrimSpace(h) != name {
			continue
		}
		if at >= 0 {
			return 0, fmt.Errorf("column %q: is there twice, as fields %d and %d: names must be unique", name, at+1, i+1)
		}
		at = i
	}
	if at < 0 {
		const most = 12
		names, rest := header, ""
		if n := len(header) - most; n > 0 {
			names, rest = header[:most], fmt.Sprintf(" and %d more", n)
		}
		return 0, fmt.Errorf("column %q: is not in the header: the nearest is %q, of %q%s", name, nearestName(header, name), names, rest)
	}
	return at, nil
}

// nearestName is the one that takes the fewest edits to become name, upper and
// lower case alike.
func nearestName(names []string, name string) string {
	edits := func(n string) int { return catalog.Edits(strings.ToLower(n), strings.ToLower(name)) }
	return slices.MinFunc(names, func(a, b string) int { return edits(a) - edits(b) })
}
