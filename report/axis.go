package report

import (
	"math"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
)

// label is what the axis says in the room it has: its unit is never cut.
func (a Axis) label(room vg.Length) string {
	if a.Unit == "" {
		return fit(a.Label, room)
	}
	unit := ", " + fit(a.Unit, room*0.7)
	return fit(a.Label, room-widthOf(unit)) + unit
}

// usable says whether a value can be drawn along the axis. What is beyond 30
// powers of ten is no measurement.
func (a Axis) usable(v float64) bool {
	return math.Abs(v) < 1e30 && (!a.Log || v > 1e-30)
}

// clip brings what is beyond the axis to its edge.
func (a Axis) clip(v float64) float64 {
	if a.Most > 0 {
		return min(v, a.Most)
	}
	return v
}

// span is the range of what is drawn.
type span struct{ min, max float64 }

func newSpan() span { return span{math.Inf(1), math.Inf(-1)} }

func (s *span) take(a Axis, v ...float64) {
	for _, x := range v {
		if a.usable(x) {
			x = a.clip(x)
			s.min, s.max = min(s.min, x), max(s.max, x)
		}
	}
}

// round makes it wide enough to be drawn, with the share of margin at both ends.
func (s *span) round(a Axis, low, high float64) {
	if a.Zero && !a.Log {
		s.min, s.max = min(s.min, 0), max(s.max, 0)
	}
	if s.min > s.max {
		s.min, s.max = 1, 2
	}
	if a.Log {
		if s.max < 1.1*s.min {
			s.min, s.max = s.min/1.1, s.max*1.1
		}
		r := s.max / s.min
		s.min, s.max = s.min/math.Pow(r, low), s.max*math.Pow(r, high)
		return
	}
	w := s.max - s.min
	if w <= 1e-9*max(math.Abs(s.min), math.Abs(s.max)) {
		w = max(math.Abs(s.max), 1)
		s.min, s.max = s.min-w/2, s.max+w/2
	}
	if !a.Zero || s.min < 0 {
		s.min -= low * w
	}
	s.max += high * w
}

// set gives the range and the looks to an axis of a plot.
func (a Axis) set(to *plot.Axis, s span, room vg.Length) {
	to.Min, to.Max = s.min, s.max
	to.Label.Text = a.label(room)
	to.Label.TextStyle.Font = sans
	to.Label.TextStyle.Color = ink
	to.Label.Padding = 4
	to.Tick.Label.Font = sans
	to.Tick.Label.Color = faint
	to.Tick.LineStyle = line(faint, 0.75)
	to.LineStyle = line(faint, 0.75)
	to.Tick.Length = 4
	to.Padding = 0
	to.Tick.Marker = plot.TickerFunc(func(low, high float64) []plot.Tick { return ticks(low, high, room) })
	if a.Log {
		to.Scale = plot.LogScale{}
		to.Tick.Marker = plot.TickerFunc(logTicks)
	}
}

// ticks are at multiples of 1, 2 or 5 times a power of ten, as many as the room has.
func ticks(low, high float64, room vg.Length) []plot.Tick {
	most := min(max(room.Points()/60, 2), 7)
	raw := (high - low) / most
	step := math.Pow(10, math.Floor(math.Log10(raw)))
	for _, m := range []float64{1, 2, 5, 10} {
		if m*step >= raw {
			step *= m
			break
		}
	}
	var out []plot.Tick
	for i := math.Ceil(low / step); i*step <= high*(1+1e-12) && len(out) < 50; i++ {
		out = append(out, plot.Tick{Value: i * step, Label: number(i*step, step)})
	}
	return out
}

// number has as many decimals as its step needs.
func number(v, step float64) string {
	if v == 0 {
		return "0"
	}
	if a := math.Abs(v); a >= 1e7 || a < 1e-4 {
		return strconv.FormatFloat(v, 'g', 3, 64)
	}
	return strconv.FormatFloat(v, 'f', max(0, -int(math.Floor(math.Log10(step)+1e-9))), 64)
}

func logTicks(low, high float64) []plot.Tick {
	decades := math.Log10(high / low)
	var out []plot.Tick
	for e := math.Floor(math.Log10(low)); e <= math.Ceil(math.Log10(high)); e++ {
		for m := 1.0; m < 10; m++ {
			v := m * math.Pow(10, e)
			if v < low || v > high {
				continue
			}
			t := plot.Tick{Value: v}
			if m == 1 || decades < 2.5 && (m == 2 || m == 5) || decades < 0.7 {
				t.Label = number(v, math.Pow(10, e))
			}
			out = append(out, t)
		}
	}
	return out
}
