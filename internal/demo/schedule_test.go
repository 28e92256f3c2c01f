package demo

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The first requests of seed 1. A change here changes what every run with a
// given seed asks for: say so in the changelog.
const golden = `
2.25ms read 8787
3.72ms read 0
7.37ms read 12722
8.9ms read 16657
10.19ms read 15148
10.56ms read 8288
11.52ms read 6361
11.58ms search 7
13.2ms read 18646
13.53ms read 6895
14.5ms read 1071
18.06ms read 9379
`

func TestSchedule_golden(t *testing.T) {
	s := NewSchedule(1, DefaultRate, nil, DefaultItems)
	var b strings.Builder
	for range 12 {
		a := s.Next()
		fmt.Fprintf(&b, "%v %v %d\n", a.At.Round(10*time.Microsecond), a.Kind, a.Key)
	}
	assert.Equal(t, strings.TrimSpace(golden), strings.TrimSpace(b.String()))
}

func TestSchedule_sameSeedSameRequests(t *testing.T) {
	a, b, other := NewSchedule(5, 100, nil, 1000), NewSchedule(5, 100, nil, 1000), NewSchedule(6, 100, nil, 1000)
	differ := false
	for range 1000 {
		x := a.Next()
		require.Equal(t, x, b.Next())
		differ = differ || x != other.Next()
	}
	assert.True(t, differ)
}

// Over several seeds and ten minutes: the mean rate is right, no second is
// outside the stated bounds, none has fewer than 200 requests, and the mix holds.
func TestSchedule_rateAndMix(t *testing.T) {
	const seconds = 600
	for seed := range uint64(4) {
		d := newDrift(seed, DefaultRate)
		sum := 0.0
		for second := range seconds {
			r := d.at(second)
			assert.InDelta(t, 1.10*DefaultRate, r, 0.34*DefaultRate) // 0.76..1.44
			sum += r
		}
		assert.InDelta(t, DefaultRate, sum/seconds, 0.04*DefaultRate)

		s := NewSchedule(seed, DefaultRate, nil, DefaultItems)
		var inSecond [seconds]int
		kinds := map[Kind]int{}
		n := 0
		for a := s.Next(); a.At < seconds*time.Second; a = s.Next() {
			inSecond[int(a.At.Seconds())]++
			kinds[a.Kind]++
			n++
		}
		assert.InDelta(t, sum, n, 5*490) // five standard deviations of a Poisson count
		for second, count := range inSecond {
			assert.GreaterOrEqual(t, count, 200, "seed %d, second %d", seed, second)
		}
		for _, m := range everyday {
			assert.InDelta(t, float64(m.of)/1000, float64(kinds[m.kind])/float64(n), 0.006, "%v", m.kind)
		}
	}
}

// A trace is followed second by second, and starts over.
func TestSchedule_trace(t *testing.T) {
	rates := []float64{500, 0, 1500}
	s := NewSchedule(1, DefaultRate, rates, 1000)
	got := make([]float64, 6)
	last := time.Duration(0)
	for a := s.Next(); a.At < 6*time.Second; a = s.Next() {
		require.GreaterOrEqual(t, a.At, last)
		last = a.At
		got[int(a.At.Seconds())]++
	}
	for second, n := range got {
		assert.InDelta(t, rates[second%3], n, 5*39, "second %d", second)
	}
	silent := NewSchedule(1, DefaultRate, []float64{0}, 1000)
	assert.Greater(t, silent.Next().At, 24*time.Hour, "a trace of nothing ends in silence, not in a loop")
}

func TestScatter_isAPermutation(t *testing.T) {
	for _, items := range []int{1000, 4096, DefaultItems, 999_999, 1_000_000} {
		seen := make([]bool, items)
		for rank := range items {
			seen[scatter(rank, items)] = true
		}
		assert.False(t, slices.Contains(seen, false), "%d items", items)
	}
}

func TestKind_names(t *testing.T) {
	for kind := ReadItem; kind <= Basket; kind++ {
		assert.NotContains(t, kind.String(), "Kind(")
	}
	assert.Equal(t, "Kind(9)", Kind(9).String())
}
