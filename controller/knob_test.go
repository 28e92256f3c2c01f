package controller_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	. "autotune/controller" //nolint:revive // the tests of a vocabulary read better with it
)

var (
	nan = math.NaN()
	inf = math.Inf(1)
)

// Every message names the field, the value and the rule.
func TestKnob_checkNamesFieldValueAndRule(t *testing.T) {
	for _, c := range []struct {
		knob Knob
		says string // "" is well defined
	}{
		{Knob{Name: "s", Kind: Switch}, ""},
		{Knob{Name: "s", Kind: Switch, Min: 7, Max: -1, MaxMove: nan}, ""}, // a switch has bounds of its own
		{Knob{Name: "i", Kind: Int, Min: 1, Max: 1}, ""},
		{Knob{Name: "d", Kind: Duration, Min: 0, Max: 60, MaxMove: 5}, ""},
		{Knob{Name: "l", Kind: Float, Min: 0.1, Max: 10, Scale: Log, MaxMove: 2}, ""},
		{Knob{Name: "e", Kind: Enum, Max: 2, Levels: []float64{0, 1, 2}}, ""},
		{Knob{Name: "f", Kind: Float, Max: 9, Floor: new(0.0), Ceiling: new(9.0)}, ""},
		{Knob{Kind: Switch}, "knob: name is empty: every knob needs one"},
		{Knob{Name: "k"}, "knob k: kind 0: must be one of switch, int"},
		{Knob{Name: "k", Kind: 6}, "knob k: kind 6: must be one of"},
		{Knob{Name: "k", Kind: Int, Scale: 3}, "knob k: scale 3: must be linear or log"},
		{Knob{Name: "k", Kind: Int, Scale: -1}, "knob k: scale -1: must be"},
		{Knob{Name: "k", Kind: Int, Min: nan}, "knob k: min NaN: must be a finite number"},
		{Knob{Name: "k", Kind: Int, Max: inf}, "knob k: max +Inf: must be a finite number"},
		{Knob{Name: "k", Kind: Int, MaxMove: inf}, "knob k: max_move +Inf: must be a finite number"},
		{Knob{Name: "k", Kind: Int, Min: 2, Max: 1}, "knob k: min 2 > max 1: min must not exceed max"},
		{Knob{Name: "k", Kind: Float, Max: 1, Scale: Log}, "knob k: min 0: must be above 0 on a log scale"},
		{Knob{Name: "k", Kind: Float, Max: 1, MaxMove: -1}, "knob k: max_move -1: must be above 0"},
		{Knob{Name: "k", Kind: Float, Min: 1, Max: 2, Scale: Log, MaxMove: 0.5}, "knob k: max_move 0.5: must be above 0 on a linear scale, above 1"},
		{Knob{Name: "k", Kind: Float, Max: 1, Floor: new(2.0)}, "knob k: floor 2: must be within 0..1"},
		{Knob{Name: "k", Kind: Float, Max: 1, Floor: new(nan)}, "knob k: floor NaN: must be within 0..1"},
		{Knob{Name: "k", Kind: Float, Max: 1, Ceiling: new(-1.0)}, "knob k: ceiling -1: must be within 0..1"},
		{Knob{Name: "k", Kind: Float, Max: 1, Ceiling: new(nan)}, "knob k: ceiling NaN: must be within 0..1"},
		{Knob{Name: "k", Kind: Float, Max: 1, Floor: new(0.8), Ceiling: new(0.2)}, "knob k: floor 0.8 > ceiling 0.2: floor must not exceed ceiling"},
		{Knob{Name: "k", Kind: Enum, Max: 1}, "knob k: levels are empty: an enum needs its values"},
		{Knob{Name: "k", Kind: Int, Max: 9, Levels: []float64{3, 1}}, "knob k: levels [3 1]: must ascend"},
		{Knob{Name: "k", Kind: Int, Max: 9, Levels: []float64{1, nan}}, "knob k: levels [1 NaN]: must ascend"},
		{Knob{Name: "k", Kind: Int, Max: 9, Levels: []float64{1, 10}}, "knob k: level 10: must be within 0..9"},
	} {
		err := c.knob.Check()
		if c.says == "" {
			require.NoError(t, err)
			continue
		}
		require.ErrorContains(t, err, c.says)
	}
}

func TestKnob_checkValue(t *testing.T) {
	whole := Knob{Name: "i", Kind: Int, Min: 1, Max: 10}
	level := Knob{Name: "e", Kind: Enum, Max: 4, Levels: []float64{0, 2, 4}}
	for _, c := range []struct {
		knob Knob
		v    float64
		says string
	}{
		{Knob{Name: "s", Kind: Switch}, 1, ""},
		{Knob{Name: "s", Kind: Switch}, 0.5, "s 0.5: must be 0 (off) or 1 (on)"},
		{whole, 10, ""},
		{whole, 11, "i 11: must be within 1..10"},
		{whole, 0, "i 0: must be within 1..10"},
		{whole, 2.5, "i 2.5: must be a whole number"},
		{whole, nan, "i NaN: must be a finite number"},
		{whole, -inf, "i -Inf: must be a finite number"},
		{level, 2, ""},
		{level, 3, "e 3: must be one of [0 2 4]"},
		{Knob{Name: "f", Kind: Float, Max: 1, Floor: new(0.5)}, 0.2, ""}, // what is found in force may be below the owner's floor
	} {
		err := c.knob.CheckValue(c.v)
		if c.says == "" {
			require.NoError(t, err)
			continue
		}
		require.ErrorContains(t, err, c.says)
	}
}

func TestKnob_checkMove(t *testing.T) {
	ratio := Knob{Name: "n", Kind: Int, Min: 1, Max: 1000, Scale: Log, MaxMove: 2, Floor: new(10.0)}
	step := Knob{Name: "f", Kind: Float, Min: -10, Max: 10, MaxMove: 3}
	for _, c := range []struct {
		knob     Knob
		from, to float64
		says     string
	}{
		{ratio, 100, 200, ""},
		{ratio, 100, 50, ""},
		{ratio, 100, 201, "n 100 -> 201: one trial may move it by a factor of 2 at most"},
		{ratio, 100, 49, "by a factor of 2 at most"},
		{ratio, 10, 9, "n 9: must be within the owner's limits 10..1000"},
		{ratio, 5, 5, ""}, // below the floor already, and not moved
		{ratio, 0, 10, "no trial may leave: n 0: must be within"},
		{ratio, -1, 25, "no trial may leave: n -1: must be within"},
		{ratio, nan, 10, "no trial may leave: n NaN"},
		{step, 0, 3, ""},
		{step, 0, -3, ""},
		{step, 0, 3.1, "f 0 -> 3.1: one trial may move it by 3 at most"},
		{step, nan, 1, "no trial may leave: f NaN"},
		{step, 9, 11, "f 11: must be within -10..10"},
		{Knob{Name: "s", Kind: Switch, MaxMove: 0.1}, 0, 1, ""},
	} {
		err := c.knob.CheckMove(c.from, c.to)
		if c.says == "" {
			require.NoError(t, err)
			continue
		}
		require.ErrorContains(t, err, c.says)
	}
}

// What Clamp returns is a value that the knob takes, within the owner's limits.
func TestKnob_clampReturnsAnAllowedValue(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k := Knob{Name: "k", Kind: rapid.SampledFrom([]Kind{Switch, Int, Float, Duration}).Draw(t, "kind")}
		k.Min = float64(rapid.IntRange(-50, 50).Draw(t, "min"))
		k.Max = k.Min + float64(rapid.IntRange(0, 100).Draw(t, "range"))
		if rapid.Bool().Draw(t, "floor") {
			k.Floor = new(k.Min + (k.Max-k.Min)*rapid.Float64Range(0, 0.5).Draw(t, "floor at"))
		}
		if rapid.Bool().Draw(t, "ceiling") {
			k.Ceiling = new(k.Min + (k.Max-k.Min)*rapid.Float64Range(0.5, 1).Draw(t, "ceiling at"))
		}
		low, high := k.Bounds()
		if k.Kind == Int && math.Ceil(low) > math.Floor(high) {
			t.Skip("no whole number within the limits")
		}
		if rapid.Bool().Draw(t, "levels") && k.Kind != Switch {
			k.Levels = []float64{math.Ceil(low), math.Ceil(low)}
			if math.Ceil(low) > high {
				t.Skip("no level within the limits")
			}
		}
		v := k.Clamp(rapid.Float64().Draw(t, "v"))
		if err := k.CheckValue(v); err != nil {
			t.Fatal(err)
		}
		if v < low || v > high {
			t.Fatalf("%v is outside %v..%v", v, low, high)
		}
	})
}
