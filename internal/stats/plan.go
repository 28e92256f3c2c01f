package stats

import (
	"math"

	"gonum.org/v1/gonum/stat"
)

// PlannedPairs estimates how many pairs a decision takes at error rate alpha
// when the pair noise is scale and the true effect delta, both in log units:
// max(8, 2 ln(1/α) (s/Δ)² 1.3). It is +Inf for no effect.
func PlannedPairs(alpha, scale, delta float64) float64 {
	return math.Max(8, 2*math.Log(1/alpha)*math.Pow(scale/delta, 2)*1.3)
}

// LeastPairs is how many pairs it takes at least to reach an e-value, if in each
// the difference is as far on the right side as the clip lets count. For 0 and
// below, and up to 1, it takes none.
func LeastPairs(e float64) int {
	n := 0
	for ; n < mostLeast; n++ {
		var stakes [len(kappas)]float64
		for i, kappa := range kappas {
			stakes[i] = float64(n) * logFactor(kappa, Above, clipAt)
		}
		if mixture(stakes) >= math.Log(max(e, 1)) {
			break
		}
	}
	return n
}

// mostLeast is where counting ends: e^700 is reached far before.
const mostLeast = 10_000

// optimism is how many standard deviations above its mean the prediction puts
// the sum of log factors still to come.
const optimism = 2.5

// Hope predicts, optimistically, log E(0, Below) after `left` more pairs, if the
// effect is at least minEffect. The observed differences are shifted so that
// their median is min(median, -minEffect); each κ's log factors of the shifted
// ones then have a mean and a spread, and the pairs left are taken to add
// left·mean + 2.5·sd·√left to what that κ has.
//
// It decides when to give up, and can only cost power, never validity: a stop
// for lack of hope is never a keep. It errs to the side of going on.
func (p *Pairs) Hope(minEffect float64, left int) float64 {
	n := len(p.d)
	if n == 0 {
		return math.Inf(1)
	}
	median := p.Median()
	shift := math.Min(median, -minEffect) - median
	stakes := p.stakes(0, Below)
	factors := make([]float64, n)
	for i, kappa := range kappas {
		for k, d := range p.d {
			factors[k] = logFactor(kappa, Below, clip((d+shift)/p.s[k]))
		}
		mean, sd := stat.MeanStdDev(factors, nil)
		if n == 1 {
			sd = 0
		}
		stakes[i] += float64(left)*mean + optimism*sd*math.Sqrt(float64(left))
	}
	return mixture(stakes)
}
