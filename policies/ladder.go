package policies

import (
	"math"
	"slices"
	"time"

	"autotune/controller"
)

// ladder is a one-dimensional search on a noisy knob, by brackets. It holds what
// trials showed of values, relative to each other, and goes three ways:
//
//   - On: a step up, or down. A kept step is repeated, and after two in a row
//     doubled, as far as the knob lets it: most of a gain is in the order of magnitude.
//   - Back: a value that was shown worse ends its side, as responses are taken to have
//     one lowest point (unimodal); and makes the other side the first to be tried. So
//     does one that made no difference, or none that could be shown: a flat response
//     stops the search, whatever the step.
//   - Between: where both sides are worse, the lowest point of the parabola through the
//     three, if it promises an effect worth having (Brent, 1973, without the golden
//     section: each point costs a whole trial, and the noise is not known to the last
//     digit).
//
// What is known is forgotten after a rest, and holds in its regime only: a bracket
// is a rule, and what was shown before is a belief (Experience), which says what is not
// worth another look. The whole evidence is used, not only the
// verdict: the interval of the effect on the goal that decided. The zero value knows
// nothing.
type ladder struct {
	points []point
	came   float64 // sign of the last kept move
	run    int     // kept moves in a row in that direction
	last   float64 // effect of the last trial, log units
	regime int     // of all that
}

// point is a value that a trial compared with another.
type point struct {
	at, cost float64 // log units, relative to the other points; less is better
	clear    bool    // its difference from the value that it was compared with is shown
	until    time.Time
}

// sizes are the steps, as a share of a doubling (log) or of the range (linear). The
// smaller one is for a value that may not be tried, as a guard tripped there.
var sizes = [...]float64{1, 0.5}

// worthHaving is the least effect of a number that is looked for, log units: the
// controller's own default.
const worthHaving = 0.03

// side of the value in force.
type side int

const (
	open  side = iota // nothing is known
	worse             // shown worse: the lowest point is before it
	flat              // no difference, or none that could be shown
	wall              // the knob ends
)

// moves returns the values to try next from now on, in order of preference.
func (l *ladder) moves(k controller.Knob, now float64, at time.Time) []float64 {
	var out []float64
	add := func(to float64) {
		if to != now && !slices.Contains(out, to) && k.CheckMove(now, to) == nil {
			out = append(out, to)
		}
	}
	switch {
	case k.Kind == controller.Switch:
		return nil
	case k.Kind == controller.Enum: // no order among the values
		for _, to := range k.Levels {
			if !l.knows(to, at) {
				add(to)
			}
		}
		return out
	}
	up, down := l.side(k, now, at, true), l.side(k, now, at, false)
	upFirst := l.came >= 0
	for _, size := range sizes {
		for _, isUp := range []bool{upFirst, !upFirst} {
			if isUp && up != open || !isUp && down != open {
				continue
			}
			to := step(k, now, size, isUp)
			if size == 1 && l.run >= 2 && isUp == (l.came > 0) {
				if far := step(k, now, 2, isUp); !l.knows(far, at) {
					to = far
				}
			}
			add(to)
		}
	}
	if len(out) == 0 && (up == worse && (down == worse || down == wall) || up == wall && down == worse) {
		if to, ok := l.between(k, now, at); ok {
			add(to)
		}
	}
	return out
}

// paying reports whether another step promises as much as a number that nothing is
// known of: its last one did, or there was none.
func (l *ladder) paying(at time.Time) bool {
	return math.Expm1(l.last) <= -notMeasured || !slices.ContainsFunc(l.points, func(p point) bool { return !at.After(p.until) })
}

// side says what is known in a direction.
func (l *ladder) side(k controller.Knob, now float64, at time.Time, isUp bool) side {
	if step(k, now, 1, isUp) == now {
		return wall
	}
	here, next := l.cost(now), step(k, now, 1, isUp)
	s := open
	for _, p := range l.points {
		switch {
		case at.After(p.until), p.at == now, p.at > now != isUp:
		case p.clear && p.cost > here:
			return worse
		case p.at > next == isUp && p.at != next: // as good after a long step: the lowest point may be before it
		default:
			s = flat
		}
	}
	return s
}

// knows reports whether something is remembered of a value.
func (l *ladder) knows(v float64, at time.Time) bool {
	return slices.ContainsFunc(l.points, func(p point) bool { return p.at == v && !at.After(p.until) })
}

// cost of a value, 0 if nothing is known.
func (l *ladder) cost(v float64) float64 {
	for _, p := range l.points {
		if p.at == v {
			return p.cost
		}
	}
	return 0
}

// between returns the lowest point of the parabola through the value in force and
// its nearest known neighbors, if it promises enough.
func (l *ladder) between(k controller.Knob, now float64, at time.Time) (float64, bool) {
	scale, back := func(v float64) float64 { return v }, func(x float64) float64 { return x }
	if k.Scale == controller.Log {
		scale, back = math.Log, math.Exp
	}
	x, y := scale(now), l.cost(now)
	low, high := point{at: math.Inf(-1)}, point{at: math.Inf(1)}
	for _, p := range l.points {
		switch {
		case at.After(p.until):
		case p.at < now && p.at > low.at:
			low = p
		case p.at > now && p.at < high.at:
			high = p
		}
	}
	if math.IsInf(low.at, 0) || math.IsInf(high.at, 0) {
		return 0, false
	}
	a, b := x-scale(low.at), scale(high.at)-x
	ya, yb := low.cost-y, high.cost-y // both above 0
	curve := (ya/a + yb/b) / (a + b)
	slope := (yb*a/b - ya*b/a) / (a + b)
	if !(curve > 0) {
		return 0, false
	}
	move := -slope / (2 * curve)
	if gain := slope * slope / (4 * curve); gain < worthHaving {
		return 0, false
	}
	return k.Clamp(back(x + min(max(move, -a/2), b/2))), true
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
		far := max(1, int(1/size))
		if !up {
			far = -far
		} else if !exact {
			far-- // i is the next one up already
		}
		return k.Levels[min(max(i+far, 0), len(k.Levels)-1)]
	case k.Scale == controller.Log:
		factor := math.Pow(2, size)
		if k.MaxMove > 0 {
			factor = math.Min(factor, math.Pow(k.MaxMove, min(size, 1)))
		}
		return k.Clamp(now * math.Pow(factor, sign))
	}
	stride := size * (high - low) * linearStep
	if k.MaxMove > 0 {
		stride = math.Min(stride, min(size, 1)*k.MaxMove)
	}
	return k.Clamp(now + sign*stride)
}

// linearStep is the largest linear step, as a share of the knob's range.
const linearStep = 0.25

// learn takes what a trial showed of a value, compared with the one in force.
func (l *ladder) learn(t *controller.Trial, from, to float64) {
	effect, plain := shown(t)
	until := t.Ended.Add(rest * t.Ended.Sub(t.Started))
	if t.Regime != l.regime {
		*l = ladder{regime: t.Regime}
	}
	if !l.knows(from, t.Ended) { // compared with nothing that is known
		l.points = nil
	}
	cost := l.cost(from)
	l.forget(t.Ended, from, to)
	sign := math.Copysign(1, to-from)
	kept := t.Outcome == controller.Kept
	l.last = effect
	l.points = append(l.points,
		point{at: from, cost: cost, clear: kept, until: until},
		point{at: to, cost: cost + effect, clear: plain, until: until},
	)
	if !kept {
		return
	}
	if l.came != sign {
		l.run = 0
	}
	l.came = sign
	l.run++
}

// forget drops what is old, and what is about to be known anew.
func (l *ladder) forget(at time.Time, values ...float64) {
	l.points = slices.DeleteFunc(l.points, func(p point) bool { return at.After(p.until) || slices.Contains(values, p.at) })
}

// shown is the effect of a trial on the goal that decided it, and whether it is
// shown to be one: that of highest rank whose interval excludes no effect, else that
// of the top goal, which is as good as none.
func shown(t *controller.Trial) (effect float64, plain bool) {
	all := t.Intervals()
	for _, i := range all {
		better := t.Outcome == controller.Kept
		if better && i.High < 0 || !better && i.Low > 0 {
			return i.Mid(), true
		}
	}
	switch {
	case t.Outcome == controller.Kept: // its interval is wide, and the test is sharper
		return -worthHaving, true
	case t.Reason == controller.Worse:
		return worthHaving, true
	case len(all) > 0:
		return all[0].Mid(), false
	}
	return 0, false
}
