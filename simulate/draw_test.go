package simulate

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

func TestGamma_isTheGammaDistribution(t *testing.T) {
	rng := seeded(1)
	for _, shape := range []float64{0.2, 0.9, 1, 1.5, 10, 190, 5000} {
		v := make([]float64, 20_000)
		for i := range v {
			v[i] = distuv.Gamma{Alpha: shape, Beta: 1}.CDF(gamma(rng, shape))
		}
		require.Less(t, uniformity(v), 1.95, "shape %v", shape)
	}
	require.Zero(t, gamma(rng, 0))
}

func TestPoisson_counts(t *testing.T) {
	const n = 20_000
	rng := seeded(2)
	for _, mean := range []float64{0.1, 3, 9, 11, 50, 2500} {
		v := make([]float64, n)
		for i := range v {
			v[i] = float64(poisson(rng, mean))
		}
		m, variance := stat.MeanVariance(v, nil)
		require.InDelta(t, mean, m, 4*math.Sqrt(mean/n), "mean %v", mean)
		// The variance of a sample variance, with the fourth moment of a Poisson.
		require.InDelta(t, mean, variance, 4*math.Sqrt((mean+2*mean*mean)/n), "variance, mean %v", mean)
	}
	require.Zero(t, poisson(rng, 0))
}

func TestBinomial_ends(t *testing.T) {
	rng := seeded(3)
	require.Zero(t, binomial(rng, 10, 0))
	require.Zero(t, binomial(rng, 0, 0.5))
	require.Equal(t, 10, binomial(rng, 10, 1))
	sum := 0
	for range 10_000 {
		sum += binomial(rng, 100, 0.02)
	}
	require.InDelta(t, 20_000, sum, 4*math.Sqrt(19_600))
}
