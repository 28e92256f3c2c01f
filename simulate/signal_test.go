package simulate

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/stat"
)

func seeded(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 99)) }

func TestSignal_shapes(t *testing.T) {
	for name, c := range map[string]struct {
		signal Signal
		at     time.Duration
		want   float64
	}{
		"nil is zero":               {nil, time.Hour, 0},
		"constant":                  {Constant(0.3), time.Hour, 0.3},
		"ramp":                      {Ramp(0.2), 90 * time.Minute, 0.3},
		"before the step":           {Step(time.Minute, 1, 2), time.Minute - 1, 1},
		"at the step":               {Step(time.Minute, 1, 2), time.Minute, 2},
		"a sinusoid starts at 0":    {Oscillation(time.Minute, 0.5, 0), 0, 0},
		"a quarter turn is its top": {Oscillation(time.Minute, 0.5, 0), 15 * time.Second, 0.5},
		"many turns later":          {Oscillation(time.Minute, 0.5, 0), 1000*time.Minute + 45*time.Second, -0.5},
		"phase":                     {Oscillation(time.Minute, 0.5, math.Pi/2), 0, 0.5},
		"sum":                       {Sum(Constant(1), Ramp(2), nil), time.Hour, 3},
		"scaled":                    {Scaled(Ramp(2), -0.5), time.Hour, -1},
	} {
		require.InDelta(t, c.want, c.signal.At(c.at), 1e-12, name)
	}
}

// asked returns the values at n ages that are this far apart.
func asked(s Signal, n int, spacing time.Duration) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = s.At(time.Duration(i) * spacing)
	}
	return out
}

// correlation of a series with itself, lag values later; its mean is 0.
func correlation(v []float64, lag int) float64 {
	return stat.Correlation(v[:len(v)-lag], v[lag:], nil)
}

// Two processes that are alike in standard deviation and correlation. With a
// correlation time of four values, n values tell as much of the variance as n/4
// independent ones would; bounds are four standard errors.
func TestSignal_stationaryMomentsAndCorrelation(t *testing.T) {
	const n, sd = 200_000, 0.2
	spacing, tau := time.Second, 4*time.Second
	for name, s := range map[string]Signal{
		"AR1":   AR1(seeded(1), tau, sd),
		"Jumps": Jumps(seeded(2), tau, sd),
	} {
		v := asked(s, n, spacing)
		mean, got := stat.MeanStdDev(v, nil)
		require.InDelta(t, 0, mean, 4*sd*math.Sqrt(2*4.0/n), name)
		require.InEpsilon(t, sd, got, 4*math.Sqrt(4.0/n), name)
		for _, lag := range []int{1, 2, 4, 8, 20} {
			require.InDelta(t, math.Exp(-float64(lag)/4), correlation(v, lag), 0.025, "%s: lag %d", name, lag)
		}
		require.Equal(t, v[n-1], s.At((n-1)*spacing), "%s: asked twice", name)
	}
	v := asked(Noise(seeded(3), sd), n, spacing)
	require.InEpsilon(t, sd, stat.StdDev(v, nil), 4/math.Sqrt(2*n))
	for _, lag := range []int{1, 2, 5} {
		require.InDelta(t, 0, correlation(v, lag), 4/math.Sqrt(n), "noise: lag %d", lag)
	}
}

// Exact for any spacing: after a short gap, and after a long one.
func TestAR1_spacingDoesNotMatter(t *testing.T) {
	const n = 100_000
	s := AR1(seeded(4), time.Second, 1)
	age := time.Duration(0)
	var first, short, long []float64
	for range n {
		age += 2 * time.Second
		first = append(first, s.At(age))
		age += time.Second / 10
		short = append(short, s.At(age))
	}
	long = first[1:]
	require.InDelta(t, math.Exp(-0.1), stat.Correlation(first, short, nil), 0.01)
	require.InDelta(t, math.Exp(-2), stat.Correlation(short[:n-1], long, nil), 0.015)
	require.InDelta(t, 1, stat.StdDev(short, nil), 0.02)
}

// The first value is as any other: a run does not start calm.
func TestSignal_startIsStationary(t *testing.T) {
	for name, make := range map[string]func(*rand.Rand) Signal{
		"AR1":   func(r *rand.Rand) Signal { return AR1(r, time.Hour, 0.5) },
		"Jumps": func(r *rand.Rand) Signal { return Jumps(r, time.Hour, 0.5) },
	} {
		var first []float64
		rng := seeded(5)
		for range 5000 {
			first = append(first, make(rng).At(0))
		}
		require.InEpsilon(t, 0.5, stat.StdDev(first, nil), 0.04, name)
	}
}

// A level holds between jumps, jumps are a Poisson process, and when it is asked
// for makes no difference.
func TestJumps_path(t *testing.T) {
	fine := asked(Jumps(seeded(6), 10*time.Second, 1), 100_000, 100*time.Millisecond)
	coarse := asked(Jumps(seeded(6), 10*time.Second, 1), 2_000, 5*time.Second)
	jumped := 0
	for i := range fine {
		if i > 0 && fine[i] != fine[i-1] {
			jumped++
		}
		if i%50 == 0 {
			require.Equal(t, fine[i], coarse[i/50])
		}
	}
	// 10,000 s hold 1,000 jumps, less those that share a tenth of a second.
	require.InDelta(t, 995, jumped, 4*math.Sqrt(995))
}
