package autotune

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"autotune/controller"
)

// machine is a computer in virtual time: functions on it take what they are
// said to, times what the machine is like at that moment.
type machine struct {
	at      float64 // seconds
	cpu     float64 // seconds
	bytes   uint64
	objects uint64
	rng     *rand.Rand
	speed   float64 // a random walk in logs: neighbors, and clocks that are scaled
}

func newMachine(seed uint64) *machine {
	return &machine{rng: rand.New(rand.NewPCG(seed, 1))}
}

func (m *machine) meter() meter {
	return meter{
		now:     func() time.Time { return time.Unix(0, int64(m.at*1e9)) },
		cpu:     func() (float64, bool) { return m.cpu, true },
		heap:    func() (uint64, uint64) { return m.bytes, m.objects },
		collect: func() { m.at += 1e-3 },
	}
}

// function takes a mean time and allocates.
func (m *machine) function(mean time.Duration, bytes uint64) func(context.Context) error {
	return func(context.Context) error {
		m.speed = 0.999*m.speed + 0.01*m.rng.NormFloat64()
		took := mean.Seconds() * math.Exp(m.speed+0.3*m.rng.NormFloat64())
		m.at += took
		m.cpu += 0.9 * took
		if bytes > 0 {
			m.bytes += bytes
			m.objects++
		}
		return nil
	}
}

var cheap = MeasureConfig{Pairs: 12, Block: 10 * time.Millisecond}

func effectOn(t *testing.T, m *Measurement, metric controller.Metric) controller.Compared {
	t.Helper()
	for _, e := range m.Effects {
		if e.Metric == metric {
			return e
		}
	}
	t.Fatalf("no effect on %s in %v", metric, m.Effects)
	return controller.Compared{}
}

func TestMeasure_findsWhatIsThere(t *testing.T) {
	for _, test := range []struct {
		name                string
		baseline, candidate time.Duration
		allocates           [2]uint64
		want                string
		time, bytes         float64 // true effects
	}{
		{"twice as slow", 100 * time.Microsecond, 200 * time.Microsecond, [2]uint64{64, 64}, "worse", 1, 0},
		{"half the time", 100 * time.Microsecond, 50 * time.Microsecond, [2]uint64{64, 64}, "better", -0.5, 0},
		{"a tenth more", 100 * time.Microsecond, 110 * time.Microsecond, [2]uint64{0, 0}, "worse", 0.1, 0},
		{"longer than a block", 30 * time.Millisecond, 60 * time.Millisecond, [2]uint64{64, 64}, "worse", 1, 0},
		{"faster than the clock", 200 * time.Nanosecond, 400 * time.Nanosecond, [2]uint64{0, 0}, "worse", 1, 0},
		{"the same", 100 * time.Microsecond, 100 * time.Microsecond, [2]uint64{64, 64}, "unclear", 0, 0},
		{"allocates anew", 100 * time.Microsecond, 100 * time.Microsecond, [2]uint64{0, 63}, "worse", 0, 63},
		{"allocates no more", 100 * time.Microsecond, 100 * time.Microsecond, [2]uint64{63, 0}, "better", 0, 1.0/64 - 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := newMachine(7)
			cfg := cheap
			cfg.Seed, cfg.Pairs = 3, 40
			pairs := 0
			cfg.Progress = func(done, of int) {
				assert.GreaterOrEqual(t, done, pairs)
				pairs = done
				assert.Equal(t, 40, of)
			}
			got, err := measure(t.Context(), m.function(test.baseline, test.allocates[0]), m.function(test.candidate, test.allocates[1]), cfg, m.meter())
			require.NoError(t, err)
			assert.Equal(t, test.want, got.Verdict, "%+v", got.Effects)
			assert.Equal(t, 40, pairs)
			for metric, truth := range map[controller.Metric]float64{controller.LatencyMean: test.time, controller.CPUPerRequest: test.time, allocsPerCall: test.bytes} {
				e := effectOn(t, got, metric)
				assert.LessOrEqual(t, e.Low, truth+1e-6, "%s", metric)
				assert.GreaterOrEqual(t, e.High, truth-1e-6, "%s", metric)
			}
			assert.InEpsilon(t, test.baseline.Seconds(), got.Baseline.Seconds, 0.25)
			assert.InEpsilon(t, 0.9*got.Candidate.Seconds, got.Candidate.CPUSeconds, 1e-3)
			assert.InDelta(t, test.allocates[1], got.Candidate.AllocBytes, 1e-9)
			assert.InDelta(t, min(test.allocates[1], 1), got.Candidate.Allocs, 1e-9)
		})
	}
}

// Two functions that are the same are seldom told apart, on three goals together
// too: the intervals are wide enough for whoever looks after each pair.
func TestMeasure_ofTheSameIsUnclear(t *testing.T) {
	const n = 200
	told := 0
	for seed := range uint64(n) {
		m := newMachine(seed)
		cfg := cheap
		cfg.Seed = seed + 1
		got, err := measure(t.Context(), m.function(200*time.Microsecond, 64), m.function(200*time.Microsecond, 64), cfg, m.meter())
		require.NoError(t, err)
		if got.Verdict != "unclear" {
			told++
		}
	}
	t.Logf("%d of %d", told, n)
	assert.LessOrEqual(t, told, 18) // 99.9 % of such series, if 5 in 100 were
}

func TestMeasure_sameSeedSameOrder(t *testing.T) {
	order := func(seed uint64) (order []int) {
		m := newMachine(1)
		note := func(arm int) func(context.Context) error {
			f := m.function(100*time.Microsecond, 0)
			return func(ctx context.Context) error {
				if n := len(order); n == 0 || order[n-1] != arm {
					order = append(order, arm)
				}
				return f(ctx)
			}
		}
		cfg := cheap
		cfg.Seed = seed
		_, err := measure(t.Context(), note(0), note(1), cfg, m.meter())
		require.NoError(t, err)
		return order
	}
	assert.Equal(t, order(5), order(5))
	assert.NotEqual(t, order(5), order(6))
}

func TestMeasure_ends(t *testing.T) {
	broken := errors.New("broken")
	m := newMachine(1)
	good := m.function(time.Millisecond, 0)
	n := 0
	breaks := func(ctx context.Context) error {
		if n++; n > 20 {
			return broken
		}
		return good(ctx)
	}
	_, err := measure(t.Context(), good, breaks, cheap, m.meter())
	require.ErrorIs(t, err, broken)
	assert.EqualError(t, err, "measure: candidate: broken")
	assert.Equal(t, 21, n, "it is not called again")

	ctx, cancel := context.WithCancel(t.Context())
	n = 0
	stops := func(ctx context.Context) error {
		if n++; n == 20 {
			cancel()
		}
		return good(ctx)
	}
	_, err = measure(ctx, good, stops, cheap, m.meter())
	require.ErrorIs(t, err, context.Canceled)
	assert.EqualError(t, err, "measure: context canceled")
	assert.Equal(t, 20, n)

	for _, test := range []struct {
		cfg  MeasureConfig
		f    func(context.Context) error
		want string
	}{
		{MeasureConfig{Pairs: 7}, good, "measure: pairs 7: must be at least 8"},
		{MeasureConfig{Pairs: -1, Block: time.Microsecond}, good, "measure: pairs -1: must be at least 8\nmeasure: block 1µs: must be at least 1ms"},
		{MeasureConfig{}, nil, "measure: a function is missing: there must be a baseline and a candidate"},
	} {
		_, err := Measure(t.Context(), good, test.f, test.cfg)
		assert.EqualError(t, err, test.want)
	}
}

// On the real clock: a function that does ten times the work is found, on all
// that is measured.
func TestMeasure_forReal(t *testing.T) {
	work := func(times int) func(context.Context) error {
		return func(context.Context) error {
			b := make([]byte, 4096*times)
			for i := range b {
				b[i] = byte(i * times)
			}
			sink = b
			return nil
		}
	}
	got, err := Measure(t.Context(), work(1), work(10), MeasureConfig{Pairs: 8, Block: 10 * time.Millisecond})
	require.NoError(t, err)
	assert.Equal(t, "worse", got.Verdict, "%+v", got)
	assert.NotZero(t, got.Seed)
	assert.InEpsilon(t, 40960, got.Candidate.AllocBytes, 0.1)
	assert.InDelta(t, 1, got.Candidate.Allocs, 0.2)
	assert.Greater(t, got.Candidate.Seconds, got.Baseline.Seconds)
}

var sink []byte

func TestVerdict_isThatOfTheWorstGoal(t *testing.T) {
	for _, test := range []struct {
		goals []string
		want  string
	}{
		{nil, "unclear"},
		{[]string{"unclear", "unclear"}, "unclear"},
		{[]string{"unclear", "better"}, "better"},
		{[]string{"better", "worse"}, "worse"},
		{[]string{"worse", "better"}, "worse"},
	} {
		var compared []controller.Compared
		for _, v := range test.goals {
			compared = append(compared, controller.Compared{Verdict: v})
		}
		assert.Equal(t, test.want, Verdict(compared), "%v", test.goals)
	}
}
