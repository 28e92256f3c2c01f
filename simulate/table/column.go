package table

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"autotune/controller"
)

// column is a column of knob values: a code for each configuration, so that a
// value that is there a thousand times is kept once.
type column struct {
	name     string
	declared controller.Kind // 0: to infer
	kind     controller.Kind // 0: constant
	byText   map[string]uint32
	byNumber map[float64]uint32
	values   []value  // by code
	codes    []uint32 // by configuration
}

// value is one of the values of a column. Texts of the same number are one.
type value struct {
	text   string
	number float64 // NaN if it is none
	rows   int
	line   int // where it is first
}

func (v value) isNumber() bool { return !math.IsNaN(v.number) }

// code returns that of a cell, in a row of which it is the first look.
func (c *column) code(cell string, line int) (uint32, error) {
	cell = strings.TrimSpace(cell)
	if code, ok := c.byText[cell]; ok {
		c.values[code].rows++
		return code, nil
	}
	if cell == "" {
		return 0, fmt.Errorf("line %d, column %q: is empty: a knob must have a value", line, c.name)
	}
	cell = strings.Clone(cell)
	number := math.NaN()
	if x, err := strconv.ParseFloat(cell, 64); err == nil && !math.IsInf(x, 0) && c.declared != controller.Enum {
		number = x + 0 // no negative zero
	}
	code, ok := uint32(len(c.values)), false
	if !math.IsNaN(number) {
		code, ok = c.codeOf(number, code)
	}
	if !ok {
		c.values = append(c.values, value{text: cell, number: number, line: line})
	}
	c.byText[cell] = code
	c.values[code].rows++
	return code, nil
}

func (c *column) codeOf(number float64, fresh uint32) (code uint32, known bool) {
	if code, ok := c.byNumber[number]; ok {
		return code, true
	}
	c.byNumber[number] = fresh
	return fresh, false
}

// pairs of words that are off and on.
var offOn = map[string]float64{"false": 0, "true": 1, "off": 0, "on": 1, "no": 0, "yes": 1}

// infer decides of which kind the column is, and puts its values in order: numbers
// ascending, the values of an enum as they came.
func (c *column) infer() error {
	c.byText, c.byNumber = nil, nil
	numbers, texts, numberRows, textRows := 0, -1, 0, 0
	for i, v := range c.values {
		if v.isNumber() {
			numbers++
			numberRows += v.rows
			continue
		}
		textRows += v.rows
		if texts < 0 {
			texts = i
		}
	}
	c.kind = c.declared
	switch {
	case len(c.values) == 1:
		c.kind = 0
		return nil
	case c.declared == controller.Enum:
		return nil
	case len(c.values) == 2 && numbers == 0 && c.declared != controller.Int && c.declared != controller.Float && c.offOn():
		c.kind = controller.Switch
	case texts >= 0 && (c.declared != 0 || numberRows >= textRows):
		v := c.values[texts]
		return fmt.Errorf("line %d, column %q: %q: must be a finite number, as in %d other rows (or declare an enum: --knob %s=enum)",
			v.line, c.name, v.text, numberRows, c.name)
	case texts >= 0:
		c.kind = controller.Enum
		return nil
	}
	c.sortNumbers()
	whole := true
	for _, v := range c.values {
		whole = whole && v.number == math.Trunc(v.number) && math.Abs(v.number) < 1<<53
	}
	isSwitch := len(c.values) == 2 && c.values[0].number == 0 && c.values[1].number == 1
	switch c.declared {
	case controller.Switch:
		if !isSwitch {
			return fmt.Errorf("column %q: has %d values, %s the first: a switch must have 0 and 1, or words for off and on",
				c.name, len(c.values), c.values[0].text)
		}
	case controller.Int:
		if !whole {
			return fmt.Errorf("column %q: has fractions: an int must have whole numbers", c.name)
		}
	case controller.Float:
	default:
		switch {
		case isSwitch:
			c.kind = controller.Switch
		case whole:
			c.kind = controller.Int
		default:
			c.kind = controller.Float
		}
	}
	return nil
}

// offOn takes a pair of words for off and on.
func (c *column) offOn() bool {
	var is [2]float64
	for i, v := range c.values {
		x, ok := offOn[strings.ToLower(v.text)]
		if !ok {
			return false
		}
		is[i] = x
	}
	if is[0] == is[1] {
		return false
	}
	c.values[0].number, c.values[1].number = is[0], is[1]
	return true
}

// sortNumbers gives codes anew, by ascending number.
func (c *column) sortNumbers() {
	order := make([]uint32, len(c.values))
	for i := range order {
		order[i] = uint32(i)
	}
	slices.SortFunc(order, func(a, b uint32) int {
		if c.values[a].number < c.values[b].number {
			return -1
		}
		return 1
	})
	to, sorted := make([]uint32, len(order)), make([]value, len(order))
	for i, from := range order {
		to[from], sorted[i] = uint32(i), c.values[from]
	}
	c.values = sorted
	for i, code := range c.codes {
		c.codes[i] = to[code]
	}
}

// knob is the column's own, if it is no part of a group.
func (c *column) knob() controller.Knob {
	k := controller.Knob{Name: c.name, Kind: c.kind}
	switch c.kind {
	case controller.Switch:
		return k
	case controller.Enum:
		k.Levels = indices(len(c.values))
	default:
		for _, v := range c.values {
			k.Levels = append(k.Levels, v.number)
		}
		if byRatio(k.Levels) {
			k.Scale = controller.Log
		}
	}
	k.Min, k.Max = k.Levels[0], k.Levels[len(k.Levels)-1]
	return k
}

func indices(n int) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = float64(i)
	}
	return out
}

// byRatio reports whether ascending levels are on a log scale: they span a decade,
// and their ratios are more even than their differences.
func byRatio(levels []float64) bool {
	n := len(levels)
	if levels[0] <= 0 || levels[n-1] < 10*levels[0] {
		return false
	}
	uneven := func(of func(float64) float64) float64 { // largest step over the mean one
		most := 0.0
		for i := 1; i < n; i++ {
			most = max(most, of(levels[i])-of(levels[i-1]))
		}
		return most * float64(n-1) / (of(levels[n-1]) - of(levels[0]))
	}
	return n == 2 || uneven(math.Log) < uneven(func(x float64) float64 { return x })
}

// cell is the value of a configuration as the file has it: a number, or a text.
func (c *column) cell(config int) any {
	v := c.values[c.codes[config]]
	if _, err := strconv.ParseFloat(v.text, 64); err == nil && v.isNumber() {
		return v.number
	}
	return v.text
}
