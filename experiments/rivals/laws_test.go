package rivals

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"autotune/controller"
)

// window is one of a second, under a value.
func window(value float64, totals, gauges map[controller.Metric]float64) *Window {
	return &Window{Sample: &controller.Sample{Over: time.Second, Totals: totals, Gauges: gauges}, Value: value}
}

type metrics = map[controller.Metric]float64

// sample is one of .NET's: so many completions in a tenth of a second.
func sample(value, completions float64) *Window {
	return &Window{Value: value, Sample: &controller.Sample{
		Over: 100 * time.Millisecond, Totals: metrics{controller.Completions: completions},
	}}
}

func TestDotNet_followsTheWave(t *testing.T) {
	for name, c := range map[string]struct {
		throughput func(threads float64) float64 // completions in a tenth of a second
		control    float64                       // gained with each sample from the ninth on
		slope      float64
	}{
		// Proportional throughput: what comes back is the wave, less the bias:
		// (Y - 0.15 U)/U = 0.85, without noise. 0.85² · 4/s · 0.1 s = 0.289.
		"each thread pays": {func(n float64) float64 { return 100 * n }, 0.289, 0.85},
		// Flat: nothing comes back, so the bias alone: -0.15² · 4/s · 0.1 s = -0.009.
		"none pays": {func(float64) float64 { return 1000 }, -0.009, -0.15},
	} {
		t.Run(name, func(t *testing.T) {
			d := NewDotNet(Bounds{1, 100}, 1)
			m := d.Begin(8)
			// A wave of one thread, two samples down and two up. Samples are asked about
			// after they were taken: the first is 8, and after it total/2 mod 2 is 0.
			for i, want := range []float64{8, 9, 9, 8, 8, 9, 9, 8} {
				m = d.Next(sample(m.Value, c.throughput(m.Value)))
				require.InDelta(t, want, m.Value, 0, "after sample %d", i+1)
				require.InDelta(t, 8, d.control, 0, "warming up: (samples-1) must hold two waves")
			}
			for i := range 2 {
				m = d.Next(sample(m.Value, c.throughput(m.Value)))
				require.InDelta(t, 8+float64(i+1)*c.control, d.control, 1e-9, "after sample %d", 9+i)
			}
		})
	}
}

func TestDotNet_samplesMustBeWorthIt(t *testing.T) {
	d := NewDotNet(Bounds{1, 100}, 1)
	d.Begin(10)
	// (10-1)/59 = 0.153 and (10-1)/60 = 0.15 are too much: 10 ms more each time.
	require.Equal(t, Move{Value: 10, Watch: 10 * time.Millisecond}, d.Next(sample(10, 0)))
	require.Equal(t, Move{Value: 10, Watch: 10 * time.Millisecond}, d.Next(sample(10, 59)))
	require.Equal(t, Move{Value: 10, Watch: 10 * time.Millisecond}, d.Next(sample(10, 1)))
	require.Zero(t, d.total)
	d.Next(sample(10, 1)) // 61 in 0.4 s
	require.Equal(t, 1, d.total)
	require.InDelta(t, 61/0.4, d.throughput[0], 1e-9)
}

func TestDotNet_adoptsBusyAndFloor(t *testing.T) {
	d := NewDotNet(Bounds{4, 100}, 1)
	d.Cores = 2
	m := d.Begin(8)
	feed := func(v float64, cpu float64) {
		w := sample(v, 100*v)
		w.Totals[controller.CPUSeconds] = cpu
		m = d.Next(w)
	}
	for range 8 {
		feed(m.Value, 0.1)
	}
	feed(m.Value, 0.191) // of 0.2: above 95 %
	require.InDelta(t, 8, d.control, 0, "no threads are added where processors are busy")
	feed(m.Value, 0.189)
	require.InDelta(t, 8.289, d.control, 1e-9)
	feed(m.Value+20, 0.1)
	require.Greater(t, d.control, 28.0, "what somebody else set is adopted")

	low := NewDotNet(Bounds{4, 100}, 1)
	m = low.Begin(4)
	for range 9 {
		m = low.Next(sample(m.Value, 1000))
	}
	require.InDelta(t, 4, m.Value, 0)
	require.InDelta(t, 1.5, m.Watch.Seconds()/low.interval.Seconds(), 1e-6, "fewer would be better and cannot be: 10 · 0.15 times as long")
}

func TestMongoDB_probes(t *testing.T) {
	m := NewMongoDB(Bounds{1, 1000})
	require.Equal(t, Bounds{4, 128}, m.Bounds)
	require.InDelta(t, 10, m.Begin(10).Value, 0)
	for i, c := range []struct {
		used, completions float64 // of the window that ends
		next, stable      float64
	}{
		{10, 1000, 11, 10},     // exhausted: probe ⌈10 · 1.1⌉
		{11, 1100, 10, 10.2},   // better: 0.2 · 11 + 0.8 · 10
		{10, 1000, 12, 10.2},   // probe ⌈11.22⌉
		{12, 1000, 10, 10.2},   // as good is not better
		{10, 1000, 12, 10.2},   //
		{12, 1001, 11, 10.56},  // better by one: 0.2 · 12 + 0.8 · 10.2
		{5, 500, 9, 10.56},     // not exhausted: probe ⌊9.504⌋
		{5, 501, 10, 10.248},   // better: 0.2 · 9 + 0.8 · 10.56
		{4, 500, 10, 10.248},   // hardly used, 4 at once: nothing to try
		{10, 1000, 12, 10.248}, //
	} {
		got := m.Next(window(0, metrics{controller.Completions: c.completions}, metrics{controller.InFlight: c.used}))
		require.InDelta(t, c.next, got.Value, 0, "window %d", i)
		require.InDelta(t, c.stable, m.stable, 1e-9, "window %d", i)
	}
}

func TestGradient2_sequence(t *testing.T) {
	g := NewGradient2(Bounds{1, 1000})
	require.Equal(t, Bounds{20, 200}, g.Bounds)
	g.Begin(20)
	for i, c := range []struct {
		n, ms, inFlight float64
		limit, long     float64 // long in ms
	}{
		{100, 10, 20, 20.8, 10},       // gradient min(1, 1.5): 0.8 · 20 + 0.2 · 24
		{100, 10, 20, 21.6, 10},       //
		{100, 30, 21, 21.68, 50. / 3}, // mean of three; 1.5 · 16.67/30 = 0.8333: 0.2 · (21.6 · 0.8333 + 4) + 0.8 · 21.6
		{5, 10, 20, 21.68, 50. / 3},   // five answers are too few: the window goes on
		{5, 20, 20, 22.48, 16.25},     // ten of 15 ms: (10 + 10 + 30 + 15)/4, gradient 1
		{100, 10, 10, 22.48, 15},      // 10 in flight are less than half of it
		{100, 0.05, 22, 22.48, 15},    // faster than 0.1 ms: no answers
		// (75 + 5)/6 = 13.33 is more than twice 5: · 0.95; gradient 1
		{100, 5, 22, 23.28, 0.95 * 80. / 6},
	} {
		g.Next(window(0, metrics{controller.Completions: c.n}, metrics{controller.InFlight: c.inFlight, controller.LatencyMean: c.ms / 1e3}))
		require.InDelta(t, c.limit, g.limit, 1e-9, "window %d", i)
		require.InDelta(t, c.long, 1e3*g.long, 1e-9, "window %d", i)
	}
}

func TestEnvoy_sequence(t *testing.T) {
	e := NewEnvoy(Bounds{1, 500}, 1)
	require.Equal(t, Bounds{3, 500}, e.Bounds)
	at := func(n, ms float64) Move {
		return e.Next(window(0, metrics{controller.Completions: n}, metrics{controller.LatencyP50: ms / 1e3}))
	}
	require.Equal(t, Move{Value: 3, Watch: 100 * time.Millisecond, Fresh: true}, e.Begin(100))
	require.Equal(t, Move{Value: 3, Watch: 100 * time.Millisecond}, at(49, 10), "49 requests are too few")
	require.Equal(t, Move{Value: 100, Watch: 100 * time.Millisecond}, at(1, 10), "50 are enough, and the limit is back")
	require.InDelta(t, 0.010, e.minRTT, 1e-12)
	require.GreaterOrEqual(t, e.due, 60*time.Second)
	require.Less(t, e.due, 69*time.Second)
	for _, c := range []struct{ ms, limit float64 }{
		{12.5, 110}, // 1.25 · 10/12.5 = 1: 100 + √100
		{25, 62},    // 0.5: 55 + 7.4
		{100, 36},   // not below 0.5: 31 + 5.6
		{5, 80},     // not above 2: 72 + 8.5
		{0, 80},     // nothing measured
	} {
		require.InDelta(t, c.limit, at(10, c.ms).Value, 0, "p50 of %v ms", c.ms)
	}
	for range 5 { // 40+6, 23+4.8, 13.5+3.7, 8.5+2.9, 5.5+2.3
		at(10, 100)
	}
	require.InDelta(t, 7, e.limit, 0)
	for at(10, 100).Value > 3 {
	}
	for range 3 {
		require.False(t, at(10, 100).Fresh)
	}
	require.True(t, at(10, 100).Fresh, "five updates in a row at the minimum: measured anew")
	at(60, 20)
	require.InDelta(t, 0.020, e.minRTT, 1e-12)
	for range 69 {
		e.Next(window(0, nil, nil))
	}
	require.True(t, e.probing, "and when the time is due")
}

func TestCaffeine_sequence(t *testing.T) {
	c := NewCaffeine(Bounds{1, 999}, 1000)
	require.InDelta(t, 10, c.Begin(10).Value, 0)
	for i, x := range []struct{ lookups, ratio, window, step float64 }{
		{9_999, 0.5, 10, -62.5},    // not yet a sample
		{1, 0.5, 1, -62.5},         // from nothing to a half: on, which is down; a large change, so a whole step
		{10_000, 0.4, 63.5, 62.5},  // worse by ten points: back
		{10_000, 0.41, 126, 61.25}, // better: on; a small change, so the step decays
		{10_000, 0.40, 64.75, -60.025},
		{10_000, 0.40, 4.725, -58.8245}, // as good as before: on
	} {
		c.Next(window(0, metrics{Lookups: x.lookups, Hits: x.lookups * x.ratio}, nil))
		require.InDelta(t, x.window, c.window, 1e-9, "sample %d", i)
		require.InDelta(t, x.step, c.step, 1e-9, "sample %d", i)
	}
}

func TestCaffeine_ofAWholeCache(t *testing.T) {
	c := NewCaffeine(Bounds{1, 1 << 20}, 0)
	c.Begin(160)
	c.Next(window(0, metrics{Lookups: 1600, Hits: 800}, nil)) // ten for each entry
	require.InDelta(t, 150, c.window, 1e-9, "a sixteenth down")
}
