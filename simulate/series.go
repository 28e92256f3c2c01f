package simulate

import (
	"context"
	"errors"
	"time"

	"autotune/controller"
)

const (
	// SeriesValue is the one metric of a Series, a gauge.
	SeriesValue controller.Metric = "value"
	// SeriesSwitch is its one knob: it puts the candidate in force.
	SeriesSwitch = "candidate"
	// seriesTick is the virtual time that a recorded value lasts.
	seriesTick = time.Second
)

// ErrSeriesEnded is the error of Observe when no recorded value is left.
var ErrSeriesEnded = errors.New("the recorded series has ended")

// Series is a recorded series of measurements as a target: each Observe reads
// the next value, in recorded order, whatever its drift and correlation are. It
// is never shuffled and never wrapped round. While the candidate is in force,
// values are multiplied by 1+effect: with an effect of zero a trial has nothing
// to find, and nobody had to assume how noise behaves.
//
// As live, the candidate's and the safe blocks are different stretches of the
// series: what was measured under one setting is not known for the other.
// Not safe for concurrent use.
type Series struct {
	values []float64 // not read yet
	effect float64
	set    controller.Setting
	now    time.Time
	gauges map[controller.Metric]float64
}

var _ controller.Target = (*Series)(nil)

// seriesStart is the virtual time of the first value's start.
var seriesStart = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// NewSeries returns a target that reads values, which it does not change, and
// whose candidate multiplies them by 1+effect; effect must be above -1.
func NewSeries(values []float64, effect float64) *Series {
	return &Series{
		values: values, effect: effect, now: seriesStart,
		set:    controller.SettingOf(map[string]float64{SeriesSwitch: 0}),
		gauges: map[controller.Metric]float64{},
	}
}

// Space has one switch, the candidate.
func (s *Series) Space() controller.Space {
	return controller.Space{Knobs: []controller.Knob{{Name: SeriesSwitch, Kind: controller.Switch}}}
}

// Current returns the setting in force.
func (s *Series) Current(context.Context) (controller.Setting, error) { return s.set, nil }

// Apply puts a setting in force, for the values still to come.
func (s *Series) Apply(_ context.Context, to controller.Setting) error {
	s.set = to
	return nil
}

// Observe reads the next value, however short d is; no time reads none. The
// sample is valid until the next call.
func (s *Series) Observe(_ context.Context, _ uint64, d time.Duration) (controller.Sample, error) {
	if d <= 0 {
		return controller.Sample{At: s.now}, nil
	}
	if len(s.values) == 0 {
		return controller.Sample{At: s.now}, ErrSeriesEnded
	}
	s.now = s.now.Add(seriesTick)
	v := s.values[0]
	s.values = s.values[1:]
	if s.set.On(SeriesSwitch) {
		v *= 1 + s.effect
	}
	s.gauges[SeriesValue] = v
	return controller.Sample{At: s.now, Over: seriesTick, Gauges: s.gauges}, nil
}
