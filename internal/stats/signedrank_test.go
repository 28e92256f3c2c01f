package stats

import (
	"maps"
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"
)

// Without an effect the signs of the differences are all that a coin decides.
// Over all of them, the interval misses zero as often as its level allows, and
// one more on either side would be too often: it is exact.
func TestSignedRank_isExact(t *testing.T) {
	magnitudes := []float64{0.7, 2.1, 0.2, 5.5, 1.1, 0.9, 3.2, 0.4, 1.7, 2.6}
	for n := 1; n <= len(magnitudes); n++ {
		d, missed := make([]float64, n), 0
		for pattern := range 1 << n {
			for i := range d {
				d[i] = magnitudes[i] * float64(2*(pattern>>i&1)-1)
			}
			if _, low, high := SignedRank(d, 0.05); low > 0 || high < 0 {
				missed++
			}
		}
		share := float64(missed) / float64(int(1)<<n)
		assert.LessOrEqual(t, share, 0.05, "%d differences", n)
		if n >= 8 {
			assert.Greater(t, share, 0.035, "%d differences", n)
		}
		assert.Equal(t, n >= 6, missed > 0, "%d differences", n)
	}
}

// Hollander and Wolfe's depression scores, as R's wilcox.test has them in its
// manual: V is 5 of 45, p is 0.0391.
func TestSignedRank_depressionScores(t *testing.T) {
	before := []float64{1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30}
	after := []float64{0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29}
	d := make([]float64, len(before))
	for i := range d {
		d[i] = after[i] - before[i]
	}
	middle, low, high := SignedRank(d, 0.05)
	assert.InDelta(t, -0.46, middle, 1e-9)
	assert.True(t, low < middle && middle < high && high < 0, "[%v, %v]", low, high)
	assert.InDelta(t, 0.0391, SignedRankP(d), 0.00005)
	_, _, high = SignedRank(d, 0.0391-0.0001)
	assert.Greater(t, high, 0.0, "at a level just below p")
	_, _, high = SignedRank(d, 0.0391+0.0001)
	assert.Less(t, high, 0.0, "at a level just above p")
}

// Over all signs of differences without an effect, p is at most a in a share of
// at most a, and exactly so where a is one of its values.
func TestSignedRankP_isExact(t *testing.T) {
	magnitudes := []float64{0.7, 2.1, 0.2, 5.5, 1.1, 0.9, 3.2, 0.4, 1.7, 2.6}
	count := map[float64]int{}
	for pattern := range 1 << len(magnitudes) {
		d := make([]float64, len(magnitudes))
		for i := range d {
			d[i] = magnitudes[i] * float64(2*(pattern>>i&1)-1)
		}
		p := SignedRankP(d)
		count[p]++
		for _, a := range []float64{0.005, 0.05, 0.3} {
			_, low, high := SignedRank(d, a)
			assert.Equal(t, p <= a, low > 0 || high < 0, "p %v at level %v", p, a)
		}
	}
	seen := 0
	for _, p := range slices.Sorted(maps.Keys(count)) {
		if seen += count[p]; p < 1 {
			assert.InDelta(t, p, float64(seen)/1024, 1e-12)
		}
	}
	assert.InDelta(t, 1, SignedRankP(nil), 0)
}

func TestSignedRank_ofNothing(t *testing.T) {
	middle, low, high := SignedRank(nil, 0.05)
	assert.True(t, math.IsNaN(middle))
	assert.Equal(t, []float64{-EndOfScale, EndOfScale}, []float64{low, high})
}

// Shifted differences have a shifted interval, mirrored ones a mirrored one.
func TestSignedRank_shiftsAndMirrors(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := rapid.SliceOfN(rapid.Float64Range(-3, 3), 6, 30).Draw(t, "differences")
		by := rapid.Float64Range(-2, 2).Draw(t, "shift")
		shifted, mirrored := make([]float64, len(d)), make([]float64, len(d))
		for i, x := range d {
			shifted[i], mirrored[i] = x+by, -x
		}
		middle, low, high := SignedRank(d, 0.05)
		if !(low <= middle && middle <= high) {
			t.Fatalf("%v is not within %v..%v", middle, low, high)
		}
		m, l, h := SignedRank(shifted, 0.05)
		near := func(a, b float64) bool { return math.Abs(a-b) < 1e-9 }
		if !near(m, middle+by) || !near(l, low+by) || !near(h, high+by) {
			t.Fatalf("shifted by %v: %v (%v to %v), not %v (%v to %v)", by, m, l, h, middle, low, high)
		}
		if m, l, h = SignedRank(mirrored, 0.05); !near(m, -middle) || !near(l, -high) || !near(h, -low) {
			t.Fatalf("mirrored: %v (%v to %v)", m, l, h)
		}
	})
}
