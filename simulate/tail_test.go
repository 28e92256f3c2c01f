package simulate

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

var tails = []Tail{
	Lognormal(0.6), Lognormal(1.5), Pareto(1.2), Pareto(3), Bimodal(0.1, 8, 0.3), Bimodal(0.3, 0.1, 0.05), Lognormal(0.6).Slow(0.02, 10),
}

// shares to look at, out to one in ten billion on both sides.
func shares() []float64 {
	var u []float64
	for p := 1e-10; p < 0.5; p *= 1.37 {
		u = append(u, p, 1-p)
	}
	return append(u, 0.5)
}

// uniformity is the Kolmogorov-Smirnov statistic times √n: above 1.95 once in a
// thousand times if the values are uniform in 0..1.
func uniformity(v []float64) float64 {
	slices.Sort(v)
	d, n := 0.0, float64(len(v))
	for i, x := range v {
		d = max(d, math.Abs(x-float64(i)/n), math.Abs(x-float64(i+1)/n))
	}
	return d * math.Sqrt(n)
}

func TestTail_knownQuantiles(t *testing.T) {
	for _, c := range []struct {
		tail       Tail
		u, q, mean float64
	}{
		{Tail{}, 0.95, 1, 1},
		{Lognormal(0.6), 0.95, math.Exp(0.6 * 1.6448536269514722), math.Exp(0.18)},
		{Lognormal(0.6), 0.5, 1, math.Exp(0.18)},
		{Pareto(1.2), 0.95, math.Pow(10, 1/1.2), 6 * math.Pow(2, -1/1.2)},
		{Pareto(1.2), 0, math.Pow(2, -1/1.2), 6 * math.Pow(2, -1/1.2)},
		// Two narrow modes: the slow half of the slow fifth begins at its median.
		{Bimodal(0.2, 10, 1e-3), 0.9, 10, 2.8},
		{Lognormal(1e-3).Slow(0.2, 10), 0.9, 10, 2.8},
	} {
		require.InEpsilon(t, c.q, c.tail.Quantile(c.u), 2e-3, "%v at %v", c.tail, c.u)
		require.InEpsilon(t, c.mean, c.tail.Mean(), 2e-3, "%v", c.tail)
	}
}

func TestTail_quantileInvertsTheDistribution(t *testing.T) {
	for _, tail := range tails {
		last := 0.0
		us := shares()
		slices.Sort(us)
		for _, u := range us {
			q := tail.Quantile(u)
			require.GreaterOrEqual(t, q, last, "%v at %v", tail, u)
			last = q
			require.InDelta(t, u, tail.t.cdf(q), 1e-6*min(u, 1-u)+1e-12, "%v at %v", tail, u)
		}
		if tail.t.name != tails[len(tails)-1].t.name { // what is slowed is not scaled again
			require.InDelta(t, 1, tail.Quantile(0.5), 1e-8, tail)
		}
	}
}

// The table is the function, to a small part of the probability beyond; and its
// integrals are those of the function.
func TestTable_isTheTail(t *testing.T) {
	for _, tail := range tails {
		for _, u := range shares() {
			require.InDelta(t, u, tail.t.cdf(tail.t.at(u)), 0.01*min(u, 1-u)+1e-12, "%v at %v", tail, u)
		}
		if tail.t.name == "pareto 1.2" { // a tenth of its mean is beyond any table
			for _, u := range []float64{0.3, 0.5, 0.9, 0.999, 1 - 1e-8} {
				require.InEpsilon(t, tail.Mean()*(1-math.Pow(1-u, 1-1/1.2)), tail.t.integral(u).first, 1e-3, u)
			}
			continue
		}
		// Where two modes are far apart the table leads straight from one to the other.
		require.InEpsilon(t, tail.Mean(), tail.t.integral(1).first, 2e-3, tail)
	}
	for _, tail := range []Tail{Lognormal(0.6), Lognormal(1.5), Pareto(1.2)} {
		for _, u := range shares() {
			require.InEpsilon(t, tail.Quantile(u), tail.t.at(u), 1e-4, "%v at %v", tail, u)
		}
	}
	square := Lognormal(0.6).t.integral(1).second
	require.InEpsilon(t, math.Exp(2*0.36), square, 1e-3, "the second moment")
}

func TestTable_drawsFollowTheTail(t *testing.T) {
	rng := seeded(1)
	for _, tail := range tails {
		v := make([]float64, 50_000)
		for i := range v {
			v[i] = tail.t.cdf(tail.t.at(rng.Float64()))
		}
		require.Less(t, uniformity(v), 1.95, tail)
	}
}

func TestTail_faultsAreToldByTheService(t *testing.T) {
	for _, c := range []struct {
		tail Tail
		want string
	}{
		{Pareto(1), "pareto index 1: must be above 1"},
		{Lognormal(0), "lognormal sigma 0: must be within 0..10"},
		{Bimodal(2, 3, 0.5), "slow share 2: must be within 0..1"},
		{Lognormal(0.5).Slow(0.1, 0), "slow factor 0: must be above 0"},
		{Pareto(0.5).Slow(0.1, 2), "pareto index 0.5: must be above 1"},
		{Tail{}.Slow(0.1, 2), "must be of a tail"},
	} {
		_, err := NewService(ServiceConfig{Tail: c.tail})
		require.ErrorContains(t, err, c.want)
	}
}

func BenchmarkTail_build(b *testing.B) {
	for name, build := range map[string]func() Tail{
		"lognormal": func() Tail { return Lognormal(0.6) },
		"bimodal":   func() Tail { return Bimodal(0.1, 8, 0.3) },
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				_ = fmt.Sprint(build())
			}
		})
	}
}
