package knobs

import (
	"time"

	"autotune/controller"
)

// Integer is what an Int may be of.
type Integer interface {
	~int | ~int8 | ~int16 | ~int32 | ~int64 | ~uint | ~uint8 | ~uint16 | ~uint32 | ~uint64
}

// Bool is a switch.
func Bool(name string, get func() bool, set func(bool)) Actuator {
	return pair(controller.Knob{Name: name, Kind: controller.Switch},
		func() float64 {
			if get() {
				return 1
			}
			return 0
		},
		func(v float64) { set(v != 0) }).given(get != nil, "get").given(set != nil, "set")
}

// Int is a whole number of a unit ("rows", "goroutines") within bounds, inclusive.
// Values beyond 2^53 lose digits.
func Int[T Integer](name, unit string, least, most T, get func() T, set func(T)) Actuator {
	return pair(controller.Knob{Name: name, Kind: controller.Int, Unit: unit, Min: float64(least), Max: float64(most)},
		func() float64 { return float64(get()) }, func(v float64) { set(T(v)) }).given(get != nil, "get").given(set != nil, "set")
}

// Float is a number of a unit within bounds, inclusive.
func Float(name, unit string, least, most float64, get func() float64, set func(float64)) Actuator {
	return pair(controller.Knob{Name: name, Kind: controller.Float, Unit: unit, Min: least, Max: most}, get, set).given(get != nil, "get").given(set != nil, "set")
}

// Duration is a time within bounds, inclusive.
func Duration(name string, least, most time.Duration, get func() time.Duration, set func(time.Duration)) Actuator {
	return pair(controller.Knob{Name: name, Kind: controller.Duration, Unit: "s", Min: least.Seconds(), Max: most.Seconds()},
		func() float64 { return get().Seconds() },
		func(v float64) { set(time.Duration(v*1e9 + 0.5)) }).given(get != nil, "get").given(set != nil, "set")
}

// Enum is one of several values, which are alternatives and no amounts: get and
// set speak of their places in the list, from 0.
func Enum(name string, choices int, get func() int, set func(int)) Actuator {
	levels := make([]float64, choices)
	for i := range levels {
		levels[i] = float64(i)
	}
	return pair(controller.Knob{Name: name, Kind: controller.Enum, Max: float64(max(choices-1, 0)), Levels: levels},
		func() float64 { return float64(get()) }, func(v float64) { set(int(v)) }).given(get != nil, "get").given(set != nil, "set")
}

// pair is the actuator of two functions that cannot fail.
func pair(k controller.Knob, get func() float64, set func(float64)) Actuator {
	return Actuator{
		Knob: k,
		Get:  func() (float64, error) { return get(), nil },
		Set: func(v float64) error {
			set(v)
			return nil
		},
	}
}
