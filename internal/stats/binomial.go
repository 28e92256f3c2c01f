package stats

import (
	"fmt"

	"gonum.org/v1/gonum/mathext"
)

// Binomial returns the exact interval of Clopper & Pearson (1934) for a
// probability, from k successes in n trials: whatever the probability is, it
// lies within low..high in at least the share level (0.95, say) of all
// experiments, and beyond either end in at most half of the rest. No trials
// say nothing: 0..1. It panics unless 0 <= k <= n and 0 < level < 1.
func Binomial(k, n int, level float64) (low, high float64) {
	beyond := (1 - level) / 2
	return 1 - BinomialUpper(n-k, n, 1-beyond), BinomialUpper(k, n, 1-beyond)
}

// BinomialUpper returns the exact one-sided upper bound: the probability at
// which k or fewer successes in n trials would have a chance of 1-level. It
// panics as Binomial does.
func BinomialUpper(k, n int, level float64) float64 {
	if k < 0 || k > n || !(level > 0 && level < 1) {
		panic(fmt.Sprintf("stats: binomial bound of %d in %d at level %v", k, n, level))
	}
	if k == n {
		return 1
	}
	// P(X <= k) at p is 1 - I_p(k+1, n-k), the regularized incomplete beta function.
	return mathext.InvRegIncBeta(float64(k+1), float64(n-k), level)
}
