package controller

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Setting is a value for each knob of a Space. It is immutable and safe to
// share. The zero Setting holds nothing and means "leave everything as it is"
// where a command carries it.
type Setting struct {
	names  []string // ascending; shared between the settings of a space
	values []float64
}

// SettingOf returns the setting with these values. It keeps no reference to m.
func SettingOf(m map[string]float64) Setting {
	s := Setting{names: make([]string, 0, len(m)), values: make([]float64, len(m))}
	for name := range m {
		s.names = append(s.names, name)
	}
	slices.Sort(s.names)
	for i, name := range s.names {
		s.values[i] = m[name]
	}
	return s
}

// IsZero reports whether the setting holds no knob at all.
func (s Setting) IsZero() bool { return len(s.names) == 0 }

// Len is the number of knobs.
func (s Setting) Len() int { return len(s.names) }

// Get returns the value of the named knob, and whether the setting has it.
func (s Setting) Get(name string) (float64, bool) {
	i, ok := slices.BinarySearch(s.names, name)
	if !ok {
		return 0, false
	}
	return s.values[i], true
}

// On reports whether the named switch is on.
func (s Setting) On(name string) bool {
	v, ok := s.Get(name)
	return ok && v != 0
}

// With returns a copy in which the knobs of m have its values. Knobs that the
// setting lacks are ignored: a Space decides what exists.
func (s Setting) With(m map[string]float64) Setting {
	out := Setting{names: s.names, values: slices.Clone(s.values)}
	for name, v := range m {
		if i, ok := slices.BinarySearch(s.names, name); ok {
			out.values[i] = v
		}
	}
	return out
}

// Equal reports whether both hold the same knobs with the same values.
func (s Setting) Equal(o Setting) bool {
	return slices.Equal(s.values, o.values) && slices.Equal(s.names, o.names)
}

// Diff returns the knobs of o whose values differ from those of s, or that s
// lacks, with o's values.
func (s Setting) Diff(o Setting) map[string]float64 {
	d := map[string]float64{}
	for name, v := range o.All() {
		if was, ok := s.Get(name); !ok || was != v {
			d[name] = v
		}
	}
	return d
}

// All yields name and value of each knob, by name ascending.
func (s Setting) All() func(yield func(string, float64) bool) {
	return func(yield func(string, float64) bool) {
		for i, name := range s.names {
			if !yield(name, s.values[i]) {
				return
			}
		}
	}
}

// Map returns the values by name, in a new map.
func (s Setting) Map() map[string]float64 {
	m := make(map[string]float64, len(s.names))
	for i, name := range s.names {
		m[name] = s.values[i]
	}
	return m
}

// String formats the setting as "a=1 b=0.5", by name ascending.
func (s Setting) String() string {
	var b strings.Builder
	for i, name := range s.names {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(name)
		b.WriteByte('=')
		b.WriteString(strconv.FormatFloat(s.values[i], 'g', -1, 64))
	}
	return b.String()
}

// MarshalJSON writes an object, names ascending.
func (s Setting) MarshalJSON() ([]byte, error) { return json.Marshal(s.Map()) }

// UnmarshalJSON reads what MarshalJSON writes.
func (s *Setting) UnmarshalJSON(data []byte) error {
	var m map[string]float64
	if err := json.Unmarshal(data, &m); err != nil {
		return fmt.Errorf("setting: %w", err)
	}
	*s = SettingOf(m)
	return nil
}
