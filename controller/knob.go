package controller

import (
	"fmt"
	"math"
	"slices"
	"time"
)

// Kind is the type of value a knob takes. On the wire and inside a Setting
// every value is a float64: a Switch is 0 or 1, an Int has no fraction, a
// Duration is in seconds, an Enum is an index into its Levels.
type Kind int

// The kinds of knobs.
const (
	Switch Kind = iota + 1
	Int
	Float
	Duration
	Enum
)

var kindNames = [...]string{"", "switch", "int", "float", "duration", "enum"}

// String returns the kind's name.
func (k Kind) String() string { return enumName(kindNames[:], int(k), "Kind") }

// Scale says how steps along a knob are measured.
type Scale int

// The scales. Linear is the default: differences count. On Log, ratios count.
const (
	Linear Scale = iota + 1
	Log
)

var scaleNames = [...]string{"", "linear", "log"}

// String returns the scale's name.
func (s Scale) String() string { return enumName(scaleNames[:], int(s), "Scale") }

// Knob is one thing that can be changed while the service runs. It is plain
// data: who sets it is the Target's business. The zero value of a field other
// than Name and Kind means "no such limit".
type Knob struct {
	// Name identifies the knob everywhere: journal, configuration, reports.
	// Where the guide has a field for it, that field's name.
	Name string `json:"name"`
	Kind Kind   `json:"kind"`
	// Unit of the value, for people: "entries", "s", "bytes". Empty for a Switch.
	Unit string `json:"unit,omitempty"`
	// Min and Max bound the value, inclusive. A Switch has 0 and 1 whatever is set here.
	Min float64 `json:"min"`
	Max float64 `json:"max"`
	// Scale says whether steps are ratios (Log) or differences (Linear, the default).
	Scale Scale `json:"scale,omitempty"`
	// Levels lists the allowed values, ascending, if only some are.
	Levels []float64 `json:"levels,omitempty"`
	// MaxMove is the largest change in one trial: a ratio above 1 on Log, a
	// difference on Linear. 0 means no limit. A Switch ignores it.
	MaxMove float64 `json:"max_move,omitempty"`
	// Settle is how long after a change its effect is steady; it lengthens the washout.
	Settle time.Duration `json:"settle,omitempty"`
	// Period is how often the knob acts. One that acts more rarely than a block
	// lasts cannot be judged by blocks: it is advised, never tried.
	Period time.Duration `json:"period,omitempty"`
	// PeriodOf names the knob whose value, in seconds, is how often this one acts:
	// a switch that turns on what happens at an interval. Its blocks are at least
	// two such periods long; where that is more than twelve usual blocks it is not
	// tried, and said to be so.
	PeriodOf string `json:"period_of,omitempty"`
	// Defers says that the knob moves work to later (batching, GC, cleanup), so
	// that cost can land in the other arm's block.
	Defers bool `json:"defers,omitempty"`
	// Risky asks for a first short look at a candidate that moves it, watched by
	// the guards only, before whole blocks of it.
	Risky bool `json:"risky,omitempty"`
	// Needs names the switch that must be on for this knob to matter.
	Needs string `json:"needs,omitempty"`
	// Floor is the owner's limit on what may be traded away (least sampling
	// rate, most entries): no candidate goes below it.
	Floor *float64 `json:"floor,omitempty"`
	// Ceiling is the owner's limit from above (longest staleness).
	Ceiling *float64 `json:"ceiling,omitempty"`
}

// Check reports what is wrong with the knob's definition, or nil. The error
// names the field, the value and the rule.
func (k Knob) Check() error {
	switch {
	case k.Name == "":
		return fmt.Errorf("knob: name is empty: every knob needs one")
	case k.Kind < Switch || k.Kind > Enum:
		return fmt.Errorf("knob %s: kind %d: must be one of switch, int, float, duration, enum", k.Name, int(k.Kind))
	case k.Scale < 0 || k.Scale > Log:
		return fmt.Errorf("knob %s: scale %d: must be linear or log", k.Name, int(k.Scale))
	}
	if k.Kind == Switch {
		return nil
	}
	for _, f := range []struct {
		name string
		v    float64
	}{{"min", k.Min}, {"max", k.Max}, {"max_move", k.MaxMove}} {
		if math.IsNaN(f.v) || math.IsInf(f.v, 0) {
			return fmt.Errorf("knob %s: %s %v: must be a finite number", k.Name, f.name, f.v)
		}
	}
	switch {
	case k.Min > k.Max:
		return fmt.Errorf("knob %s: min %v > max %v: min must not exceed max", k.Name, k.Min, k.Max)
	case k.Scale == Log && k.Min <= 0:
		return fmt.Errorf("knob %s: min %v: must be above 0 on a log scale", k.Name, k.Min)
	case k.MaxMove < 0, k.Scale == Log && k.MaxMove != 0 && k.MaxMove <= 1:
		return fmt.Errorf("knob %s: max_move %v: must be above 0 on a linear scale, above 1 on a log scale", k.Name, k.MaxMove)
	case k.Floor != nil && !(*k.Floor >= k.Min && *k.Floor <= k.Max):
		return fmt.Errorf("knob %s: floor %v: must be within %v..%v", k.Name, *k.Floor, k.Min, k.Max)
	case k.Ceiling != nil && !(*k.Ceiling >= k.Min && *k.Ceiling <= k.Max):
		return fmt.Errorf("knob %s: ceiling %v: must be within %v..%v", k.Name, *k.Ceiling, k.Min, k.Max)
	case k.Floor != nil && k.Ceiling != nil && *k.Floor > *k.Ceiling:
		return fmt.Errorf("knob %s: floor %v > ceiling %v: floor must not exceed ceiling", k.Name, *k.Floor, *k.Ceiling)
	case k.Kind == Enum && len(k.Levels) == 0:
		return fmt.Errorf("knob %s: levels are empty: an enum needs its values", k.Name)
	case !slices.IsSorted(k.Levels):
		return fmt.Errorf("knob %s: levels %v: must ascend", k.Name, k.Levels)
	}
	for _, l := range k.Levels {
		if !(l >= k.Min && l <= k.Max) {
			return fmt.Errorf("knob %s: level %v: must be within %v..%v", k.Name, l, k.Min, k.Max)
		}
	}
	return nil
}

// Bounds returns the lowest and highest value that a candidate may have: Min
// and Max narrowed by the owner's Floor and Ceiling.
func (k Knob) Bounds() (low, high float64) {
	if k.Kind == Switch {
		return 0, 1
	}
	low, high = k.Min, k.Max
	if k.Floor != nil {
		low = max(low, *k.Floor)
	}
	if k.Ceiling != nil {
		high = min(high, *k.Ceiling)
	}
	return low, high
}

// CheckValue reports why v is not a value of the knob, or nil: out of Min..Max,
// a fraction where whole numbers are asked for, or not one of Levels.
func (k Knob) CheckValue(v float64) error {
	switch {
	case math.IsNaN(v) || math.IsInf(v, 0):
		return fmt.Errorf("%s %v: must be a finite number", k.Name, v)
	case k.Kind == Switch && v != 0 && v != 1:
		return fmt.Errorf("%s %v: must be 0 (off) or 1 (on)", k.Name, v)
	case k.Kind == Switch:
		return nil
	case v < k.Min || v > k.Max:
		return fmt.Errorf("%s %v: must be within %v..%v", k.Name, v, k.Min, k.Max)
	case k.Kind == Int && v != math.Trunc(v):
		return fmt.Errorf("%s %v: must be a whole number", k.Name, v)
	case len(k.Levels) > 0 && !slices.Contains(k.Levels, v):
		return fmt.Errorf("%s %v: must be one of %v", k.Name, v, k.Levels)
	}
	return nil
}

// mayBe reports whether the knob may have a value, however it gets there: it is one
// of the knob's, within the owner's limits.
func (k Knob) mayBe(v float64) bool {
	low, high := k.Bounds()
	return k.CheckValue(v) == nil && v >= low && v <= high
}

// CheckMove reports why a trial may not move the knob from one value to the
// other, or nil: outside Bounds, or further than MaxMove.
func (k Knob) CheckMove(from, to float64) error {
	if from == to {
		return nil // whatever it is, it stays
	}
	if err := k.CheckValue(to); err != nil {
		return err
	}
	if err := k.CheckValue(from); err != nil {
		return fmt.Errorf("in force is a value that no trial may leave: %w", err)
	}
	if k.Kind == Switch {
		return nil
	}
	if low, high := k.Bounds(); to < low || to > high {
		return fmt.Errorf("%s %v: must be within the owner's limits %v..%v", k.Name, to, low, high)
	}
	if k.MaxMove == 0 {
		return nil
	}
	const slack = 1 + 1e-9
	switch k.Scale {
	case Log:
		if r := math.Max(to/from, from/to); !(r <= k.MaxMove*slack) {
			return fmt.Errorf("%s %v -> %v: one trial may move it by a factor of %v at most", k.Name, from, to, k.MaxMove)
		}
	default:
		if !(math.Abs(to-from) <= k.MaxMove*slack) {
			return fmt.Errorf("%s %v -> %v: one trial may move it by %v at most", k.Name, from, to, k.MaxMove)
		}
	}
	return nil
}

// Clamp returns the allowed value nearest to v within Bounds: rounded for an
// Int, the nearest of Levels if there are any. It is for searches that compute
// a next value; input from people is checked, never clamped.
func (k Knob) Clamp(v float64) float64 {
	low, high := k.Bounds()
	v = min(max(v, low), high)
	switch v = k.rounded(v); { // the nearest whole number may be outside a fractional limit
	case v < low:
		v = k.rounded(math.Ceil(low))
	case v > high:
		v = k.rounded(math.Floor(high))
	}
	if len(k.Levels) == 0 {
		return v
	}
	nearest, gap := v, math.Inf(1)
	for _, l := range k.Levels {
		if d := math.Abs(l - v); d < gap && l >= low && l <= high {
			nearest, gap = l, d
		}
	}
	return nearest
}

func (k Knob) rounded(v float64) float64 {
	if k.Kind == Int || k.Kind == Switch {
		return math.Round(v)
	}
	return v
}

func enumName(names []string, i int, kind string) string {
	if i <= 0 || i >= len(names) {
		return fmt.Sprintf("%s(%d)", kind, i)
	}
	return names[i]
}
