package stats

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// Exactness (Vovk & Wang 2022): given |D_k - θ0| and a fair coin, E has mean 1
// over all sign vectors, with a scale that depends on the path so far.
func TestE_meanIsOneOverAllSigns(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	shapes := map[string]func(k int) float64{
		"normal":     func(int) float64 { return rng.NormFloat64() * 0.1 },
		"heavy tail": func(int) float64 { return 0.01 * math.Pow(rng.Float64(), -1/1.2) },
		"drifting":   func(k int) float64 { return 0.02 * math.Exp(0.4*float64(k)) },
		"zeros":      func(k int) float64 { return float64(k%2) * 0.1 },
		"constant":   func(int) float64 { return 0.2 },
	}
	baseline := make([]float64, 21)
	for i := range baseline {
		baseline[i] = rng.NormFloat64() * 0.1
	}
	for name, shape := range shapes {
		for _, base := range [][]float64{nil, baseline} {
			for _, theta := range []float64{0, -0.03, -0.14, 0.05, math.Log(1.1)} {
				for _, n := range []int{1, 2, 7, 12} {
					sizes := make([]float64, n)
					for k := range sizes {
						sizes[k] = shape(k)
					}
					sum := map[Side]float64{}
					for signs := range 1 << n {
						p := NewPairs(base)
						for k, size := range sizes {
							if signs>>k&1 == 1 {
								size = -size
							}
							require.NoError(t, p.Add(theta+size))
						}
						sum[Below] += p.E(theta, Below)
						sum[Above] += p.E(theta, Above)
					}
					for side, total := range sum {
						require.InDelta(t, 1, total/float64(int(1)<<n), 1e-9,
							"%s, n=%d, θ0=%v, side %d", name, n, theta, side)
					}
				}
			}
		}
	}
}

// The fast product of stakes is the definition, factor by factor.
func TestLogE_isTheDefinition(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 12))
	for n := range 100 {
		p := NewPairs([]float64{0.1, 0.2, 0.15})
		for range n {
			require.NoError(t, p.Add(rng.NormFloat64()*0.2))
		}
		for _, theta := range []float64{0, -0.1, 0.3, 10} {
			for _, side := range []Side{Below, Above} {
				mean := 0.0
				for _, kappa := range kappas {
					product := 1.0
					for k, d := range p.d {
						product *= 1 + math.Tanh(kappa*float64(side)*clip((d-theta)/p.s[k]))
					}
					mean += product / float64(len(kappas))
				}
				require.InDelta(t, math.Log(mean), p.LogE(theta, side), 1e-9, "%d pairs, θ0=%v, side %d", n, theta, side)
			}
		}
	}
}

// Ville's inequality, by enumeration: the share of the sign vectors on which E
// ever reaches 1/α is at most α, at every α at once.
func TestE_rarelyEverReachesAHighValue(t *testing.T) {
	rng := rand.New(rand.NewPCG(13, 14))
	const n = 12
	sizes := make([]float64, n)
	for k := range sizes {
		sizes[k] = math.Exp(rng.NormFloat64())
	}
	var highest []float64
	for signs := range 1 << n {
		p := NewPairs(nil)
		most := 0.0
		for k, size := range sizes {
			if signs>>k&1 == 1 {
				size = -size
			}
			require.NoError(t, p.Add(size))
			most = max(most, p.E(0, Below))
		}
		highest = append(highest, most)
	}
	for _, at := range []float64{2, 5, 20, 40, 100, 120} {
		reached := 0
		for _, e := range highest {
			if e >= at {
				reached++
			}
		}
		require.LessOrEqual(t, float64(reached)/(1<<n), 1/at, "1/α = %v", at)
	}
}

// A scale that knows the current pair breaks the test: the enumeration above
// would notice. This shows that it can go red.
func TestE_scaleThatPeeksIsNotExact(t *testing.T) {
	sizes := []float64{0.01, 0.3, 0.02, 0.4, 0.01, 0.5}
	const theta = 0.05
	total := 0.0
	for signs := range 1 << len(sizes) {
		p := NewPairs(nil)
		for k, size := range sizes {
			if signs>>k&1 == 1 {
				size = -size
			}
			require.NoError(t, p.Add(theta+size))
			p.s[k] = scaleOfSorted(p.abs) // now it includes |D_k|, which is not symmetric about θ0
		}
		total += p.E(theta, Below)
	}
	worst := math.Abs(total/float64(int(1)<<len(sizes)) - 1)
	require.Greater(t, worst, 1e-6)
}

// An end of an interval is where what is inside stops, or the end of the scale.
func requireRoot(t *testing.T, end float64, inside func(float64) bool) {
	t.Helper()
	if end < EndOfScale {
		require.False(t, inside(end+2*precision))
	}
	if end > -EndOfScale {
		require.True(t, inside(end-2*precision))
	}
}

// A step from far below to far above, as data without any noise make it, is
// found as well as a slope.
func TestUpperRoot_findsSteps(t *testing.T) {
	for _, at := range []float64{-9.99, -1, -1e-7, 0, 0.3, 9.5} {
		for _, guess := range []float64{-20, -1, 0, 0.3, 10} {
			evaluations := 0
			root := upperRoot(func(x float64) float64 {
				evaluations++
				if x < at {
					return -700
				}
				return 1e-3
			}, guess, 1e-6)
			require.InDelta(t, at, root, precision)
			require.Less(t, evaluations, 150)
		}
	}
}

func TestInterval_isMonotoneAndCovers(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	const trials, pairs, a, effect = 400, 40, 0.05, -0.1
	missed := 0
	for range trials {
		base := make([]float64, 21)
		for i := range base {
			base[i] = rng.NormFloat64() * 0.1
		}
		p := NewPairs(base)
		miss := false
		for range pairs {
			require.NoError(t, p.Add(effect+rng.NormFloat64()*0.1))
			low, high := p.Interval(a)
			require.LessOrEqual(t, low, high)
			requireRoot(t, high, func(theta float64) bool { return p.LogE(theta, Below) < math.Log(2/a) })
			requireRoot(t, -low, func(theta float64) bool { return p.LogE(-theta, Above) < math.Log(2/a) })
			if effect < low || effect > high {
				miss = true // at any time counts: it is a confidence sequence
			}
		}
		last := math.Inf(-1)
		for theta := -0.5; theta <= 0.5; theta += 0.05 {
			e := p.LogE(theta, Below)
			require.GreaterOrEqual(t, e, last)
			last = e
		}
		if miss {
			missed++
		}
	}
	// 5 % promised; a binomial at 0.05 with n=400 exceeds 34 once in 1,000 times.
	require.LessOrEqual(t, missed, 34)
}

// The least number of pairs that can decide: 7 at 1/40, 9 at 1/120.
func TestE_leastPairsToDecide(t *testing.T) {
	for at, want := range map[float64]int{40: 7, 120: 9} {
		p := NewPairs([]float64{0.1, -0.1, 0.1})
		n := 0
		for p.E(0, Below) < at {
			require.NoError(t, p.Add(-10))
			n++
		}
		require.Equal(t, want, n)
	}
}

func TestScale_estimatesTheStandardDeviation(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	d := make([]float64, 100_000)
	for i := range d {
		d[i] = rng.NormFloat64() * 0.25
	}
	require.InEpsilon(t, 0.25, Scale(d), 0.02)
	require.Equal(t, minScale, Scale(nil))
	require.Equal(t, minScale, Scale([]float64{0, 0, 0}))
}

func TestAdd_refusesWhatIsNotFinite(t *testing.T) {
	p := NewPairs(nil)
	for _, d := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		require.Error(t, p.Add(d))
	}
	require.Zero(t, p.Len())
}

func TestHope_givesUpOnNothingAndNotOnAGain(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	base := make([]float64, 21)
	for i := range base {
		base[i] = rng.NormFloat64() * 0.15
	}
	hope := func(effect float64, left int) float64 {
		p := NewPairs(base)
		for range 12 {
			require.NoError(t, p.Add(effect+rng.NormFloat64()*0.15))
		}
		return p.Hope(0.05, left)
	}
	require.Greater(t, hope(-0.2, 12), math.Log(40))
	require.Less(t, hope(0.15, 6), math.Log(40))
}

func FuzzPairs(f *testing.F) {
	f.Add(0.1, -0.2, 1e300, 0.0)
	f.Add(0.0, 0.0, 0.0, 0.0)
	f.Fuzz(func(t *testing.T, a, b, c, theta float64) {
		if math.IsNaN(theta) || math.IsInf(theta, 0) {
			return
		}
		p := NewPairs([]float64{a, b})
		for _, d := range []float64{a, b, c, -a, -b} {
			_ = p.Add(d)
		}
		for _, side := range []Side{Below, Above} {
			if e := p.LogE(theta, side); math.IsNaN(e) || math.IsInf(e, 1) {
				t.Fatalf("LogE(%v, %d) = %v", theta, side, e)
			}
		}
		if low, high := p.Interval(0.05); math.IsNaN(low) || math.IsNaN(high) {
			t.Fatalf("interval %v..%v", low, high)
		}
		if h := p.Hope(0.03, 10); math.IsNaN(h) {
			t.Fatalf("hope %v", h)
		}
	})
}

func BenchmarkPairs_judge120(b *testing.B) {
	rng := rand.New(rand.NewPCG(9, 10))
	p := NewPairs(make([]float64, 21))
	for range 120 {
		_ = p.Add(rng.NormFloat64())
	}
	b.ReportAllocs()
	for b.Loop() {
		p.LogE(0, Below)
	}
}

func BenchmarkInterval_120(b *testing.B) {
	rng := rand.New(rand.NewPCG(9, 10))
	p := NewPairs([]float64{1, -1, 1.2})
	for range 120 {
		_ = p.Add(rng.NormFloat64())
	}
	b.ReportAllocs()
	for b.Loop() {
		p.Interval(0.05)
	}
}

// The fewest pairs that can decide, against the pairs themselves.
func TestLeastPairs(t *testing.T) {
	require.Equal(t, 0, LeastPairs(0))
	require.Equal(t, 0, LeastPairs(1))
	require.Equal(t, 7, LeastPairs(40))
	require.Equal(t, 9, LeastPairs(120))
	for _, e := range []float64{2, 40, 120, 3000} {
		p := NewPairs(slices.Repeat([]float64{1}, 40)) // so that the scale stays
		for p.E(0, Below) < e {
			require.NoError(t, p.Add(-1e6))
		}
		require.Equal(t, p.Len(), LeastPairs(e), "%v", e)
	}
}

// AtMost is where the evidence crosses: below it there is less, above it more.
func TestPairs_atMost(t *testing.T) {
	require.InDelta(t, EndOfScale, NewPairs(nil).AtMost(1), 0)
	rng := rand.New(rand.NewPCG(1, 1))
	p := NewPairs([]float64{0.1, 0.2, 0.15})
	for range 30 {
		require.NoError(t, p.Add(0.02+0.1*rng.NormFloat64()))
	}
	before := math.Inf(-1)
	for _, e := range []float64{0.5, 1, 2, 20} {
		u := p.AtMost(e)
		require.InDelta(t, math.Log(e), p.LogE(u, Below), 1e-3)
		require.Greater(t, u, before)
		before = u
	}
}
