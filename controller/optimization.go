package controller

import (
	"errors"
	"fmt"
	"maps"
	"slices"
)

// Equivalence is what an optimization preserves.
type Equivalence int

// Exact: results, errors and side effects are equal with it and without.
// Bounded: they may differ, in the way the optimization declares.
const (
	Exact Equivalence = iota + 1
	Bounded
)

var equivalenceNames = [...]string{"", "exact", "bounded"}

// String returns the equivalence's name.
func (e Equivalence) String() string {
	return enumName(equivalenceNames[:], int(e), "Equivalence")
}

// Optimization is a hypothesis with an off switch: a change that should help,
// the knobs it consists of, and what it preserves. It is plain data.
type Optimization struct {
	// Name as people and reports know it; the switch's name where it has one.
	Name string `json:"name"`
	// Why it should help, in one sentence.
	Why string `json:"why"`
	// Switch is the knob that turns it on (1) and off (0); empty if the
	// optimization is a number only.
	Switch string `json:"switch,omitempty"`
	// Knobs are the numbers that matter while it is on.
	Knobs []string `json:"knobs,omitempty"`
	// Needs are the metrics without which it cannot be judged.
	Needs []Metric `json:"needs,omitempty"`
	// Start has the values to begin with when it is turned on.
	Start map[string]float64 `json:"start,omitempty"`
	// Equivalence says whether it is Exact or Bounded.
	Equivalence Equivalence `json:"equivalence"`
	// MayDiffer is written for a Bounded one: what may differ, and by how much.
	MayDiffer string `json:"may_differ,omitempty"`
	// Granted: the owner allows the autopilot to move it although it is
	// Bounded. One that is Bounded and not granted is advised, never tried.
	Granted bool `json:"granted,omitempty"`
	// WhileOff says what off does to what is warm ("entries are kept, and age").
	WhileOff string `json:"while_off,omitempty"`
}

// Check reports every fault of the definition at once, given the space it
// belongs to, or nil.
func (o Optimization) Check(s Space) error {
	var errs []error
	bad := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("optimization %s: "+format, append([]any{o.Name}, args...)...))
	}
	if o.Name == "" {
		bad("name is empty: every optimization needs one")
	}
	if o.Switch == "" && len(o.Knobs) == 0 {
		bad("switch and knobs are empty: it must move something")
	}
	if o.Switch != "" {
		if k, ok := s.Knob(o.Switch); !ok || k.Kind != Switch {
			bad("switch %q: must name a switch of the space", o.Switch)
		}
	}
	for _, name := range o.Knobs {
		if _, ok := s.Knob(name); !ok {
			bad("knob %q: must name a knob of the space", name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(o.Start)) {
		v := o.Start[name]
		k, ok := s.Knob(name)
		if !ok {
			bad("start of %q: must name a knob of the space", name)
			continue
		}
		if err := k.CheckValue(v); err != nil {
			bad("start of %w", err)
		}
	}
	switch o.Equivalence {
	case Exact:
	case Bounded:
		if o.MayDiffer == "" {
			bad("may_differ is empty: a bounded one must say what may differ")
		}
	default:
		bad("equivalence %d: must be exact or bounded", int(o.Equivalence))
	}
	return errors.Join(errs...)
}
