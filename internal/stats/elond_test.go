package stats

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestELOND_golden(t *testing.T) {
	for _, c := range []struct {
		t, rejected int
		want        float64
	}{
		{1, 0, 0.025433},
		{2, 0, 0.010329},
		{2, 1, 0.020658},
		{5, 0, 0.003139},
		{10, 0, 0.001275},
		{10, 3, 0.005099},
		{60, 0, 0.000124},
		{60, 5, 0.000744},
		{1000, 0, 0.0000032},
	} {
		require.InEpsilon(t, c.want, ELOND(0.1, c.t, c.rejected), 0.005, "test %d after %d", c.t, c.rejected)
	}
}

// The shares add up to at most 1: a sum, and an integral for its tail.
func TestELOND_sharesSumToOne(t *testing.T) {
	sum := 0.0
	const n = 200_000
	for i := 1; i <= n; i++ {
		sum += ELOND(1, i, 0)
	}
	tail := math.Pow(n, 1-elondDecay) / (elondDecay - 1) / elondSum
	require.LessOrEqual(t, sum+tail, 1.0)
	require.Greater(t, sum+tail, 0.9999)
}

// No history makes a level that is above δ, or zero.
func FuzzELOND(f *testing.F) {
	f.Add(0.1, 1, 0)
	f.Add(0.5, 7, 100)
	f.Fuzz(func(t *testing.T, delta float64, n, rejected int) {
		if !(delta > 1e-9 && delta <= 1) {
			return
		}
		if a := ELOND(delta, n, rejected); !(a > 0 && a <= delta) {
			t.Fatalf("level %v for δ = %v, test %d after %d", a, delta, n, rejected)
		}
	})
}

// stream runs tests in a row on pairs of noise 0.15, some with an effect, each at
// the level that is asked for it, and counts its rejections, true and false.
func stream(rng *rand.Rand, effects []float64, level func(t, rejected int) float64) (right, wrong int) {
	base := make([]float64, 21)
	for i := range base {
		base[i] = rng.NormFloat64() * 0.15
	}
	for i, effect := range effects {
		p := NewPairs(base)
		at := math.Log(1 / level(i+1, right+wrong))
		for range 120 {
			_ = p.Add(effect + rng.NormFloat64()*0.15)
			if p.LogE(0, Below) >= at {
				if effect < 0 {
					right++
				} else {
					wrong++
				}
				break
			}
		}
	}
	return right, wrong
}

// The expected share of false rejections is at most δ, in streams with no effect
// at all, where any rejection is one too many, and in mixed ones.
func TestELOND_falseShareIsWithinDelta(t *testing.T) {
	const delta, runs = 0.2, 150
	rng := rand.New(rand.NewPCG(21, 22))
	for name, every := range map[string]int{"no effect": 0, "one in five": 5} {
		effects := make([]float64, 25)
		for i := range effects {
			if every > 0 && i%every == 1 {
				effects[i] = -0.15
			}
		}
		share, found, missed := 0.0, 0, 0
		for range runs {
			right, wrong := stream(rng, effects, func(t, r int) float64 { return ELOND(delta, t, r) })
			share += float64(wrong) / float64(max(right+wrong, 1)) / runs
			found, missed = found+right, missed+wrong
		}
		t.Logf("%s: false share %.3f of δ = %v, %d right, %d wrong in %d streams of %d", name, share, delta, found, missed, runs, len(effects))
		// 0.2 + 3.1 standard errors of a mean of 150 shares within 0..1.
		require.LessOrEqual(t, share, delta)
		if every > 0 {
			require.Greater(t, found, runs*5*8/10, "it finds most of what there is")
		}
	}
}
