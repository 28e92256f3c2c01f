package policies

import (
	"math"
	"slices"
	"time"

	"gonum.org/v1/gonum/mat"

	"autotune/controller"
)

// surrogate is what trials showed, made into a belief about settings that were
// not tried: a Gaussian process over settings whose kernel adds up a part for
// each knob and a part for each pair of knobs (Duvenaud, Nickisch and Rasmussen,
// "Additive Gaussian processes", 2011). It is the same as a ridge regression with
// an indicator for each value and each pair of values, and a few dozen trials are
// enough for it, since it has no coefficient to estimate that no trial bears on.
//
// A trial shows a difference between two settings, y(to) - y(from), y being the
// log of a goal with less better, so the service's level, which drifts, cancels
// out. What it showed ages: with each change of regime, and with each longest
// cool-down, it correlates less with what is true now.
//
// Values of a number are alike by their distance on the ladder: half with each
// step. Two values of an enum or a switch are not alike.
//
// Which way it errs: it shrinks towards "no effect" and "knobs add up", so that it
// expects too little of what it saw little of.
type surrogate struct {
	space controller.Space
	seen  []sight // oldest first
	// alike has, of each sight, how alike it is to itself and to those before it. It
	// is all that grows with the square of what was seen, and a row is computed once.
	alike [][]likeness
	// Of the process: the standard deviation of a move, and the share of its variance
	// that is other knobs' doing.
	size, shared float64

	weights *mat.VecDense // of each sight
	factor  mat.Cholesky  // of the sights' covariance
}

// sight is the effect that a trial showed.
type sight struct {
	from, to spot
	effect   float64 // log, below zero is better
	sd       float64
	regime   int
	ended    time.Time
	era      float64 // of both, by what is believed
}

// spot is a setting, by knob: a value for which the likeness of two is the smaller
// over the larger (numbers), or whether they are equal (switches and enums).
type spot []float64

// likeness of two settings, or of two moves: summed over knobs, and over pairs of them.
type likeness struct{ single, pairs float64 }

// noise that no interval tells: what the model leaves out.
const misfit = 0.003

// aging is what a change of regime takes from the correlation of what is true before
// and after it. With effects of a tenth it is about 2 % in the effect.
const aging = 0.03

// The grids from which the process is chosen, by the likelihood of what was seen.
var (
	moveSizes  = [...]float64{0.03, 0.1, 0.3}
	moveShares = [...]float64{0.1, 0.4}
)

// spotOf a setting. A number's is doubled by a step of the ladder.
func spotOf(space controller.Space, s controller.Setting) spot {
	out := make(spot, len(space.Knobs))
	for i := range space.Knobs {
		k := &space.Knobs[i]
		v, _ := s.Get(k.Name)
		low, high := k.Bounds()
		switch {
		case nominal(k):
			out[i] = v
		case len(k.Levels) > 0:
			at, _ := slices.BinarySearch(k.Levels, v)
			out[i] = math.Exp2(float64(at))
		case k.Scale == controller.Log && v > 0:
			out[i] = v
		case high > low:
			out[i] = math.Exp2((k.Clamp(v) - low) / (high - low) / linearStep)
		default:
			out[i] = 1
		}
	}
	return out
}

// nominal: its values are names, not amounts.
func nominal(k *controller.Knob) bool {
	return k.Kind == controller.Switch || k.Kind == controller.Enum
}

// one knob's likeness of two values.
func (m *surrogate) one(knob int, a, b float64) float64 {
	switch {
	case a == b:
		return 1
	case nominal(&m.space.Knobs[knob]):
		return 0
	}
	return min(a, b) / max(a, b)
}

// sums over knobs: of their likeness, and of its square.
type sums struct{ plain, squares float64 }

func (s sums) likeness() likeness { return likeness{s.plain, (s.plain*s.plain - s.squares) / 2} }

func (m *surrogate) sums(a, b spot) sums {
	var s sums
	for i := range a {
		one := m.one(i, a[i], b[i])
		s.plain += one
		s.squares += one * one
	}
	return s
}

// moves is the likeness of two moves, of which the likenesses of their ends are known.
func (m *surrogate) moves(toTo, toFrom, fromTo, fromFrom likeness) likeness {
	others := float64(max(len(m.space.Knobs)-1, 1))
	return likeness{
		single: (toTo.single - toFrom.single - fromTo.single + fromFrom.single) / 2,
		pairs:  (toTo.pairs - toFrom.pairs - fromTo.pairs + fromFrom.pairs) / 2 / others,
	}
}

// add takes a sight.
func (m *surrogate) add(s sight) {
	m.seen = append(m.seen, s)
	row := make([]likeness, len(m.seen))
	for i := range m.seen {
		o := &m.seen[i]
		row[i] = m.moves(m.sums(s.to, o.to).likeness(), m.sums(s.to, o.from).likeness(), m.sums(s.from, o.to).likeness(), m.sums(s.from, o.from).likeness())
	}
	m.alike = append(m.alike, row)
}

// drop forgets the n oldest.
func (m *surrogate) drop(n int) {
	m.seen, m.alike = slices.Delete(m.seen, 0, n), slices.Delete(m.alike, 0, n)
	for i := range m.alike {
		m.alike[i] = m.alike[i][n:]
	}
}

// covariance of the process.
func (m *surrogate) covariance(l likeness, apart float64) float64 {
	return m.size * m.size * ((1-m.shared)*l.single + m.shared*l.pairs) * math.Exp(-aging*math.Abs(apart))
}

// fit picks the process from the grids and conditions it on what was seen. It reports
// whether there is anything to expect from.
func (m *surrogate) fit() bool {
	best, most := *m, math.Inf(-1)
	for _, size := range moveSizes {
		for _, shared := range moveShares {
			m.size, m.shared = size, shared
			if l, ok := m.condition(); ok && l > most {
				best, most = *m, l
			}
		}
	}
	*m = best
	return !math.IsInf(most, -1)
}

// condition factors the covariance, and returns the log likelihood but for a constant.
func (m *surrogate) condition() (float64, bool) {
	n := len(m.seen)
	if n == 0 {
		return 0, false
	}
	k, y := mat.NewSymDense(n, nil), mat.NewVecDense(n, nil)
	for i := range m.seen {
		a := &m.seen[i]
		for j := range i + 1 {
			k.SetSym(i, j, m.covariance(m.alike[i][j], a.era-m.seen[j].era))
		}
		k.SetSym(i, i, k.At(i, i)+a.sd*a.sd+misfit*misfit)
		y.SetVec(i, a.effect)
	}
	m.factor, m.weights = mat.Cholesky{}, mat.NewVecDense(n, nil)
	if !m.factor.Factorize(k) || m.factor.SolveVecTo(m.weights, y) != nil {
		return 0, false
	}
	return -(mat.Dot(y, m.weights) + m.factor.LogDet()) / 2, true
}

// standpoint is the setting from which moves are looked at. What it knows of the
// sights is the same for each move, which then costs only the knobs that it moves.
type standpoint struct {
	*surrogate
	at       spot
	to, from []sums // of each sight's two settings with this one
}

func (m *surrogate) standAt(at spot) standpoint {
	p := standpoint{surrogate: m, at: at}
	for i := range m.seen {
		p.to, p.from = append(p.to, m.sums(m.seen[i].to, at)), append(p.from, m.sums(m.seen[i].from, at))
	}
	return p
}

// moved is a sum with the standpoint, of a move that changes some knobs of it.
func (p *standpoint) moved(s sums, other, to spot, changed []int) sums {
	for _, i := range changed {
		was, is := p.one(i, other[i], p.at[i]), p.one(i, other[i], to[i])
		s.plain += is - was
		s.squares += is*is - was*was
	}
	return s
}

// expect returns the mean and standard deviation of the effect of going to a setting
// in an era.
func (p *standpoint) expect(to spot, era float64) (mean, sd float64) {
	var changed []int
	for i := range to {
		if to[i] != p.at[i] {
			changed = append(changed, i)
		}
	}
	n := float64(len(to))
	same := sums{n, n} // a setting is like itself in each knob
	apart := p.moved(same, p.at, to, changed)
	variance := p.covariance(p.moves(same.likeness(), apart.likeness(), apart.likeness(), same.likeness()), 0)
	if len(p.seen) > 0 {
		k, half := mat.NewVecDense(len(p.seen), nil), mat.NewVecDense(len(p.seen), nil)
		for i := range p.seen {
			s := &p.seen[i]
			l := p.moves(
				p.moved(p.to[i], s.to, to, changed).likeness(), p.to[i].likeness(),
				p.moved(p.from[i], s.from, to, changed).likeness(), p.from[i].likeness(),
			)
			k.SetVec(i, p.covariance(l, s.era-era))
		}
		mean = mat.Dot(k, p.weights)
		if p.factor.SolveVecTo(half, k) == nil {
			variance -= mat.Dot(k, half)
		}
	}
	return mean, math.Sqrt(math.Max(variance, 0))
}
