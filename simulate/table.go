package simulate

import "math"

// A table of a quantile function q(u) and of its integrals, for speed. Its knots
// are spaced log-linearly from both ends, as the buckets of a histogram: each
// power of two of u below the median, and of 1-u above it, is cut into 64 equal
// cells, down to 2^-30. Between knots q is linear, which is off by less than
// 0.01 % where q is smooth, and bridges the gap between two modes within one
// cell; further out the exact function is asked.
//
// The cell of a probability can be read off its bits: no logarithm is taken.
type table struct {
	distribution
	lower, upper side
	half         moments // integrals from 0 to the median
}

// side has its knots by ascending probability, of the near end of the distribution.
type side struct {
	q []float64
	// From the end of the integration (0 for lower, the median for upper) to the knot.
	integral []moments
}

// moments are the integrals of q and q² over a range of u.
type moments struct{ first, second float64 }

func (m moments) minus(o moments) moments { return moments{m.first - o.first, m.second - o.second} }

const (
	cellBits   = 6
	octaves    = 29 // 2^-30 to 2^-1
	knots      = octaves<<cellBits + 1
	shift      = 52 - cellBits
	outermost  = 1.0 / (1 << 30)
	lowestBits = (1023 - 30) << cellBits
	fracMask   = 1<<shift - 1
	fracScale  = 1.0 / (1 << shift)
)

// knotAt returns the probability of the i-th knot.
func knotAt(i int) float64 { return math.Float64frombits(uint64(lowestBits+i) << shift) }

// cell returns the knot at or below p, and how far p is to the next one, 0..1.
// p must be within outermost..0.5, without the latter.
func cell(p float64) (i int, frac float64) {
	bits := math.Float64bits(p)
	return int(bits>>shift) - lowestBits, float64(bits&fracMask) * fracScale
}

func tabulated(d distribution) Tail {
	t := &table{distribution: d}
	if d.fault != nil {
		return Tail{t}
	}
	for _, s := range []*side{&t.lower, &t.upper} {
		s.q = make([]float64, knots)
		s.integral = make([]moments, knots)
	}
	for i := range knots {
		t.lower.q[i] = d.quantile(knotAt(i))
		t.upper.q[i] = d.quantile(1 - knotAt(i))
	}
	for i := 1; i < knots; i++ {
		t.lower.integral[i] = t.lower.integral[i-1].plus(knotAt(i)-knotAt(i-1), t.lower.q[i-1], t.lower.q[i])
	}
	for i := knots - 2; i >= 0; i-- {
		t.upper.integral[i] = t.upper.integral[i+1].plus(knotAt(i+1)-knotAt(i), t.upper.q[i+1], t.upper.q[i])
	}
	t.half = t.lower.integral[knots-1]
	return Tail{t}
}

// plus adds a stretch of this width in which q goes straight from a to b.
func (m moments) plus(width, a, b float64) moments {
	return moments{m.first + width*(a+b)/2, m.second + width*(a*a+a*b+b*b)/3}
}

// at is q(u), from the table.
func (t *table) at(u float64) float64 {
	s, p := &t.lower, u
	if u >= 0.5 {
		s, p = &t.upper, 1-u
	}
	if p < outermost {
		return t.distribution.quantile(u)
	}
	i, frac := cell(p)
	if i >= knots-1 { // the median
		return s.q[knots-1]
	}
	return s.q[i] + frac*(s.q[i+1]-s.q[i])
}

// integral is that of q and q² from 0 to u. Beyond the table it is that of its end.
func (t *table) integral(u float64) moments {
	switch {
	case u == 0.5:
		return t.half
	case u < outermost:
		return moments{}
	case u < 0.5:
		i, frac := cell(u)
		s := &t.lower
		q := s.q[i] + frac*(s.q[i+1]-s.q[i])
		return s.integral[i].plus(u-knotAt(i), s.q[i], q)
	}
	i, frac := cell(max(1-u, outermost))
	if i >= knots-1 {
		return t.half
	}
	s := &t.upper
	q := s.q[i] + frac*(s.q[i+1]-s.q[i])
	m := s.integral[i+1].plus(knotAt(i+1)-max(1-u, outermost), s.q[i+1], q)
	return moments{t.half.first + m.first, t.half.second + m.second}
}
