package table

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"autotune/controller"
	"autotune/simulate/internal/csvfile"
)

// OpenDefault reads a file as ReadDefault does.
func (t *Table) OpenDefault(path string) (int, []string, error) {
	type found struct {
		config int
		notes  []string
	}
	out, err := csvfile.Open("default", path, func(r io.Reader) (found, error) {
		config, notes, err := t.ReadDefault(r)
		return found{config, notes}, err
	})
	return out.config, out.notes, err
}

// ReadDefault reads the configuration to start from: a CSV file with a header and
// one row. A column is that of the table by name; columns of the form name_value
// that are 0 or 1 say which value the column name has. What the table does not
// have is left aside; of columns that the file does not have any value will do.
//
// It returns the first configuration that fits, and notes for people.
func (t *Table) ReadDefault(r io.Reader) (config int, notes []string, err error) {
	rows, err := csvfile.NewReader(r)
	if err != nil {
		return 0, nil, err
	}
	header, err := csvfile.Header(rows, "one row")
	if err != nil {
		return 0, nil, err
	}
	row, err := rows.Read()
	if errors.Is(err, io.EOF) {
		return 0, nil, errors.New("no row: must have a header and one row")
	}
	if err != nil {
		return 0, nil, csvfile.Fault(err)
	}
	cells := map[string]string{}
	for i, h := range header {
		if _, ok := cells[h]; ok {
			return 0, nil, fmt.Errorf("column %q: is there twice: names must be unique", h)
		}
		cells[h] = strings.TrimSpace(row[i])
	}
	if _, err := rows.Read(); err == nil {
		return 0, nil, errors.New("more than one row: must have a header and one row")
	}
	want := make([]int, len(t.columns)) // codes, or -1
	var missing []string
	given := 0
	for i, c := range t.columns {
		code, ok, err := c.given(cells)
		if err != nil {
			return 0, nil, err
		}
		if want[i] = code; !ok {
			missing = append(missing, c.name)
			continue
		}
		given++
	}
	if given == 0 {
		return 0, nil, fmt.Errorf("no column of the table: must have at least one of %q", names(t.columns))
	}
	config, differs := t.nearest(want)
	if differs != nil {
		return 0, nil, fmt.Errorf("no measured configuration fits: the nearest differs in %s", strings.Join(differs, ", "))
	}
	for _, name := range missing {
		notes = append(notes, fmt.Sprintf("%s is not in the default: %v, from the first configuration that fits", name, t.Row(config)[name]))
	}
	return config, notes, nil
}

func names(columns []*column) []string {
	var out []string
	for _, c := range columns {
		out = append(out, c.name)
	}
	return out
}

// given looks for the column's value among the cells of a default.
func (c *column) given(cells map[string]string) (code int, ok bool, err error) {
	text, ok := cells[c.name], false
	for i, v := range c.values { // name_value columns first: beside them, name is only a mark
		flag, there := cells[c.name+"_"+v.text]
		if !there && v.isNumber() {
			flag, there = cells[c.name+"_"+strconv.FormatFloat(v.number, 'f', -1, 64)]
		}
		if there && flag == "1" {
			if ok {
				return -1, false, fmt.Errorf("column %q: has two values, %s and %s: must have one", c.name, c.values[code].text, v.text)
			}
			code, ok = i, true
		}
	}
	if ok {
		return code, true, nil
	}
	if text == "" {
		return -1, false, nil
	}
	number, parse := strconv.ParseFloat(text, 64)
	for i, v := range c.values {
		if v.text == text || parse == nil && v.isNumber() && v.number == number {
			return i, true, nil
		}
	}
	if c.kind == 0 || c.kind == controller.Switch {
		return -1, false, fmt.Errorf("column %q: %s: the table has only %s", c.name, text, c.values[0].text)
	}
	return -1, false, fmt.Errorf("column %q: %s: the table has values %s to %s", c.name, text, c.values[0].text, c.values[len(c.values)-1].text)
}

// nearest is the configuration that differs in the fewest columns, and in which.
func (t *Table) nearest(want []int) (config int, differs []string) {
	least := len(want) + 1
	for i := range t.configs {
		n := 0
		for j, c := range t.columns {
			if want[j] >= 0 && c.codes[t.configs[i]] != uint32(want[j]) {
				n++
			}
		}
		if n < least {
			least, config = n, i
		}
		if n == 0 {
			return i, nil
		}
	}
	for j, c := range t.columns {
		if want[j] >= 0 && c.codes[t.configs[config]] != uint32(want[j]) {
			differs = append(differs, fmt.Sprintf("%s (%s, asked for %s)", c.name, c.values[c.codes[t.configs[config]]].text, c.values[want[j]].text))
		}
	}
	return config, differs
}
