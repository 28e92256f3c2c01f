package policies

import (
	"math"

	"autotune/controller"
)

// ladder is a one-dimensional search on a noisy knob: a step up, a step down,
// then both with a smaller step, until the smallest is done. A kept step is
// repeated. Each rung costs a whole trial, so there are few, and coarse ones
// first: most of a gain is in the order of magnitude.
type ladder struct {
	rung int     // how many moves in a row were not kept
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
		step := rungs[i/2]
		if i%2 == 1 {
			step = -step
		}
		if i < 2 && step*l.came < 0 {
			continue
		}
		if to := k.Clamp(move(k, now, step)); to != now && k.CheckMove(now, to) == nil {
			out = append(out, to)
		}
	}
	return out
}

func move(k controller.Knob, now, step float64) float64 {
	if k.Scale == controller.Log {
		factor := 2.0
		if k.MaxMove > 0 {
			factor = math.Min(factor, k.MaxMove)
		}
		return now * math.Pow(factor, step)
	}
	low, high := k.Bounds()
	size := (high - low) * linearStep
	if k.MaxMove > 0 {
		size = math.Min(size, k.MaxMove)
	}
	return now + size*step
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
	switch t.Reason {
	case controller.Stopped, controller.RecordFailed, controller.ExternalChange, controller.Pinned:
		return // interrupted: says nothing about the move
	}
	l.rung++
}
