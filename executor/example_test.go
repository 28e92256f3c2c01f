package executor_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"autotune/executor"
)

func Example() {
	ex, err := executor.New(executor.Config{EnableCacheOptimization: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer ex.Close()

	square, err := executor.NewStep(ex, executor.StepConfig[int, int]{
		Name:    "square",
		Results: executor.Pure(),
		Run: func(_ context.Context, n int) (int, error) {
			fmt.Println("computing", n)
			return n * n, nil
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for range 2 {
		n, err := square.Run(context.Background(), 12)
		fmt.Println(n, err)
	}
	// Output:
	// computing 12
	// 144 <nil>
	// 144 <nil>
}

func ExampleStepConfig() {
	ex, _ := executor.New(executor.Config{})
	defer ex.Close()
	tries := 0
	quote, _ := executor.NewStep(ex, executor.StepConfig[string, float64]{
		Name:     "quote",
		Attempts: 2,
		Backoff:  time.Millisecond,
		Timeout:  time.Second,
		Run: func(context.Context, string) (float64, error) {
			tries++
			return 0, errors.New("exchange is closed")
		},
		Fallback: func(_ context.Context, _ string, err error) (float64, error) {
			fmt.Println("falling back:", err)
			return 1.25, nil
		},
	})
	price, err := quote.Run(context.Background(), "EUR")
	fmt.Println(price, err, tries)
	// Output:
	// falling back: exchange is closed
	// 1.25 <nil> 2
}

func ExampleExecutor_Apply() {
	ex, _ := executor.New(executor.Config{})
	defer ex.Close()
	fmt.Println(ex.Apply(executor.Config{CacheSize: -1, ConcurrencyTimeout: 2 * time.Hour}))
	fmt.Println(ex.Apply(executor.Config{EnableCacheOptimization: true, CacheSize: 4096}))
	size, _ := ex.Setting().Get("cache_size")
	fmt.Println(size)
	// Output:
	// concurrency_timeout 2h0m0s: must be within 1ms..1h0m0s
	// cache_size -1: must be within 1..1e+08
	// <nil>
	// 4096
}

func ExampleStep_Invalidate() {
	ex, _ := executor.New(executor.Config{EnableCacheOptimization: true})
	defer ex.Close()
	stock := 10
	read, _ := executor.NewStep(ex, executor.StepConfig[string, int]{
		Name:    "stock",
		Results: executor.FreshFor(time.Minute),
		Run:     func(context.Context, string) (int, error) { return stock, nil },
	})
	ctx := context.Background()
	before, _ := read.Run(ctx, "apples")
	stock = 9 // sold one
	cached, _ := read.Run(ctx, "apples")
	read.Invalidate("apples")
	after, _ := read.Run(ctx, "apples")
	fmt.Println(before, cached, after)
	// Output: 10 10 9
}

func ExamplePreset() {
	base, _ := executor.Preset("high-frequency")
	small, _ := executor.Preset("high-frequency+memory-constrained")
	for _, d := range executor.Diff(base, small) {
		if d.Field == "cache_size" || d.Field == "cache_ttl" {
			fmt.Println(d)
		}
	}
	// Output:
	// cache_size: 4096 -> 512
	// cache_ttl: 7200 -> 1200
}

func ExampleLoad() {
	_, err := executor.Load(strings.NewReader("cache_sise: 4096\ncache_ttl: 90d\n"))
	fmt.Println(err)
	cfg, _ := executor.Load(strings.NewReader("cache_size: 4096\ncache_ttl: 2h\n"))
	fmt.Println(cfg.CacheSize, cfg.CacheTTL, cfg.EnableCacheOptimization)
	// Output:
	// 1:1: cache_sise: no such field: did you mean cache_size?
	// 2:12: cache_ttl 90d: must be a number of seconds, or a duration like "1m30s"
	// 4096 2h0m0s false
}
