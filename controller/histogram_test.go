package controller_test

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	. "autotune/controller" //nolint:revive // the tests of a vocabulary read better with it
)

// Against the sorted latencies, a quantile is off by 1/64 of itself at most.
func TestHistogram_quantilesAgainstASortedOracle(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for name, draw := range map[string]func() float64{
		"lognormal":   func() float64 { return 1e6 * math.Exp(rng.NormFloat64()) },
		"pareto":      func() float64 { return 1e5 * math.Pow(1-rng.Float64(), -1/1.2) },
		"nanoseconds": func() float64 { return float64(rng.IntN(200)) },
		"two values":  func() float64 { return []float64{1e6, 1e9}[rng.IntN(2)] },
	} {
		for _, n := range []int{1, 2, 20, 5000} {
			var h Histogram
			all := make([]float64, n)
			sum := 0.0
			for i := range all {
				d := time.Duration(draw())
				h.Record(d)
				all[i] = d.Seconds()
				sum += d.Seconds()
			}
			slices.Sort(all)
			for _, q := range []float64{0.01, 0.5, 0.9, 0.95, 0.99, 0.999} {
				got, ok := h.Quantile(q)
				require.True(t, ok)
				want := all[max(0, int(math.Ceil(q*float64(n)))-1)]
				require.InDelta(t, want, got, want/64+1.01e-9, "%s, n=%d, q=%v", name, n, q)
			}
			mean, ok := h.Mean()
			require.True(t, ok)
			require.InEpsilon(t, sum/float64(n)+1e-12, mean+1e-12, 1e-9)
		}
	}
}

// Every latency falls in the bucket that holds it, and buckets never go back.
func TestBucket_ascends(t *testing.T) {
	last := 0
	for d := time.Duration(0); d < MaxLatency; d += d/200 + 1 {
		b := Bucket(d)
		require.GreaterOrEqual(t, b, last)
		require.LessOrEqual(t, b-last, 1)
		require.Less(t, b, Buckets)
		last = b
	}
	require.Equal(t, Buckets-1, Bucket(MaxLatency))
	require.Equal(t, Buckets-1, Bucket(math.MaxInt64))
	require.Zero(t, Bucket(-1))
}

// Merging is exact: the parts, in any order and after a reset, are the whole.
func TestHistogram_mergeIsExact(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	var whole Histogram
	parts := make([]*Histogram, 7)
	for i := range parts {
		parts[i] = &Histogram{}
	}
	for range 3000 {
		d := time.Duration(rng.ExpFloat64() * 1e8)
		whole.Record(d)
		parts[rng.IntN(len(parts))].Record(d)
	}
	whole.Fail(5)
	parts[2].Fail(5)
	var merged Histogram
	merged.Record(time.Hour)
	merged.Reset()
	require.Zero(t, merged.Count())
	for _, i := range rng.Perm(len(parts)) {
		merged.Merge(parts[i])
	}
	merged.Merge(nil)
	require.Equal(t, whole.Count(), merged.Count())
	require.Equal(t, whole.Failures(), merged.Failures())
	for q := 0.005; q < 1; q += 0.005 {
		a, _ := whole.Quantile(q)
		b, _ := merged.Quantile(q)
		require.Equal(t, a, b)
	}
	require.Equal(t, whole.Above(100*time.Millisecond), merged.Above(100*time.Millisecond))
}

// A failure is worse than any latency, and has no part in the mean.
func TestHistogram_failuresMoveQuantilesUp(t *testing.T) {
	var h Histogram
	_, ok := h.Quantile(0.5)
	require.False(t, ok)
	for range 90 {
		h.Record(time.Millisecond)
	}
	h.Fail(10)
	low, _ := h.Quantile(0.85)
	require.InEpsilon(t, 0.001, low, 1.0/64)
	high, _ := h.Quantile(0.95)
	require.Equal(t, MaxLatency.Seconds(), high)
	mean, _ := h.Mean()
	require.InEpsilon(t, 0.001, mean, 1e-9)
	require.EqualValues(t, 10, h.Above(time.Second))
	require.EqualValues(t, 100, h.Above(0))
}

func TestHistogram_roundTripsAsJSON(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for _, n := range []int{0, 1, 1000} {
		var h, back Histogram
		for range n {
			h.Record(time.Duration(rng.ExpFloat64() * 1e7))
		}
		h.Fail(uint64(n / 10))
		text, err := json.Marshal(&h)
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(text, &back))
		again, err := json.Marshal(&back)
		require.NoError(t, err)
		require.Equal(t, string(text), string(again))
	}
}

// What is read without an error can be used and written: no panic, no NaN.
func FuzzHistogram_UnmarshalJSON(f *testing.F) {
	for _, seed := range []string{
		`{"n":1,"sum":0.5,"counts":"gAEB"}`, `{"n":0,"sum":0}`, `{"n":1,"sum":0,"counts":"////////////AQE"}`,
		`{"n":1e99}`, `{"n":2,"counts":"AAEAAQ"}`, `null`, `{"n":-1}`, `{"n":1,"sum":-5,"failures":3,"counts":"AQE"}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var h Histogram
		if h.UnmarshalJSON(text) != nil {
			return
		}
		if v, ok := h.Quantile(0.5); ok && (math.IsNaN(v) || v < 0) {
			t.Fatalf("median %v", v)
		}
		h.Record(time.Second)
		h.Merge(&h)
		var back Histogram
		out, err := json.Marshal(&h)
		if err == nil {
			err = back.UnmarshalJSON(out)
		}
		if err != nil || back.Count() != h.Count() {
			t.Fatal(err, back.Count(), h.Count())
		}
	})
}
