package stats

import "math"

// EndOfScale is what an end of an interval is, in log units, while the pairs do
// not bound it yet.
const EndOfScale = 10

// Interval returns the confidence sequence at level 1-a: all θ that neither side
// rejects at 2/a. It covers a constant effect with probability 1-a at every
// number of pairs at once. Since s_k is the same for every θ, E is monotone in
// θ and its root is exact. Ends that are not bounded yet are ±EndOfScale.
func (p *Pairs) Interval(a float64) (low, high float64) {
	at := math.Log(2 / a)
	middle := p.Median()
	if math.IsNaN(middle) {
		return -EndOfScale, EndOfScale
	}
	first := p.s[len(p.s)-1] // a step of about the interval's half width
	high = upperRoot(func(theta float64) float64 { return p.LogE(theta, Below) - at }, middle, first)
	low = -upperRoot(func(theta float64) float64 { return p.LogE(-theta, Above) - at }, -middle, first)
	return low, high
}

// precision of an end, in log units: far below what anybody reads.
const precision = 1e-6

// upperRoot returns where an ascending function crosses zero within ±EndOfScale,
// or that end of the scale. It brackets the root by steps that double from a
// guess, then closes in by false position, halving the weight of an end that
// stays (the Illinois rule), so that the curved flanks of log E cost no more
// than about ten evaluations.
func upperRoot(f func(float64) float64, guess, step float64) float64 {
	guess = min(max(guess, -EndOfScale), EndOfScale)
	low, high := guess, guess
	fLow := f(guess)
	fHigh := fLow
	for ; fHigh < 0; step *= 2 {
		if high == EndOfScale {
			return EndOfScale
		}
		low, fLow = high, fHigh
		high = min(high+step, EndOfScale)
		fHigh = f(high)
	}
	for ; fLow >= 0; step *= 2 {
		if low == -EndOfScale {
			return -EndOfScale
		}
		high, fHigh = low, fLow
		low = max(low-step, -EndOfScale)
		fLow = f(low)
	}
	for side := 0; high-low > precision; {
		mid := (low*fHigh - high*fLow) / (fHigh - fLow)
		if !(mid > low && mid < high) || side > 3 || side < -3 {
			mid = (low + high) / 2
		}
		switch y := f(mid); {
		case y < 0:
			low, fLow = mid, y
			if side = min(side, 0) - 1; side < -1 {
				fHigh /= 2
			}
		default:
			high, fHigh = mid, y
			if side = max(side, 0) + 1; side > 1 {
				fLow /= 2
			}
		}
	}
	return high
}

// AtMost returns the smallest θ that the effect is shown to be below with an
// e-value of e: the upper end of a one-sided confidence sequence at level 1-1/e.
// It is EndOfScale while the pairs do not bound it.
func (p *Pairs) AtMost(e float64) float64 {
	middle := p.Median()
	if math.IsNaN(middle) {
		return EndOfScale
	}
	at := math.Log(e)
	return upperRoot(func(theta float64) float64 { return p.LogE(theta, Below) - at }, middle, p.s[len(p.s)-1])
}
