package plant

import (
	"math/rand/v2"
	"time"

	"autotune/catalog"
	"autotune/simulate"
)

// Regimes in which an optimization matters that the demonstration leaves idle.
func regimes() []Scenario {
	us := time.Microsecond
	level := func(seed uint64) simulate.Signal {
		return simulate.AR1(rand.New(rand.NewPCG(seed, 900)), 20*time.Second, 0.05)
	}
	return []Scenario{
		{
			Name: "overload", For: "bursts beyond what the cores can do: bounding concurrency sheds what comes too late, and a guard on errors refuses that",
			Rate: 400,
			Config: Config{
				Cores: 4, Quantum: 10 * time.Millisecond, Arrivals: Bursty(300, 900, 20*time.Second, 4*time.Second), Overhead: 100 * us, Level: level,
				Kinds: []Kind{
					{Name: "compute", Share: 1, Keys: Fresh(), Work: 5 * time.Millisecond, Tail: simulate.Lognormal(0.6), Alloc: 500e3, Results: Results{Pure: true, Bytes: 1e3}},
				},
				Heap:    Heap{Live: 30e6, Other: 50e6, Limit: 2e9},
				Initial: map[string]float64{catalog.ConcurrencyTimeout: 0.1},
			},
		},
		{
			Name: "stampede", For: "few keys, slow to compute, fresh for a moment: who asks for the same at once can share one execution",
			Rate: 2200.0 / 12,
			Config: Config{
				Cores: 4, Quantum: 10 * time.Millisecond, Arrivals: Bursty(100, 600, 10*time.Second, 2*time.Second), Overhead: 100 * us, Level: level,
				Kinds: []Kind{
					{Name: "page", Share: 95, Keys: Zipf(1.5, 1, 50), Work: 8 * time.Millisecond, Tail: simulate.Lognormal(0.3), Alloc: 200e3, Results: Results{Fresh: 200 * time.Millisecond, Bytes: 50e3}},
					{Name: "edit", Share: 5, Keys: Zipf(1.5, 1, 50), Work: time.Millisecond, Tail: simulate.Lognormal(0.3), Writes: 1},
				},
				Heap: Heap{Live: 30e6, Other: 50e6, Limit: 2e9},
			},
		},
		{
			Name: "traced", For: "short steps, each of which has a span that is exported by itself: sampling and batches pay",
			Rate: 3000,
			Config: Config{
				Cores: 2, Quantum: 10 * time.Millisecond, Arrivals: Poisson(3000), Overhead: 40 * us, Level: level,
				Kinds: []Kind{
					{Name: "get", Share: 9, Keys: Zipf(1.2, 4, 100_000), Work: 60 * us, Tail: simulate.Lognormal(0.4), Alloc: 4e3, Results: Results{Fresh: 10 * time.Second, Bytes: 600}},
					{Name: "put", Share: 1, Keys: Zipf(1.2, 4, 100_000), Work: 120 * us, Tail: simulate.Lognormal(0.4), Alloc: 4e3, Writes: 1},
				},
				Exporter: &Exporter{Begin: 2 * us, Span: 3 * us, Call: 120 * us, Alloc: 1500},
				Heap:     Heap{Live: 20e6, Other: 40e6, Limit: 1e9},
			},
		},
		{
			Name: "memory-constrained", For: "a cache that fills a small container: near the limit, collections follow each other",
			Rate: 400,
			Config: Config{
				Cores: 2, Quantum: 10 * time.Millisecond, Arrivals: Diurnal(400, 0.3, 10*time.Minute), Overhead: 100 * us, Level: level,
				Kinds: []Kind{
					{Name: "render", Share: 1, Keys: Zipf(1.1, 20, 200_000), Work: 700 * us, Tail: simulate.Lognormal(0.5), Alloc: 120e3, Results: Results{Pure: true, Bytes: 24e3}},
				},
				Heap: Heap{Live: 20e6, Other: 40e6, Limit: 250e6, Container: 300e6},
				Initial: map[string]float64{
					catalog.EnableCache: 1, catalog.CacheSize: 8192, catalog.MemoryCleanupInterval: 10, catalog.MemoryThreshold: 0.75,
				},
			},
		},
		{
			Name: "outage", For: "an upstream that hangs when it is down, and answers hopeless requests for good: retries and waits multiply",
			Rate: 200,
			Config: Config{
				Cores: 2, Quantum: 10 * time.Millisecond, Arrivals: Poisson(200), Overhead: 100 * us, Level: level,
				Kinds: []Kind{
					{Name: "read", Share: 70, Keys: Zipf(1.3, 2, 5000), Work: 300 * us, Tail: simulate.Lognormal(0.4), Alloc: 8e3, Results: Results{Fresh: 5 * time.Second, Bytes: 600}},
					{Name: "quote", Share: 20, Work: 50 * us, Calls: &Dependency{
						Least: 20 * time.Millisecond, Spread: 20 * time.Millisecond, Hang: time.Second, Hangs: 0.02, Fails: 0.05, OutageFor: 20 * time.Second, OutageEvery: 40 * time.Second,
						Attempts: 4, Backoff: 10 * time.Millisecond, Timeout: 200 * time.Millisecond, Fallback: 50 * us,
					}},
					{Name: "check", Share: 10, Work: 50 * us, Calls: &Dependency{
						Least: 5 * time.Millisecond, Spread: 10 * time.Millisecond, Fails: 0.3, Permanent: true, Attempts: 3, Backoff: 5 * time.Millisecond, Fallback: 20 * us,
					}},
				},
				Heap:    Heap{Live: 10e6, Other: 40e6, Limit: 1e9},
				Initial: map[string]float64{catalog.CircuitBreakerRecoveryTimeout: 5},
			},
		},
	}
}
