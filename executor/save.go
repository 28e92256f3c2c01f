package executor

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"

	"autotune/catalog"
	"autotune/controller"
)

// Save writes the whole configuration as YAML that Load reads back the same:
// every field, in the guide's order, with its range as a comment.
func (c Config) Save(w io.Writer) error {
	c = c.withDefaults()
	var text bytes.Buffer
	for i, f := range configFields() {
		if f.Kind == controller.Switch && i > 0 {
			text.WriteByte('\n')
		}
		line := f.Name + ": " + f.text(&c)
		if f.Kind != controller.Switch {
			line = fmt.Sprintf("%-44s # %s", line, Range(f.Field))
		}
		text.WriteString(line + "\n")
	}
	_, err := w.Write(text.Bytes())
	return err
}

// text is the field's value as it is written in a file.
func (f configField) text(c *Config) string {
	v := f.get(c)
	if f.Kind == controller.Switch {
		return strconv.FormatBool(v != 0)
	}
	return strconv.FormatFloat(v, 'f', -1, 64)
}

// MarshalJSON writes what Save does, as one JSON object.
func (c Config) MarshalJSON() ([]byte, error) {
	c = c.withDefaults()
	var text bytes.Buffer
	for i, f := range configFields() {
		fmt.Fprintf(&text, "%c%q:%s", "{,"[min(i, 1)], f.Name, f.text(&c))
	}
	text.WriteByte('}')
	return text.Bytes(), nil
}

var _ json.Marshaler = Config{}

// Difference is a field that two configurations do not agree on, with the values
// as they are written in a file.
type Difference struct {
	Field string          `json:"field"`
	From  json.RawMessage `json:"from"`
	To    json.RawMessage `json:"to"`
}

// String returns "field: from -> to".
func (d Difference) String() string { return fmt.Sprintf("%s: %s -> %s", d.Field, d.From, d.To) }

// Diff returns what changes from one configuration to the other, in the guide's
// order. A number matters to it even while its switch is off.
func Diff(from, to Config) []Difference {
	from, to = from.withDefaults(), to.withDefaults()
	var all []Difference
	for _, f := range configFields() {
		if f.get(&from) != f.get(&to) {
			all = append(all, Difference{f.Name, json.RawMessage(f.text(&from)), json.RawMessage(f.text(&to))})
		}
	}
	return all
}

// Range is the range of a field for people: "1 to 1000000 objects", "0 to 1",
// "seconds, 1s to 720h", "on or off".
func Range(f catalog.Field) string {
	switch f.Kind { //nolint:exhaustive // the others are numbers
	case controller.Switch:
		return "on or off"
	case controller.Duration:
		return "seconds, " + short(f.Min) + " to " + short(f.Max)
	}
	number := func(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }
	text := number(f.Min) + " to " + number(f.Max)
	if f.Kind == controller.Float {
		return text
	}
	return text + " " + f.Unit
}

// short is a duration without its zero parts: "720h".
func short(v float64) string {
	s := seconds(v).String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
