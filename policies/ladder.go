package policies

import (
	"math"
	"slices"

	"autotune/controller"
)

// ladder is a one-dimensional search on a noisy knob: a step up, a step down,
// then both with a smaller step, until the smallest is done. A kept step is
// repeated. Each rung costs a whole trial, so there are few, and coarse ones
// first: most of a gain is in the order of magnitude.
type ladder struct {
	rung int     // the next step to try: moves in a row that were not kept
	came float64 // sign of the last kept move: its full way back was just shown worse
}

// rungs are the step sizes, as a share of a doubling (log) or of the range
// (linear); each is tried up, then down.
var rungs = [...]float64{1, 0.5}

// linearStep is the largest linear step, as a share of the knob's range.
const linearStep = 0.25

// moves returns the values to try next from now on, in order of preference.
func (l *ladder) moves(k controller.Knob, now float64) []float64 {
	if k.Kind == controller.Switch || k.Kind == controller.Enum && len(k.Levels) < 2 {
		return nil
	}
	var out []float64
	for i := l.rung; i < 2*len(rungs); i++ {
		up := i%2 == 0
		if i < 2 && l.came != 0 && up != (l.came > 0) {
			continue
		}
		to := step(k, now, rungs[i/2], up)
		if to != now && !slices.Contains(out, to) && k.CheckMove(now, to) == nil {
			out = append(out, to)
		}
	}
	return out
}

// step returns the value one step away. Of a list of levels it is the next one
// up or down, and with the smaller step the one after that.
func step(k controller.Knob, now, size float64, up bool) float64 {
	sign := -1.0
	if up {
		sign = 1
	}
	low, high := k.Bounds()
	switch {
	case len(k.Levels) > 0:
		i, exact := slices.BinarySearch(k.Levels, now)
		far := int(1 / size)
		if !up {
			far = -far
		} else if !exact {
			far-- // i is the next one up already
		}
		return k.Levels[min(max(i+far, 0), len(k.Levels)-1)]
	case k.Scale == controller.Log:
		factor := 2.0
		if k.MaxMove > 0 {
			factor = math.Min(factor, k.MaxMove)
		}
		return k.Clamp(now * math.Pow(factor, sign*size))
	}
	stride := (high - low) * linearStep
	if k.MaxMove > 0 {
		stride = math.Min(stride, k.MaxMove)
	}
	return k.Clamp(now + sign*size*stride)
}

// learn goes to the next rung after a move that was not kept; a kept one starts
// afresh from the new value. up says which way the move went.
func (l *ladder) learn(t controller.Trial, up bool) {
	if t.Outcome == controller.Kept {
		l.rung, l.came = 0, -1
		if up {
			l.came = 1
		}
		return
	}
	if t.Interrupted() {
		return
	}
	l.rung = (l.rung + 1) % (2 * len(rungs)) // all lost: again, when they have cooled down
}
