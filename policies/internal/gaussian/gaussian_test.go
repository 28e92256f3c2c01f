package gaussian

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// drawn are n points of d columns in the unit cube, the last a choice of three.
func drawn(n, d int, seed uint64) Points {
	rng := rand.New(rand.NewPCG(seed, 1))
	p := Points{Width: d, Choice: make([]bool, d)}
	p.Choice[d-1] = true
	for range n {
		for range d - 1 {
			p.Values = append(p.Values, rng.Float64())
		}
		p.Values = append(p.Values, float64(rng.IntN(3)))
	}
	return p
}

func valuesOf(p Points, f func(row []float64) float64) []float64 {
	out := make([]float64, p.Len())
	for i := range out {
		out[i] = f(p.Row(i))
	}
	return out
}

// Smooth in the first column, of no account in the second, and another level for
// one of three choices.
func smooth(row []float64) float64 {
	y := 10 + math.Sin(5*row[0])
	if row[2] == 1 {
		y += 2
	}
	return y
}

func TestProcess_knownFunction(t *testing.T) {
	x, elsewhere := drawn(40, 3, 1), drawn(200, 3, 2)
	y := valuesOf(x, smooth)
	k := Learn(x, y)
	require.Greater(t, k.Lengths[1], 5*k.Lengths[0], "a column of no account gets a long length")
	p := k.On(x, y)
	mean, sd := p.Predict(x)
	for i := range mean {
		require.InDelta(t, y[i], mean[i], 0.01, "what was seen is known")
		require.Less(t, sd[i], 0.05)
	}
	mean, sd = p.Predict(elsewhere)
	within, squares := 0, 0.0
	for i, want := range valuesOf(elsewhere, smooth) {
		squares += (mean[i] - want) * (mean[i] - want)
		if math.Abs(mean[i]-want) <= 2*sd[i]+1e-3 {
			within++
		}
	}
	require.Less(t, math.Sqrt(squares/200), 0.05, "the values have standard deviation 1.1")
	require.Greater(t, within, 180, "of 200 within two standard deviations")
}

// Far from everything nothing is known: the mean of all, and the spread of the signal.
func TestProcess_farAway(t *testing.T) {
	x := Points{Width: 1, Values: []float64{0, 0.1, 0.2}}
	k := Kernel{Lengths: []float64{0.1}, Signal: 1, Noise: 1e-6}
	mean, sd := k.On(x, []float64{1, 2, 6}).Predict(Points{Width: 1, Values: []float64{0.1, 100}})
	require.InDelta(t, 2, mean[0], 1e-4)
	require.InDelta(t, 3, mean[1], 1e-9)
	require.InDelta(t, math.Sqrt((4.0+1+9)/3), sd[1], 1e-9)
}

func TestLearn_noiseIsNotFollowed(t *testing.T) {
	x := drawn(60, 2, 3)
	rng := rand.New(rand.NewPCG(4, 1))
	y := valuesOf(x, func(row []float64) float64 { return 3*row[0] + 0.3*rng.NormFloat64() })
	k := Learn(x, y)
	mean, _ := k.On(x, y).Predict(x)
	seen, truth := 0.0, 0.0
	for i := range mean {
		seen += math.Abs(mean[i] - y[i])
		truth += math.Abs(mean[i] - 3*x.Row(i)[0])
	}
	require.Less(t, truth, seen, "it is nearer the function than what was measured is")
}

// The slopes that the climb follows are those of the density.
func TestPosterior_slopes(t *testing.T) {
	x := drawn(12, 4, 5)
	y, _, _ := standardized(valuesOf(x, smooth))
	m := newModel(x, y)
	at := []float64{0.3, -0.5, 0.1, 0.6, 0.2, -2}
	slope := make([]float64, len(at))
	m.posterior(at, slope)
	for i := range at {
		const h = 1e-5
		scratch := make([]float64, len(at))
		up, down := append([]float64(nil), at...), append([]float64(nil), at...)
		up[i], down[i] = up[i]+h, down[i]-h
		want := (m.posterior(up, scratch) - m.posterior(down, scratch)) / (2 * h)
		require.InDelta(t, want, slope[i], 1e-4*(1+math.Abs(want)), "parameter %d", i)
	}
}

func TestClimb_findsTheTop(t *testing.T) {
	at, value := climb(func(at, slope []float64) float64 {
		slope[0], slope[1] = -2*(at[0]-1), -8*(at[1]+2)
		return -(at[0]-1)*(at[0]-1) - 4*(at[1]+2)*(at[1]+2)
	}, []float64{0, 0})
	require.InDeltaSlice(t, []float64{1, -2}, at, 0.05)
	require.InDelta(t, 0, value, 0.02)
}

// Whatever the points and values: finite, deterministic, and no less known for
// another measurement.
func TestProcess_properties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d, n := rapid.IntRange(1, 5).Draw(t, "columns"), rapid.IntRange(1, 12).Draw(t, "rows")
		x := Points{Width: d, Choice: rapid.SliceOfN(rapid.Bool(), d, d).Draw(t, "choices")}
		x.Values = rapid.SliceOfN(rapid.SampledFrom([]float64{0, 0.25, 0.5, 1}), n*d, n*d).Draw(t, "points")
		y := rapid.SliceOfN(rapid.Float64Range(-1e6, 1e6), n, n).Draw(t, "values")
		at := Points{Width: d, Choice: x.Choice, Values: rapid.SliceOfN(rapid.Float64Range(0, 1), 3*d, 3*d).Draw(t, "elsewhere")}
		k := Learn(x, y)
		require.Equal(t, k, Learn(x, y))
		mean, sd := k.On(x, y).Predict(at)
		again, sdAgain := k.On(x, y).Predict(at)
		require.Equal(t, mean, again)
		require.Equal(t, sd, sdAgain)
		for i := range mean {
			require.False(t, math.IsNaN(mean[i]) || math.IsInf(mean[i], 0), "mean %v", mean[i])
			require.GreaterOrEqual(t, sd[i], 0.0)
			require.False(t, math.IsInf(sd[i], 0))
		}
		if n > 1 {
			_, _, unit := standardized(y)
			_, _, less := standardized(y[:n-1])
			_, before := k.On(x.First(n-1), y[:n-1]).Predict(at)
			for i := range sd {
				require.LessOrEqual(t, sd[i]/unit, before[i]/less+1e-3)
			}
		}
	})
}

func BenchmarkLearn(b *testing.B) {
	x := drawn(50, 12, 1)
	y := valuesOf(x, smooth)
	for b.Loop() {
		Learn(x, y)
	}
}

func BenchmarkPredict(b *testing.B) {
	x, at := drawn(50, 12, 1), drawn(4096, 12, 2)
	y := valuesOf(x, smooth)
	p := Learn(x, y).On(x, y)
	for b.Loop() {
		p.Predict(at)
	}
}
