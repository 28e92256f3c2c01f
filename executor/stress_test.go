package executor

import (
	"context"
	"flag"
	"math"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"autotune/catalog"
	"autotune/controller"
)

var stressFor = flag.Duration("stress", 0, "how long the stress test lasts (default 5s; 1.2s with -short or the race detector)")

func stressPeriod() time.Duration {
	switch {
	case *stressFor > 0:
		return *stressFor
	case testing.Short() || raceOn:
		return 1200 * time.Millisecond
	default:
		return 5 * time.Second
	}
}

const (
	stressInputs  = 32
	stressCallers = 8
	parts         = 6 // of the period
	// leakBound is how many bytes each Apply may leave behind. Beside it there is
	// noise: memoryNoise.
	leakBound   = 4
	memoryNoise = 48 << 10
)

// Random configurations at 1,000 a second under full load, for two executors,
// one of them with an exporter that is slow, shut, or worse. Every execution ends
// in exactly one way, with the answer that it has when everything is off, and
// those of a step that declares nothing run exactly as often as they say. Nothing
// hangs, what is read back is what was set, no goroutine is left, and memory is
// as flat as leakBound.
func TestStress_applyUnderLoad(t *testing.T) {
	before := goleak.IgnoreCurrent()
	exporter := &moody{}
	services := []*stressed{newStressed(t), newStressed(t, WithExporter(exporter))}
	period := stressPeriod()
	var applied [parts]int
	var heap [parts]uint64
	for part := range parts {
		exporter.mood.Store(int32(part) % moods)
		applied[part] = stress(t, services, part, period/parts)
		exporter.mood.Store(quick)
		for _, s := range services {
			s.rest(t)
		}
		heap[part] = liveHeap()
	}
	first, sum := applied[0], 0
	for _, n := range applied {
		sum += n
	}
	t.Logf("%d configurations in %v: %.0f a second; live heap in KB: %v", sum, period, float64(sum)/period.Seconds(), inKB(heap))
	for _, s := range services {
		s.balance(t)
		s.reopens(t)
		require.NoError(t, s.ex.Close())
		require.Equal(t, s.entered.Load(), s.returned.Load(), "every function returned")
	}
	stats := services[1].ex.Stats()
	require.Equal(t, stats.Spans, stats.SpansExported+stats.SpansDropped)
	require.Equal(t, exporter.taken.Load(), stats.SpansExported)
	goleak.VerifyNone(t, before)
	grown := int64(heap[parts-1]) - int64(heap[0])
	require.LessOrEqual(t, grown, int64(leakBound*len(services)*(sum-first)+memoryNoise), "memory is flat")
}

// stress makes calls and applies configurations for a while, and returns how many.
func stress(t *testing.T, services []*stressed, part int, period time.Duration) (applied int) {
	var applying atomic.Bool
	applying.Store(true)
	var all sync.WaitGroup
	for i := range stressCallers {
		all.Go(func() {
			r := rand.New(rand.NewPCG(uint64(part), uint64(i)))
			// Calls go on when the last configuration, with its one permit, is in force.
			for more := 20; more > 0; {
				if !applying.Load() {
					more--
				}
				s := services[r.IntN(len(services))]
				ctx, cancel := context.Background(), context.CancelFunc(func() {})
				if r.IntN(8) == 0 {
					ctx, cancel = context.WithTimeout(ctx, time.Duration(r.IntN(200))*time.Microsecond)
				}
				err := s.do(ctx, s.calls[r.IntN(len(s.calls))], r.IntN(stressInputs))
				cancel()
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	r := rand.New(rand.NewPCG(8, uint64(part)))
	begun := time.Now()
	for now := begun; now.Sub(begun) < period && !t.Failed(); now = time.Now() {
		if early := begun.Add(time.Duration(applied) * time.Millisecond).Sub(now); early > 0 {
			time.Sleep(early)
		}
		cfg := stressConfig(r)
		// What takes effect over some time needs to stay on for some.
		cfg.EnableCircuitBreaker = cfg.EnableCircuitBreaker || now.Sub(begun) > period/2
		cfg.EnableConcurrencyOptimization = cfg.EnableConcurrencyOptimization || part%2 == 1
		for _, s := range services {
			if applied%50 == 0 {
				s.down.Store(r.IntN(4) == 0)
			}
			s.apply(t, cfg, applied%16 == 0)
		}
		applied++
	}
	last := stressConfig(r)
	for _, f := range ranges() {
		if f.Kind == controller.Switch && f.Name != catalog.EnableAutomatic {
			f.set(&last, 1)
		}
	}
	last.MaxConcurrentExecutions, last.ConcurrencyTimeout, last.CircuitBreakerFailureThreshold = 1, time.Hour, 1
	for _, s := range services {
		s.apply(t, last, true)
	}
	applying.Store(false)
	all.Wait()
	return applied + 1
}

func (s *stressed) apply(t *testing.T, cfg Config, all bool) {
	require.NoError(t, s.ex.Apply(cfg))
	require.True(t, cfg == s.ex.Config(), "what was set is in force") //nolint:testifylint // a thousand times a second
	if all {
		require.Equal(t, controller.SettingOf(settingOf(cfg)), s.ex.Setting())
	}
}

// rest turns everything off, and waits for what goes on by itself.
func (s *stressed) rest(t *testing.T) {
	t.Helper()
	s.down.Store(false)
	for _, cfg := range []Config{{CacheSize: 1}, {CacheSize: 1, EnablePerformanceMonitoring: true}, {CacheSize: 1}} {
		require.NoError(t, s.ex.Apply(cfg))
		// A step keeps what was monitored of it last: the same in each rest.
		for _, c := range s.calls {
			for in := range stressInputs {
				require.NoError(t, s.do(context.Background(), c, in))
			}
		}
	}
	require.Eventually(t, func() bool {
		stats := s.ex.Stats()
		return s.ex.background.Load() == 0 && stats.Spans == stats.SpansExported+stats.SpansDropped
	}, time.Minute, time.Millisecond)
	require.Zero(t, s.ex.Stats().InFlight)
	require.Zero(t, usedOf(s.ex.permits.word.Load()), "every permit came back")
	require.Empty(t, s.pure.flights.m)
	require.Empty(t, s.nested.flights.m)
}

// balance holds what callers saw, what functions did and what the executor
// counted against each other.
func (s *stressed) balance(t *testing.T) {
	t.Helper()
	for _, c := range s.calls {
		var sum int64
		var ended [endings]int64
		for i := range c.ended {
			ended[i] = c.ended[i].Load()
			sum += ended[i]
		}
		t.Logf("%-17s %7d: %7d worked, %6d failed, %6d met an open circuit, %5d were rejected, %6d canceled", c.name, c.asked.Load(), ended[endWorked], ended[endFailed], ended[endBroken], ended[endRejected], ended[endCanceled])
		require.Equal(t, c.asked.Load(), sum, "%s: each ended in one way", c.name)
		if c.leaf {
			require.Equal(t, ended[endWorked]+ended[endFailed], c.ran.Load(), "%s: each ran once", c.name)
		}
		require.NotZero(t, ended[endWorked], c.name)
	}
	stats := s.ex.Stats()
	t.Logf("%+v", stats)
	require.Equal(t, s.panicked.Load(), stats.Panics)
	require.Equal(t, s.timedOut.Load(), stats.Timeouts)
	require.Equal(t, s.saved.Load(), stats.Fallbacks)
	for i, counted := range []uint64{stats.CircuitRejections, stats.Rejected} {
		once, shared := s.once[i].Load(), s.shared[i].Load()
		require.GreaterOrEqual(t, counted, once, "every rejection was counted")
		require.LessOrEqual(t, counted, once+shared, "and no other")
	}
	require.NotZero(t, stats.CircuitsOpened)
	require.NotZero(t, stats.CircuitRejections)
	require.NotZero(t, stats.Retries)
	require.NotZero(t, stats.CacheHits)
	require.NotZero(t, stats.Waits)
	require.NotZero(t, stats.SnapshotHits)
	require.NotZero(t, stats.PoolMade)
}

// reopens shows that circuits still open, and close again.
func (s *stressed) reopens(t *testing.T) {
	t.Helper()
	require.NoError(t, s.ex.Apply(Config{EnableCircuitBreaker: true, CircuitBreakerFailureThreshold: 2, CircuitBreakerRecoveryTimeout: 100 * time.Millisecond}))
	var flaky *call
	for _, c := range s.calls {
		if c.name == "flaky" {
			flaky = c
		}
	}
	ask := func(down bool) error {
		s.down.Store(down)
		_, err := flaky.run(context.WithValue(context.Background(), tallyKey{}, &tally{}), 0)
		return err
	}
	require.ErrorIs(t, ask(true), errBroken)
	require.ErrorIs(t, ask(true), errBroken)
	require.ErrorIs(t, ask(false), ErrCircuitOpen)
	require.Eventually(t, func() bool { return ask(false) == nil }, time.Minute, 10*time.Millisecond)
	require.NoError(t, ask(false))
	require.NoError(t, ask(false))
	require.ErrorIs(t, ask(true), errBroken)
	require.NoError(t, ask(false), "three trials closed it, and one failure does not open it")
}

// stressConfig has what is large about a configuration bounded, so that the test
// is about moving it.
func stressConfig(r *rand.Rand) Config {
	c := randomConfig(r)
	c.CacheSize, c.ContextCacheSize, c.ErrorCacheSize, c.ObjectPoolMaxSize = 1+r.IntN(200), 1+r.IntN(200), 1+r.IntN(200), 1+r.IntN(200)
	c.TelemetryBatchSize, c.MaxConcurrentExecutions = 1+r.IntN(500), 1+r.IntN(stressCallers)
	c.PerformanceMonitoringInterval, c.MemoryCleanupInterval = time.Second, time.Second
	if c.ConcurrencyTimeout = time.Hour; r.IntN(4) == 0 {
		c.ConcurrencyTimeout = time.Millisecond
	}
	c.CircuitBreakerFailureThreshold, c.CircuitBreakerRecoveryTimeout = 1+r.IntN(5), 100*time.Millisecond+time.Duration(r.IntN(50))*time.Millisecond
	return c
}

func settingOf(cfg Config) map[string]float64 {
	m := map[string]float64{}
	for _, f := range movableFields() {
		m[f.Name] = f.get(&cfg)
	}
	return m
}

// randomConfig is a valid one with each field anywhere in its range, and no
// autopilot.
func randomConfig(r *rand.Rand) Config {
	c := Defaults()
	for _, f := range ranges() {
		if f.Name == catalog.EnableAutomatic {
			continue
		}
		v := f.Min + r.Float64()*(f.Max-f.Min)
		if f.Scale == controller.Log {
			v = f.Min * math.Pow(f.Max/f.Min, r.Float64())
		}
		f.set(&c, f.Clamp(v))
	}
	return c
}

// liveHeap is what is in use, in bytes.
func liveHeap() uint64 {
	for range 3 { // what has finalizers, or is in a sync.Pool, takes more than one
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func inKB(heap [parts]uint64) (kb [parts]float64) {
	for i, b := range heap {
		kb[i] = float64(b) / 1024
	}
	return kb
}
