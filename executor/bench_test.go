package executor

import (
	"context"
	"strconv"
	"testing"
	"time"

	"github.com/maypok86/otter/v2"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/singleflight"
)

// Each benchmark names what a user would pick instead next to what this package
// does: bare call, otter directly, singleflight directly. Run them in one go,
// and compare within it.

var sink int

//go:noinline
func bare(_ context.Context, in int) (int, error) { return in + 1, nil }

//go:noinline
func bareString(_ context.Context, in string) (int, error) { return len(in), nil }

func benchStep[In any](b *testing.B, cfg Config, step StepConfig[In, int], ins []In) {
	b.Helper()
	ex, err := New(cfg)
	if err != nil {
		b.Fatal(err)
	}
	defer ex.Close()
	step.Name = "step"
	s, err := NewStep(ex, step)
	if err != nil {
		b.Fatal(err)
	}
	ctx := context.Background()
	for _, in := range ins {
		if _, err := s.Run(ctx, in); err != nil {
			b.Fatal(err)
		}
	}
	run := func(b *testing.B, next func() bool) {
		for i := 0; next(); i++ {
			v, err := s.Run(ctx, ins[i&(len(ins)-1)])
			if err != nil {
				b.Fatal(err)
			}
			if v == -1 {
				sink = v
			}
		}
	}
	b.Run("serial", func(b *testing.B) {
		b.ReportAllocs()
		run(b, b.Loop)
	})
	b.Run("parallel", func(b *testing.B) {
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) { run(b, pb.Next) })
	})
}

func inputs() (ints []int, texts []string) {
	for i := range 256 {
		ints = append(ints, 1000+i)
		texts = append(texts, "customer/"+strconv.Itoa(1000+i))
	}
	return ints, texts
}

func BenchmarkCall(b *testing.B) {
	ints, texts := inputs()
	b.Run("bare", func(b *testing.B) {
		ctx := context.Background()
		b.Run("serial", func(b *testing.B) {
			for i := 0; b.Loop(); i++ {
				sink, _ = bare(ctx, ints[i&255])
			}
		})
		b.Run("parallel", func(b *testing.B) {
			b.RunParallel(func(pb *testing.PB) {
				v := 0
				for i := 0; pb.Next(); i++ {
					v, _ = bare(ctx, ints[i&255])
				}
				if v == -1 {
					sink = v
				}
			})
		})
	})
	all := Config{
		EnableCacheOptimization: true, CacheSize: 4096, EnableStepOptimization: true,
		EnableConcurrencyOptimization: true, MaxConcurrentExecutions: 1000,
	}
	b.Run("baseline", func(b *testing.B) {
		benchStep(b, Config{}, StepConfig[int, int]{Run: bare}, ints)
	})
	b.Run("baseline-pure", func(b *testing.B) {
		benchStep(b, Config{}, StepConfig[int, int]{Run: bare, Results: Pure()}, ints)
	})
	b.Run("all-on-undeclared", func(b *testing.B) {
		benchStep(b, all, StepConfig[int, int]{Run: bare}, ints)
	})
	b.Run("all-on-hit", func(b *testing.B) {
		benchStep(b, all, StepConfig[string, int]{Run: bareString, Results: Pure()}, texts)
	})
	b.Run("attempts-and-fallback", func(b *testing.B) {
		benchStep(b, Config{}, StepConfig[int, int]{
			Run: bare, Attempts: 3, Fallback: func(context.Context, int, error) (int, error) { return 0, nil },
		}, ints)
	})
	b.Run("timeout", func(b *testing.B) {
		benchStep(b, Config{}, StepConfig[int, int]{Run: bare, Timeout: time.Minute}, ints)
	})
}

func BenchmarkCache(b *testing.B) {
	ints, texts := inputs()
	digest := Config{EnableCacheOptimization: true, CacheSize: 4096}
	on := digest
	on.EnableAlgorithmOptimization = true
	type pair struct {
		A int
		B string
	}
	var pairs []pair
	for i, s := range texts {
		pairs = append(pairs, pair{i, s})
	}
	b.Run("otter-string-hit", func(b *testing.B) { benchOtter(b, texts) })
	var ids []identity
	for _, text := range texts {
		ids = append(ids, identity{step: 1, text: text})
	}
	b.Run("otter-identity-hit", func(b *testing.B) { benchOtter(b, ids) }) // with the key type that tells steps and inputs apart
	b.Run("hit-string", func(b *testing.B) {
		benchStep(b, on, StepConfig[string, int]{Run: bareString, Results: Pure()}, texts)
	})
	b.Run("otter-int-hit", func(b *testing.B) { benchOtter(b, ints) })
	b.Run("hit-int", func(b *testing.B) {
		benchStep(b, on, StepConfig[int, int]{Run: bare, Results: Pure()}, ints)
	})
	b.Run("hit-string-digest", func(b *testing.B) {
		benchStep(b, digest, StepConfig[string, int]{Run: bareString, Results: Pure()}, texts)
	})
	b.Run("hit-int-digest", func(b *testing.B) {
		benchStep(b, digest, StepConfig[int, int]{Run: bare, Results: Pure()}, ints)
	})
	type deep struct {
		pair
		Tags []string
		At   *[64]float64
	}
	var deeps []deep
	for i, p := range pairs {
		deeps = append(deeps, deep{p, []string{"a", "bc", p.B}, &[64]float64{float64(i)}})
	}
	first := func(_ context.Context, d deep) (int, error) { return d.A, nil }
	b.Run("hit-deep", func(b *testing.B) { benchStep(b, on, StepConfig[deep, int]{Run: first, Results: Pure()}, deeps) })
	b.Run("hit-deep-digest", func(b *testing.B) { benchStep(b, digest, StepConfig[deep, int]{Run: first, Results: Pure()}, deeps) })
	b.Run("otter-struct-hit", func(b *testing.B) { benchOtter(b, pairs) })
	b.Run("hit-struct", func(b *testing.B) {
		benchStep(b, on, StepConfig[pair, int]{
			Run: func(_ context.Context, p pair) (int, error) { return p.A, nil }, Results: Pure(),
		}, pairs)
	})
	b.Run("hit-struct-digest", func(b *testing.B) {
		benchStep(b, digest, StepConfig[pair, int]{
			Run: func(_ context.Context, p pair) (int, error) { return p.A, nil }, Results: Pure(),
		}, pairs)
	})
	// 256 inputs through a cache of 1: nearly each execution misses and stores.
	b.Run("miss-string", func(b *testing.B) {
		benchStep(b, Config{EnableCacheOptimization: true, CacheSize: 1}, StepConfig[string, int]{Run: bareString, Results: Pure()}, texts)
	})
	b.Run("otter-string-set", func(b *testing.B) {
		c := otter.Must(&otter.Options[string, int]{MaximumSize: 1, ExpiryCalculator: otter.ExpiryWriting[string, int](time.Hour)})
		defer c.StopAllGoroutines()
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			if _, ok := c.GetIfPresent(texts[i&255]); !ok {
				c.Set(texts[i&255], i)
			}
		}
	})
}

func benchOtter[K comparable](b *testing.B, keys []K) {
	b.Helper()
	c := otter.Must(&otter.Options[K, int]{MaximumSize: 4096, ExpiryCalculator: otter.ExpiryWriting[K, int](time.Hour)})
	defer c.StopAllGoroutines()
	for i, k := range keys {
		c.Set(k, i)
	}
	b.Run("serial", func(b *testing.B) {
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			sink, _ = c.GetIfPresent(keys[i&255])
		}
	})
	b.Run("parallel", func(b *testing.B) {
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) {
			v := 0
			for i := 0; pb.Next(); i++ {
				v, _ = c.GetIfPresent(keys[i&255])
			}
			if v == -1 {
				sink = v
			}
		})
	})
}

func BenchmarkShare(b *testing.B) {
	_, texts := inputs()
	b.Run("singleflight", func(b *testing.B) {
		var g singleflight.Group
		b.Run("serial", func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				v, _, _ := g.Do(texts[i&255], func() (any, error) { return bareString(context.Background(), texts[i&255]) })
				sink = v.(int)
			}
		})
		b.Run("parallel", func(b *testing.B) {
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for i := 0; pb.Next(); i++ {
					_, _, _ = g.Do(texts[i&255], func() (any, error) { return bareString(context.Background(), texts[i&255]) })
				}
			})
		})
	})
	b.Run("step", func(b *testing.B) {
		benchStep(b, Config{EnableStepOptimization: true}, StepConfig[string, int]{Run: bareString, Results: Pure()}, texts)
	})
}

func BenchmarkPermit(b *testing.B) {
	ints, _ := inputs()
	b.Run("semaphore", func(b *testing.B) {
		s := newSemaphore(1000, false)
		ctx := context.Background()
		b.Run("serial", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, _ = s.acquire(ctx, time.Second)
				s.release()
			}
		})
		b.Run("parallel", func(b *testing.B) {
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					_, _ = s.acquire(ctx, time.Second)
					s.release()
				}
			})
		})
	})
	b.Run("step", func(b *testing.B) {
		benchStep(b, Config{EnableConcurrencyOptimization: true, MaxConcurrentExecutions: 1000}, StepConfig[int, int]{Run: bare}, ints)
	})
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
