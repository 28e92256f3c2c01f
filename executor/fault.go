package executor

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"autotune/controller"
)

// Fault is one thing that is wrong with a configuration. Errors of Validate, New,
// Apply, Load and the like are made of them; Faults takes them apart again.
type Fault struct {
	// File, Line and Column say where it was read; empty and 0 if it was not.
	File   string `json:"file,omitempty"`
	Line   int    `json:"line,omitempty"`
	Column int    `json:"column,omitempty"`
	// Field by the guide's name; empty if the fault is of no one field.
	Field string `json:"field,omitempty"`
	// Value that it has, as people write it; empty if none matters.
	Value string `json:"value,omitempty"`
	// Rule that it breaks.
	Rule string `json:"rule"`
}

// Error returns "file:line:column: field value: rule", without what is unknown.
func (f *Fault) Error() string {
	var s strings.Builder
	if f.File != "" {
		s.WriteString(f.File + ":")
	}
	if f.Line > 0 {
		fmt.Fprintf(&s, "%d:%d:", f.Line, f.Column)
	}
	if s.Len() > 0 {
		s.WriteString(" ")
	}
	what := strings.TrimSpace(f.Field + " " + f.Value)
	if what != "" {
		s.WriteString(what + ": ")
	}
	s.WriteString(f.Rule)
	return s.String()
}

// Faults returns the faults that an error of this package is made of, in order.
func Faults(err error) []*Fault {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var all []*Fault
		for _, e := range joined.Unwrap() {
			all = append(all, Faults(e)...)
		}
		return all
	}
	var f *Fault
	if errors.As(err, &f) {
		return []*Fault{f}
	}
	return nil
}

// check returns what is wrong with v as a value of the field, or nil, in the
// unit in which people write it.
func (f configField) check(v float64) *Fault {
	err := f.CheckValue(v)
	if err == nil {
		return nil
	}
	shown := strconv.FormatFloat(v, 'g', -1, 64)
	_, rule, _ := strings.Cut(err.Error(), ": ")
	if f.Kind == controller.Duration && !math.IsNaN(v) && !math.IsInf(v, 0) {
		if shown += " s"; math.Abs(v) < math.MaxInt64/float64(time.Second) {
			shown = seconds(v).String()
		}
		rule = fmt.Sprintf("must be within %v..%v", seconds(f.Min), seconds(f.Max))
	}
	return &Fault{Field: f.Name, Value: shown, Rule: rule}
}

// asError is errors.Join of faults, nil if there are none.
func asError(faults []*Fault) error {
	errs := make([]error, len(faults))
	for i, f := range faults {
		errs[i] = f
	}
	return errors.Join(errs...)
}
