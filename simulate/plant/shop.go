package plant

import (
	"math"
	"math/rand/v2"
	"time"

	"autotune/simulate"
)

// The demonstration service, as a model: an HTTP service over an embedded
// database, on two cores. Nothing here is fitted to what an optimization was
// measured to do. What is here are the shares of requests and the skews of keys, as
// the load has them, and what each part costs by itself, as its benchmark has it,
// less its share of garbage collection, which the model adds:
//
//	read     27 µs    one row by its key, with the mean of its reviews
//	search   3.5 ms   a category is read and ranked; allocates 700 KB
//	packing  3.7 ms   64 to 80 parts, by order; allocates 900 KB
//	write    70 µs
//	offer    22 µs    after a call: 2 ms + exponential(3 ms), 12 % fail, 2 % hang; 3 attempts of 25 ms;
//	                  33 µs and 1 KB for each wait: a timer, a goroutine, waking an idle process
//	report   111 µs   and 120 µs for a new table of 217 KB
//	basket   142 µs   and 150 µs for copies of 86 KB
//	span     6 µs     where it is, 6.5 µs to export it and 14.5 µs to wake who does; 1.4 KB
//
// Reading a request and writing its answer take 0.1 ms of CPU time and 5 KB. What
// is live in the heap, 11 MB, was read from the service under load.

// Places of kinds in the list below.
const (
	readItem = iota
	search
	pack
	writeStock
	offer
	report
	basket
)

type shopMix [7]float64

const (
	shopRate  = 400 // requests/s
	shopItems = 20_000
	shopFinds = 200
	shopPacks = 2000
	shopState = 64
)

// shops are the everyday workload and the guide's five.
func shops() []Scenario {
	return []Scenario{
		{
			Name: "everyday", For: "a shop: mostly reads, a fifth of the requests costs three to four milliseconds",
			Rate: shopRate, Config: shop(shopMix{readItem: 760, search: 90, pack: 90, writeStock: 50, offer: 10}, nil),
		},
		{
			Name: "high-allocation", Workload: "high-allocation", For: "two in five requests make a report of 217 KB of scratch",
			Rate: shopRate, Config: shop(shopMix{readItem: 500, report: 400, search: 40, writeStock: 50, offer: 10}, nil),
		},
		{
			Name: "large-context", Workload: "large-context", For: "two in five requests pass a basket of 200 lines through five steps",
			Rate: shopRate, Config: shop(shopMix{readItem: 500, basket: 400, search: 40, writeStock: 50, offer: 10}, nil),
		},
		{
			Name: "cpu-intensive", Workload: "cpu-intensive", For: "a quarter of the requests pack an order that nobody asked for before",
			Rate: shopRate, Config: shop(shopMix{readItem: 690, pack: 250, writeStock: 50, offer: 10}, func(k []Kind) { k[pack].Keys = Fresh() }),
		},
		{
			Name: "high-frequency", Workload: "high-frequency", For: "nearly all read, and most of them the same few items",
			Rate: shopRate, Config: shop(shopMix{readItem: 850, search: 70, pack: 60, writeStock: 10, offer: 10}, func(k []Kind) {
				k[readItem].Keys = Zipf(2.5, 2, shopItems)
				k[search].Keys = Zipf(2.5, 4, shopFinds)
				k[pack].Keys = Zipf(2.5, 4, shopPacks)
			}),
		},
		{
			Name: "low-latency", Workload: "low-latency", For: "cheap reads, and an upstream that goes down for some seconds at a time",
			Rate: shopRate, Config: shop(shopMix{readItem: 850, writeStock: 50, offer: 100}, func(k []Kind) {
				k[offer].Calls.OutageFor, k[offer].Calls.OutageEvery = 3*time.Second, 15*time.Second
			}),
		},
	}
}

func shop(mix shopMix, change func([]Kind)) Config {
	us := time.Microsecond
	kinds := []Kind{
		readItem: {
			Name: "read", Keys: Zipf(1.3, 2, shopItems), Work: 27 * us, Tail: narrow(), Alloc: 1500,
			Results: Results{Fresh: 5 * time.Second, Bytes: 500},
		},
		search: {
			Name: "search", Keys: Zipf(1.8, 4, shopFinds), Work: 3500 * us, Tail: narrow(), Alloc: 696e3,
			Results: Results{Fresh: 20 * time.Second, Bytes: 1500},
		},
		pack: {
			Name: "packing", Keys: Zipf(1.8, 4, shopPacks), Work: 3700 * us, Tail: narrow(), PerKey: true, Alloc: 900e3,
			Results: Results{Pure: true, Bytes: 500},
		},
		writeStock: {Name: "write", Keys: Zipf(1.3, 2, shopItems), Work: 70 * us, Tail: narrow(), Alloc: 3e3, Writes: readItem + 1},
		offer: {
			Name: "offer", Work: 22 * us, Tail: narrow(), Alloc: 3e3,
			Calls: &Dependency{
				Least: 2 * time.Millisecond, Spread: 3 * time.Millisecond, Hang: 2 * time.Second, Hangs: 0.02, Fails: 0.12,
				Attempts: 3, Backoff: time.Millisecond, Timeout: 25 * time.Millisecond, Fallback: 22 * us, Wait: 33 * us, Alloc: 1e3,
			},
		},
		report: {
			Name: "report", Work: 111 * us, Tail: narrow(), Alloc: 1e3,
			Scratch: Scratch{Cost: 120 * us, Bytes: 217e3},
		},
		basket: {
			Name: "basket", Steps: 5, Work: 142 * us, Tail: narrow(), Alloc: 45e3,
			State: State{Cost: 150 * us, Alloc: 86e3, Copies: 5, Bytes: 17e3},
		},
	}
	for i := range kinds {
		kinds[i].Share = mix[i]
	}
	if change != nil {
		change(kinds)
	}
	return Config{
		Cores: 2, Quantum: 10 * time.Millisecond, Arrivals: shoppers(shopRate), Kinds: kinds,
		Overhead: 100 * us, OverheadAlloc: 5e3, Transit: 150 * us,
		Level: func(seed uint64) simulate.Signal {
			return simulate.AR1(rand.New(rand.NewPCG(seed, 900)), 20*time.Second, 0.08)
		},
		Exporter: &Exporter{Begin: 6 * us, Span: 6500 * time.Nanosecond, Call: 14500 * time.Nanosecond, Alloc: 1400},
		Heap:     Heap{Live: 11e6, Other: 45e6, Limit: 1e9},
	}
}

// narrow is how the same work varies from one time to the next. Orders differ by
// about as much.
func narrow() simulate.Tail { return simulate.Lognormal(0.12) }

// shoppers come at a rate that two waves move, with bursts of 2 to 4 s, one in
// 18 s or so: as the demonstration's load.
func shoppers(mean float64) Arrivals {
	return func(rng *rand.Rand) Rate {
		slow, quick := 50+40*rng.Float64(), 11+8*rng.Float64()
		slowPhase, quickPhase := 2*math.Pi*rng.Float64(), 2*math.Pi*rng.Float64()
		from, until := 0, 0
		next := func() {
			from = until + 5 + int(10*rng.ExpFloat64())
			until = from + 2 + rng.IntN(3)
		}
		next()
		return func(at time.Duration) (float64, time.Duration) {
			second := int(at / time.Second)
			t := float64(second)
			r := 0.96 * mean * (1 + 0.13*math.Sin(2*math.Pi*t/slow+slowPhase) + 0.07*math.Sin(2*math.Pi*t/quick+quickPhase))
			for second >= until {
				next()
			}
			if second >= from {
				r *= 1.25
			}
			return r, time.Duration(second+1) * time.Second
		}
	}
}
