package simulate

import (
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"autotune/simulate/internal/csvfile"
)

// OpenSeries reads a file as ReadSeries does.
func OpenSeries(path, column string, group ...string) ([]Recording, error) {
	return csvfile.Open("series", path, func(r io.Reader) ([]Recording, error) {
		return ReadSeries(r, column, group...)
	})
}

// ReadSeries reads a column of a CSV file with a header, or of the same under
// gzip. Each combination of values of the group columns is a series of its own,
// in the order of the file. An error is one line that names line, column, value
// and rule; a file with one bad value is refused as a whole, since leaving it
// out would make neighbors of values that are none.
func ReadSeries(r io.Reader, column string, group ...string) ([]Recording, error) {
	rows, err := csvfile.NewReader(r)
	if err != nil {
		return nil, err
	}
	header, err := csvfile.Header(rows, "a row for each value")
	if err != nil {
		return nil, err
	}
	at, err := csvfile.Column(header, column)
	if err != nil {
		return nil, err
	}
	groupAt := make([]int, len(group))
	for i, name := range group {
		if groupAt[i], err = csvfile.Column(header, name); err != nil {
			return nil, err
		}
		if groupAt[i] == at {
			return nil, fmt.Errorf("group %q: is the column of the values: must be another", name)
		}
	}
	var out []Recording
	byKey := map[string]int{}
	err = csvfile.Each(rows, func(row []string) error {
		v, err := measured(row[at])
		if err != nil {
			line, _ := rows.FieldPos(at)
			return fmt.Errorf("line %d, column %q: %w", line, column, err)
		}
		name, key := groupName(row, group, groupAt)
		i, ok := byKey[key]
		if !ok {
			i = len(out)
			byKey[key] = i
			out = append(out, Recording{Name: name})
		}
		out[i].Values = append(out[i].Values, v)
		return nil
	})
	if err != nil {
		return nil, err
	}
	if len(out) == 0 {
		return nil, errors.New("no rows: must have a header and a row for each value")
	}
	return out, nil
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
