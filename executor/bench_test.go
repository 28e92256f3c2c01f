package executor

import (
	"context"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Each benchmark has two sides that run one after the other in the same loop: by=reference
// is what a user has without this package, or with another library, or with the
// part in question left out; by=step is this package. `make bench PKG=./executor
// COL=/by` puts them next to each other, with the ratio and its significance.

var sink int

//go:noinline
func bare(_ context.Context, in int) (int, error) { return in + 1, nil }

//go:noinline
func bareString(_ context.Context, in string) (int, error) { return len(in), nil }

// inputs are 256 of each kind.
func inputs() (ints []int, texts []string) {
	for i := range 256 {
		ints = append(ints, 1000+i)
		texts = append(texts, "customer/"+strconv.Itoa(1000+i))
	}
	return ints, texts
}

// beside measures both sides, by themselves and from all processors at once.
func beside(b *testing.B, name string, reference, step func(i int)) {
	b.Helper()
	b.Run(name, func(b *testing.B) {
		for _, parallel := range []bool{false, true} {
			b.Run(map[bool]string{false: "serial", true: "parallel"}[parallel], func(b *testing.B) {
				for _, by := range []struct {
					name string
					f    func(i int)
				}{{"by=reference", reference}, {"by=step", step}} {
					b.Run(by.name, func(b *testing.B) {
						b.ReportAllocs()
						if !parallel {
							for i := 0; b.Loop(); i++ {
								by.f(i & 255)
							}
							return
						}
						b.RunParallel(func(pb *testing.PB) {
							for i := 0; pb.Next(); i++ {
								by.f(i & 255)
							}
						})
					})
				}
			})
		}
	})
}

// running returns a run of a step of its own, with one of the inputs each time; all
// of them have run once.
func running[In any](b *testing.B, cfg Config, step StepConfig[In, int], ins []In, options ...Option) func(i int) {
	b.Helper()
	ex, err := New(cfg, options...)
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, ex.Close()) })
	s := bind(b, ex, step)
	run := func(i int) { _, _ = s.Run(context.Background(), ins[i]) }
	for i := range ins {
		run(i)
	}
	return run
}

// What the core adds to a call.
func BenchmarkCore(b *testing.B) {
	ints, texts := inputs()
	ctx := context.Background()
	call := func(i int) { _, _ = bare(ctx, ints[i]) }
	callString := func(i int) { _, _ = bareString(ctx, texts[i]) }
	plain := StepConfig[int, int]{Run: bare}
	beside(b, "undeclared", call, running(b, Config{}, plain, ints))
	beside(b, "declared-int", call, running(b, Config{}, StepConfig[int, int]{Run: bare, Results: Pure()}, ints))
	beside(b, "declared-string", callString, running(b, Config{}, StepConfig[string, int]{Run: bareString, Results: Pure()}, texts))
	beside(b, "attempts-and-fallback", call, running(b, Config{}, StepConfig[int, int]{
		Run: bare, Attempts: 3, Fallback: func(context.Context, int, error) (int, error) { return 0, nil },
	}, ints))
	beside(b, "timeout", call, running(b, Config{}, StepConfig[int, int]{Run: bare, Timeout: time.Minute}, ints))

	// The core as it would be if it had no configuration, so nothing to switch: it
	// counts, asks the context, calls and recovers.
	s := bind(b, start(b, Config{}), plain)
	withoutSwitches := func(i int) {
		count := s.ex.counters.stripe()
		count.began[0].Add(1)
		_, _ = s.plain(ctx, count, ints[i])
	}
	beside(b, "all-switches-off", withoutSwitches, running(b, Config{}, plain, ints))
}

// Each switch, off after it was on and on, beside the same step in an executor in which
// nothing was ever on.
func BenchmarkSwitch(b *testing.B) {
	ints, texts := inputs()
	plain := StepConfig[int, int]{Run: bare}
	pure := StepConfig[int, int]{Run: bare, Results: Pure()}
	retrying := StepConfig[int, int]{Run: bare, Attempts: 3}
	for _, c := range []struct {
		name string
		on   Config
		step StepConfig[int, int]
	}{
		{"object-pool", Config{EnableObjectPool: true}, plain},
		{"context", Config{EnableContextOptimization: true}, plain},
		{"memory", Config{EnableMemoryOptimization: true}, plain},
		{"concurrency", Config{EnableConcurrencyOptimization: true, MaxConcurrentExecutions: 1000}, plain},
		{"telemetry", Config{EnableOptimizedTelemetry: true}, plain}, // without an exporter
		{"monitoring", Config{EnablePerformanceMonitoring: true}, plain},
		{"error-handling", classifying, retrying},
		{"circuit-breaker", Config{EnableCircuitBreaker: true}, plain},
		{"cache", Config{EnableCacheOptimization: true}, pure},
		{"step", Config{EnableStepOptimization: true}, pure},
		{"algorithm", Config{EnableAlgorithmOptimization: true}, pure},
	} {
		never := running(b, Config{}, c.step, ints)
		ex := start(b, c.on)
		s := bind(b, ex, c.step)
		for _, in := range ints {
			must(s.Run(b.Context(), in))(b)
		}
		require.NoError(b, ex.Apply(Config{}))
		beside(b, c.name+"/off", never, func(i int) { _, _ = s.Run(context.Background(), ints[i]) })
		if c.name != "cache" {
			beside(b, c.name+"/on", never, running(b, c.on, c.step, ints))
		}
	}

	typed := Config{EnableCacheOptimization: true, EnableAlgorithmOptimization: true}
	digests := Config{EnableCacheOptimization: true}
	one := typed
	one.CacheSize = 1 // 256 inputs: nearly each execution misses and stores
	pureString := StepConfig[string, int]{Run: bareString, Results: Pure()}
	never, neverString := running(b, Config{}, pure, ints), running(b, Config{}, pureString, texts)
	beside(b, "cache/on-hit-int", never, running(b, typed, pure, ints))
	beside(b, "cache/on-hit-string", neverString, running(b, typed, pureString, texts))
	beside(b, "cache/on-hit-string-digest", neverString, running(b, digests, pureString, texts))
	beside(b, "cache/on-miss-string", neverString, running(b, one, pureString, texts))

	rejecting := running(b, breaker(1, time.Hour), StepConfig[int, int]{Run: alwaysFails}, ints)
	beside(b, "circuit-breaker/on-rejecting", running(b, Config{}, StepConfig[int, int]{Run: alwaysFails}, ints), rejecting)

	all := Config{
		EnableObjectPool: true, EnableContextOptimization: true, EnableMemoryOptimization: true,
		EnableConcurrencyOptimization: true, MaxConcurrentExecutions: 1000, EnableOptimizedTelemetry: true,
		EnablePerformanceMonitoring: true, EnableOptimizedErrorHandling: true, EnableCircuitBreaker: true,
		EnableCacheOptimization: true, EnableStepOptimization: true, EnableAlgorithmOptimization: true,
	}
	allOne := all
	allOne.CacheSize = 1
	beside(b, "all/on-undeclared", running(b, Config{}, plain, ints), running(b, all, plain, ints))
	beside(b, "all/on-hit-string", neverString, running(b, all, pureString, texts))
	beside(b, "all/on-miss-string", neverString, running(b, allOne, pureString, texts))
}

// What monitoring adds, beside the two clock reads that nobody can time without:
// each execution timed, as at the beginning of an interval, and most of them not,
// as later in one that has many.
func BenchmarkMonitoring(b *testing.B) {
	ints, _ := inputs()
	monitoring := Config{EnablePerformanceMonitoring: true, PerformanceMonitoringInterval: time.Hour}
	core := bind(b, start(b, Config{}), StepConfig[int, int]{Run: bare})
	clock := newClock()
	clocked := func(i int) {
		began := clock.NowNano()
		_, _ = core.Run(context.Background(), ints[i])
		sink = int(clock.NowNano() - began)
	}
	s := bind(b, start(b, monitoring), StepConfig[int, int]{Run: bare})
	run := func(i int) { _, _ = s.Run(context.Background(), ints[i]) }
	run(0)
	window := s.watch.Load().window
	beside(b, "timed", clocked, func(i int) {
		if i == 0 {
			window.timed.Store(0)
		}
		run(i)
	})
	beside(b, "sampled", clocked, run)
}

// What an Apply costs whoever calls it: an autopilot does, between blocks.
func BenchmarkApply(b *testing.B) {
	on, err := Preset("high-frequency")
	require.NoError(b, err)
	ex := start(b, on)
	for _, c := range []struct {
		name string
		next [2]Config
	}{{"same", [2]Config{on, on}}, {"on and off", [2]Config{Defaults(), on}}} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if err := ex.Apply(c.next[i%2]); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
