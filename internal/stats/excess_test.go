package stats

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/stat/distuv"
)

// The two bets in use: their share, and their stake.
var excessBets = map[float64]float64{0.15: 1 / 0.85, 0.4: 0.5}

// factor is what a batch multiplies a fresh E by.
func factor(p0 float64, bad, n uint64) float64 {
	x := NewExcess(p0, excessBets[p0])
	x.Add(bad, n)
	return x.E()
}

// By enumeration: over all outcomes of a batch, the factor has a mean of at most
// 1 at every share up to p0, and above 1 beyond it, or it could not see anything.
func TestExcess_factorIsFair(t *testing.T) {
	for p0 := range excessBets {
		mean := func(n uint64, p float64) float64 {
			b := distuv.Binomial{N: float64(n), P: p}
			sum := 0.0
			for bad := range n + 1 {
				sum += b.Prob(float64(bad)) * factor(p0, bad, n)
			}
			return sum
		}
		for n := uint64(0); n <= 60; n++ {
			for _, share := range []float64{0.01, 0.1, 0.5, 0.9, 1} {
				require.LessOrEqual(t, mean(n, share*p0), 1+1e-9, "n=%d, share %v of %v", n, share, p0)
			}
		}
		require.InDelta(t, 1, mean(1, p0), 1e-9, "at the share itself, and below the cap, it is exactly fair")
		require.Greater(t, mean(1, p0+0.1), 1.01)
	}
}

// Without the restart, E is a supermartingale also where the share of the next
// event depends on the path, as long as it stays at or below 15 %: enumeration
// over all paths of twelve events in batches of three.
func TestExcess_dependentEventsAreFair(t *testing.T) {
	const p0, events, batch = 0.15, 12, 3
	total := 0.0
	for path := range 1 << events {
		prob, product, bad := 1.0, 1.0, uint64(0)
		for i := range events {
			share := p0
			if i > 0 && path>>(i-1)&1 == 0 {
				share = 0.10 // after a good event bad ones are rare: they cluster
			}
			if path>>i&1 == 1 {
				prob, bad = prob*share, bad+1
			} else {
				prob *= 1 - share
			}
			if i%batch == batch-1 {
				product, bad = product*factor(p0, bad, batch), 0
			}
		}
		total += prob * product
	}
	require.LessOrEqual(t, total, 1+1e-9)
	require.Greater(t, total, 0.3, "not vacuous")
}

func TestExcess_oneBatchCannotConvict(t *testing.T) {
	x := NewExcess(0.15, 1/0.85)
	for i, want := range []float64{3.9, 15.21, 59.319, 231.3441, 902.24199, 3518.743761} {
		require.Equal(t, i == 0, x.Add(1<<40, 1<<40))
		require.InEpsilon(t, want, x.E(), 1e-12)
	}
	x.Add(0, 200)
	require.Less(t, x.E(), 1e-4)
	require.True(t, x.Add(2, 2), "starts again from 1, however low it was")
	require.InEpsilon(t, 3.9, x.E(), 1e-12)
}

// The restart costs a bound on how often, not on whether: at the share itself E
// reaches 100 at most once in 100 batches on average.
func TestExcess_averageRunLength(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	const p0, at, batches = 0.15, 100, 200_000
	x := NewExcess(p0, excessBets[p0])
	reached := 0
	for range batches {
		bad := uint64(0)
		for range 10 {
			if rng.Float64() < p0 {
				bad++
			}
		}
		x.Add(bad, 10)
		if x.E() >= at {
			reached++
			x.Restart()
		}
	}
	t.Logf("reached %d once in %d batches", at, batches/max(reached, 1))
	require.Positive(t, reached)
	require.LessOrEqual(t, reached, batches/at)
}

func FuzzExcess(f *testing.F) {
	f.Add(uint64(3), uint64(2), uint64(math.MaxUint64), uint64(0))
	f.Add(uint64(0), uint64(0), uint64(1<<63), uint64(math.MaxUint64))
	f.Fuzz(func(t *testing.T, bad, n, bad2, n2 uint64) {
		x := NewExcess(0.4, 0.5)
		for range 600 {
			x.Add(bad, n)
			before := x.E()
			x.Add(bad2, n2)
			if e := x.E(); math.IsNaN(e) || math.IsInf(e, 0) || e < 0 || e > math.Max(before, 1)*excessMost*(1+1e-12) {
				t.Fatalf("E = %v after %v", e, before)
			}
		}
	})
}
