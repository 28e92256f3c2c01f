package simulate

import (
	"fmt"
	"math"
)

// Tail is the distribution of a request's latency around a median of 1. Building
// one takes 0.2 ms, or 10 ms if it has modes, since it is tabulated for speed:
// build it once and share it. It is immutable and safe for concurrent use. The zero Tail has
// none: each request takes the median.
type Tail struct{ t *table }

// distribution is what a tail is tabulated from: two functions inverse to each
// other, and the mean.
type distribution struct {
	name     string
	cdf      func(x float64) float64
	quantile func(u float64) float64
	mean     float64
	fault    error // of the parameters; told by NewService
}

// Lognormal has a log that is normal with this standard deviation: 0.6 is a
// calm service (p95 is 2.7 medians), 1 a restless one (5.2).
func Lognormal(sigma float64) Tail { return tabulated(lognormal(sigma)) }

func lognormal(sigma float64) distribution {
	d := distribution{name: fmt.Sprintf("lognormal %v", sigma), mean: math.Exp(sigma * sigma / 2)}
	if !(sigma > 0 && sigma < 10) {
		d.fault = fmt.Errorf("lognormal sigma %v: must be within 0..10", sigma)
		return d
	}
	d.cdf = func(x float64) float64 { return math.Erfc(-math.Log(x)/(sigma*math.Sqrt2)) / 2 }
	d.quantile = func(u float64) float64 { return math.Exp(-sigma * math.Sqrt2 * math.Erfcinv(2*u)) }
	return d
}

// Exponential forgets how long it has lasted: what the textbooks' queues have.
// Its mean is 1/ln 2 medians.
func Exponential() Tail {
	return tabulated(distribution{
		name: "exponential", mean: 1 / math.Ln2,
		cdf:      func(x float64) float64 { return -math.Expm1(-math.Ln2 * x) },
		quantile: func(u float64) float64 { return -math.Log1p(-u) / math.Ln2 },
	})
}

// Pareto has P(more than x) = (least/x)^index. With index 2 or less the variance
// is infinite, and means of blocks do not settle; 1.2 is as bad as services get.
func Pareto(index float64) Tail {
	d := distribution{name: fmt.Sprintf("pareto %v", index)}
	if !(index > 1) || math.IsInf(index, 0) {
		d.fault = fmt.Errorf("pareto index %v: must be above 1, or there is no mean", index)
		return tabulated(d)
	}
	least := math.Pow(2, -1/index)
	d.mean = least * index / (index - 1)
	d.cdf = func(x float64) float64 { return max(0, 1-math.Pow(least/x, index)) }
	d.quantile = func(u float64) float64 { return least * math.Pow(1-u, -1/index) }
	return tabulated(d)
}

// Bimodal is lognormal with a share of requests that takes factor times as long,
// as where some are answered from memory and some from disk; then scaled to a
// median of 1.
func Bimodal(share, factor, sigma float64) Tail {
	return tabulated(lognormal(sigma).slow(share, factor).medianOne())
}

// Slow is the tail with a share of requests taking factor times as long. It is
// not scaled: it says what a change does to the service whose tail this is.
func (t Tail) Slow(share, factor float64) Tail {
	if t.t == nil {
		return tabulated(distribution{fault: fmt.Errorf("slow %v %v: must be of a tail", share, factor)})
	}
	return tabulated(t.t.distribution.slow(share, factor))
}

// Quantile returns the value that a share u of requests does not exceed. It is
// exact, not from the table.
func (t Tail) Quantile(u float64) float64 {
	if t.t == nil {
		return 1
	}
	return t.t.distribution.quantile(u)
}

// At is Quantile from the table, for drawing: ten times as fast, and off by less
// than 0.01 % where the distribution is smooth.
func (t Tail) At(u float64) float64 {
	if t.t == nil {
		return 1
	}
	return t.t.at(u)
}

// Check reports what is wrong with the parameters that it was built with, or nil.
func (t Tail) Check() error {
	if t.t == nil {
		return nil
	}
	return t.t.fault
}

// Mean of the distribution.
func (t Tail) Mean() float64 {
	if t.t == nil {
		return 1
	}
	return t.t.mean
}

// String names the distribution.
func (t Tail) String() string {
	if t.t == nil {
		return "constant"
	}
	return t.t.name
}

func (d distribution) slow(share, factor float64) distribution {
	out := distribution{name: fmt.Sprintf("%s, %v of it times %v", d.name, share, factor), fault: d.fault}
	switch {
	case d.fault != nil:
		return out
	case !(share >= 0 && share <= 1):
		out.fault = fmt.Errorf("slow share %v: must be within 0..1", share)
		return out
	case !(factor > 0) || math.IsInf(factor, 0):
		out.fault = fmt.Errorf("slow factor %v: must be above 0", factor)
		return out
	}
	out.mean = d.mean * (1 - share + share*factor)
	out.cdf = func(x float64) float64 { return (1-share)*d.cdf(x) + share*d.cdf(x/factor) }
	out.quantile = func(u float64) float64 {
		q := d.quantile(u)
		return inverse(out.cdf, u, min(q, q*factor), max(q, q*factor))
	}
	return out
}

// inverse finds x with cdf(x) = u between low and high, by halving their ratio.
func inverse(cdf func(float64) float64, u, low, high float64) float64 {
	if low <= 0 || math.IsInf(high, 0) {
		return low
	}
	for high-low > 1e-9*high {
		mid := math.Sqrt(low) * math.Sqrt(high)
		if mid <= low || mid >= high {
			break
		}
		if cdf(mid) < u {
			low = mid
		} else {
			high = mid
		}
	}
	return high
}

func (d distribution) medianOne() distribution {
	if d.fault != nil {
		return d
	}
	m := d.quantile(0.5)
	return distribution{
		name:     d.name,
		mean:     d.mean / m,
		cdf:      func(x float64) float64 { return d.cdf(m * x) },
		quantile: func(u float64) float64 { return d.quantile(u) / m },
	}
}
