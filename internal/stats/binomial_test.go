package stats

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

// atMost is P(X <= k) for n trials with probability p, summed term by term.
func atMost(k, n int, p float64) float64 {
	sum := 0.0
	for i := range k + 1 {
		a, _ := math.Lgamma(float64(n + 1))
		b, _ := math.Lgamma(float64(i + 1))
		c, _ := math.Lgamma(float64(n - i + 1))
		sum += math.Exp(a - b - c + float64(i)*math.Log(p) + float64(n-i)*math.Log1p(-p))
	}
	return sum
}

// At the upper end k or fewer are as rare as promised, and at the lower end k
// or more are: this is what exact means.
func TestBinomial_tailsAreExact(t *testing.T) {
	for _, n := range []int{1, 2, 7, 20, 100, 1000, 20_000} {
		for _, k := range []int{0, 1, 2, n / 3, n / 2, n - 1, n} {
			if k > n {
				continue
			}
			for _, level := range []float64{0.5, 0.95, 0.99, 0.999} {
				low, high := Binomial(k, n, level)
				tail := (1 - level) / 2
				if k == n {
					require.Equal(t, 1.0, high)
				} else {
					require.InEpsilon(t, tail, atMost(k, n, high), 1e-6, "%d of %d at %v: high %v", k, n, level, high)
					require.InEpsilon(t, 1-level, atMost(k, n, BinomialUpper(k, n, level)), 1e-6, "%d of %d at %v", k, n, level)
				}
				if k == 0 {
					require.Zero(t, low)
				} else {
					require.InEpsilon(t, tail, 1-atMost(k-1, n, low), 1e-5, "%d of %d at %v: low %v", k, n, level, low)
				}
				require.LessOrEqual(t, low, float64(k)/float64(n))
				require.GreaterOrEqual(t, high, float64(k)/float64(n))
			}
		}
	}
}

// The ends have a closed form: 1 - tail^(1/n). The last row is from tables.
func TestBinomial_knownValues(t *testing.T) {
	low, high := Binomial(0, 100, 0.95)
	require.Zero(t, low)
	require.InDelta(t, 1-math.Pow(0.025, 0.01), high, 1e-12)
	low, high = Binomial(100, 100, 0.95)
	require.InDelta(t, math.Pow(0.025, 0.01), low, 1e-12)
	require.Equal(t, 1.0, high)
	low, high = Binomial(5, 10, 0.95)
	require.InDelta(t, 0.1871, low, 5e-5)
	require.InDelta(t, 0.8129, high, 5e-5)
	require.InDelta(t, 1-math.Pow(0.01, 1.0/300), BinomialUpper(0, 300, 0.99), 1e-12)
}

func TestBinomial_noTrialsSayNothing(t *testing.T) {
	low, high := Binomial(0, 0, 0.95)
	require.Zero(t, low)
	require.Equal(t, 1.0, high)
}

// Coverage by enumeration: over all outcomes, the interval misses the true
// probability in at most 1-level of them, on either side in at most half of that.
func TestBinomial_covers(t *testing.T) {
	const n, level = 30, 0.95
	for p := 0.01; p < 1; p += 0.01 {
		under, over := 0.0, 0.0
		for k := range n + 1 {
			chance := atMost(k, n, p)
			if k > 0 {
				chance -= atMost(k-1, n, p)
			}
			low, high := Binomial(k, n, level)
			if p < low {
				under += chance
			}
			if p > high {
				over += chance
			}
		}
		require.LessOrEqual(t, under, (1-level)/2+1e-9, "p = %v", p)
		require.LessOrEqual(t, over, (1-level)/2+1e-9, "p = %v", p)
	}
}

func TestBinomial_refusesNonsense(t *testing.T) {
	require.Panics(t, func() { Binomial(-1, 10, 0.95) })
	require.Panics(t, func() { Binomial(11, 10, 0.95) })
	require.Panics(t, func() { Binomial(1, 10, 1) })
	require.Panics(t, func() { Binomial(1, 10, 95) })
	require.Panics(t, func() { BinomialUpper(1, 10, math.NaN()) })
}
