package stats

import "math"

// EndOfScale is what an end of an interval is, in log units, while the pairs do
// not bound it yet.
const EndOfScale = 10

// Interval returns the confidence sequence at level 1-a: all θ that neither side
// rejects at 2/a. It covers a constant effect with probability 1-a at every
// number of pairs at once. Since s_k is the same for every θ, E is monotone in
// θ and bisection is exact. Ends that are not bounded yet are ±EndOfScale.
func (p *Pairs) Interval(a float64) (low, high float64) {
	at := math.Log(2 / a)
	high = bisect(func(theta float64) bool { return p.LogE(theta, Below) < at })
	low = -bisect(func(theta float64) bool { return p.LogE(-theta, Above) < at })
	return low, high
}

// bisect returns the upper end of where inside holds, which is below some point
// and not above it.
func bisect(inside func(float64) bool) float64 {
	low, high := -float64(EndOfScale), float64(EndOfScale)
	if inside(high) {
		return high
	}
	if !inside(low) {
		return low
	}
	for high-low > 1e-7 {
		mid := (low + high) / 2
		if inside(mid) {
			low = mid
		} else {
			high = mid
		}
	}
	return high
}
