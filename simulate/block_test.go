package simulate

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/stat"

	"autotune/controller"
)

// Block level against request level: the statistics of n requests, drawn without
// the requests, have the distribution that they have when each request is drawn,
// recorded in the controller's histogram, and read from it.
func TestBlock_drawsWhatRequestsShow(t *testing.T) {
	if raceEnabled {
		t.Skip("statistics race nothing")
	}
	const blocks = 20_000
	for _, c := range []struct {
		tail Tail
		n    int
	}{
		{Lognormal(0.6), 200},
		{Lognormal(0.6), 30},
		{Lognormal(0.6), 2000},
		{Pareto(1.2), 200},
		{Bimodal(0.1, 8, 0.3), 200},
	} {
		metrics := []controller.Metric{controller.LatencyP50, controller.LatencyP95, controller.LatencyP99, controller.LatencyMean}
		one, all := make([][]float64, 4), make([][]float64, 4)
		rng := rand.New(rand.NewPCG(1, 1))
		for range blocks {
			s := draw(rng, c.tail.t, c.n, 0, math.MaxFloat64)
			for i, v := range append(s.quantiles[:], s.mean) {
				one[i] = append(one[i], math.Log(v))
			}
			var h controller.Histogram
			for range c.n {
				h.Record(seconds(c.tail.t.at(rng.Float64())))
			}
			sample := controller.Sample{Latency: &h}
			for i, m := range metrics {
				v, ok := sample.Value(m)
				require.True(t, ok)
				all[i] = append(all[i], math.Log(v))
			}
		}
		for i, m := range metrics {
			m1, s1 := stat.MeanStdDev(one[i], nil)
			m2, s2 := stat.MeanStdDev(all[i], nil)
			c1, c2 := stat.Correlation(one[i], one[1], nil), stat.Correlation(all[i], all[1], nil)
			t.Logf("%v, n=%d, %v: mean of log %.4f and %.4f, sd %.4f and %.4f, correlation with p95 %.3f and %.3f",
				c.tail, c.n, m, m1, m2, s1, s2, c1, c2)
			alike(t, one[i], all[i], fmt.Sprintf("%v, n=%d, %v", c.tail, c.n, m))
			require.InDelta(t, c2, c1, 0.05, "%v, n=%d, %v: correlation with p95", c.tail, c.n, m)
		}
	}
}

// alike requires two samples of logs to have the same mean and standard
// deviation, to four standard errors (that of a standard deviation depends on
// the kurtosis) and the resolution of the histogram: a bucket is 1/64 wide.
func alike(t *testing.T, a, b []float64, what string) {
	n := float64(len(a))
	m1, s1 := stat.MeanStdDev(a, nil)
	m2, s2 := stat.MeanStdDev(b, nil)
	require.InDelta(t, m2, m1, 4*math.Hypot(s1, s2)/math.Sqrt(n)+0.005, "%s: mean of log", what)
	spread := math.Sqrt((stat.ExKurtosis(a, nil) + stat.ExKurtosis(b, nil) + 4) / (4 * n))
	require.InEpsilon(t, s2, s1, 4*spread+0.01, "%s: sd of log", what)
}
