package plant

import (
	"context"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"autotune/simulate"
)

// The queue that is left when nothing is on, against queueing theory. Runs are so
// long that chance is off by half a percent.

// station is a plain one: k cores, one kind of requests.
func station(k int, perSecond float64, work time.Duration, tail simulate.Tail) Config {
	return Config{Seed: 1, Cores: k, Arrivals: Poisson(perSecond), Kinds: []Kind{{Name: "work", Share: 1, Work: work, Tail: tail}}}
}

func skipIfShort(t *testing.T) {
	if testing.Short() {
		t.Skip("millions of requests are needed to be sure")
	}
}

// meanWait of so many requests, in seconds: what latency has beyond the work itself.
func meanWait(t testing.TB, cfg Config, requests float64, perSecond float64) float64 {
	s, err := New(cfg)
	require.NoError(t, err)
	for left := requests / perSecond; left > 0; left -= 1000 {
		_, err := s.Observe(context.Background(), 1, time.Duration(min(left, 1000)*1e9))
		require.NoError(t, err)
	}
	k := cfg.Kinds[0]
	return s.score.whole.latency.Seconds()/float64(s.Counts().Done) - k.Work.Seconds()*k.Tail.Mean()
}

// erlangC is the chance to wait of M/M/k under a load of a, the mean number of busy servers.
func erlangC(k int, a float64) float64 {
	term, sum := 1.0, 0.0
	for i := range k {
		sum += term
		term *= a / float64(i+1)
	}
	full := term * float64(k) / (float64(k) - a)
	return full / (sum + full)
}

func TestTheory_erlangC(t *testing.T) {
	skipIfShort(t)
	// Textbook values: M/M/1 waits with chance rho; two servers under a load of 1 with 1/3.
	require.InDelta(t, 0.7, erlangC(1, 0.7), 1e-12)
	require.InDelta(t, 1.0/3, erlangC(2, 1), 1e-12)

	const median = 10 * time.Millisecond
	for _, c := range []struct {
		k    int
		busy float64 // of each server
	}{{1, 0.5}, {1, 0.8}, {2, 0.7}, {4, 0.8}, {16, 0.9}} {
		t.Run(fmt.Sprintf("M-M-%d at %v", c.k, c.busy), func(t *testing.T) {
			t.Parallel()
			tail := simulate.Exponential()
			mean := median.Seconds() * tail.Mean()
			a := c.busy * float64(c.k)
			rate := a / mean
			want := erlangC(c.k, a) * mean / (float64(c.k) - a)
			got := meanWait(t, station(c.k, rate, median, tail), 3e6, rate)
			require.InEpsilon(t, want, got, 0.02)
		})
	}
}

// Pollaczek and Khinchine: the mean wait of M/G/1 is λ·E[S²]/(2·(1-ρ)).
func TestTheory_pollaczekKhinchine(t *testing.T) {
	skipIfShort(t)
	const median = 10 * time.Millisecond
	for name, c := range map[string]struct {
		tail simulate.Tail
		// second moment over median squared
		second float64
	}{
		"constant":       {simulate.Tail{}, 1},
		"lognormal":      {simulate.Lognormal(0.6), math.Exp(2 * 0.6 * 0.6)},
		"wide lognormal": {simulate.Lognormal(1), math.Exp(2)},
		"pareto":         {simulate.Pareto(4), math.Pow(2, -2.0/4) * 4 / 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			mean, busy := median.Seconds()*c.tail.Mean(), 0.6
			rate := busy / mean
			want := rate * c.second * median.Seconds() * median.Seconds() / (2 * (1 - busy))
			got := meanWait(t, station(1, rate, median, c.tail), 3e6, rate)
			require.InEpsilon(t, want, got, 0.02)
		})
	}
}

// A short quantum makes the cores share: the mean time of M/G/1 under processor
// sharing is S/(1-ρ), whatever the distribution.
func TestTheory_processorSharing(t *testing.T) {
	skipIfShort(t)
	const median = 10 * time.Millisecond
	tail := simulate.Lognormal(1)
	mean, busy := median.Seconds()*tail.Mean(), 0.6
	cfg := station(1, busy/mean, median, tail)
	cfg.Quantum = median / 100
	got := meanWait(t, cfg, 1e5, busy/mean)
	require.InEpsilon(t, mean/(1-busy)-mean, got, 0.05)
}

func BenchmarkStation(b *testing.B) {
	s, err := New(station(2, 1000, time.Millisecond, simulate.Lognormal(0.6)))
	require.NoError(b, err)
	b.ReportAllocs()
	for b.Loop() {
		_, _ = s.Observe(context.Background(), 1, time.Second)
	}
	b.ReportMetric(float64(s.Counts().Arrived)/b.Elapsed().Seconds(), "requests/s")
}
