package rivals

import (
	"math"
	"time"

	"autotune/controller"
)

// Lookups of a cache, and those of them that found something: totals.
const (
	Lookups controller.Metric = "cache_lookups"
	Hits    controller.Metric = "cache_hits"
)

// Caffeine is the climber of Caffeine 3.2.4, which shares a cache between a
// window of what is new and a main part of what is frequent
// (ben-manes/caffeine, BoundedLocalCache; Einziger, Eytan, Friedman & Manes,
// "Adaptive software cache management", Middleware 2018). In each sample of ten
// times as many lookups as there are entries it goes on as it went if the hit
// ratio did not fall, and turns back if it did; the step decays by 2 % a sample,
// and is 6.25 % of the cache again where the hit ratio changed by five points.
//
// Caffeine moves at most a thousand entries at a time, and a larger step in
// several; here a step is one.
//
// Known to fail, as its author wrote down when he replaced it: the hit ratio
// before and after follows the mood of the workload, whose swings of 10 to 20
// points hide an effect below one; moving has a cost of its own; from one seed
// to another it ends in two different places.
type Caffeine struct {
	Bounds
	// Entries of the cache in all.
	Entries float64

	window        float64
	step          float64
	before        float64 // hit ratio of the sample before
	lookups, hits float64 // of this sample
}

const (
	caffeineSample  = 10     // lookups for each entry
	caffeineStep    = 0.0625 // of the entries
	caffeineDecay   = 0.98
	caffeineRestart = 0.05 // change of the hit ratio
	caffeineWatch   = 100 * time.Millisecond
)

var _ Law = (*Caffeine)(nil)

// NewCaffeine returns the law with its defaults, for a cache of so many entries;
// 0: what it turns is the size of the whole cache, which at first has its entries.
func NewCaffeine(b Bounds, entries float64) *Caffeine {
	return &Caffeine{Bounds: b, Entries: entries}
}

// Begin starts from the window that there is; the library's own is 1 % of the cache.
func (c *Caffeine) Begin(now float64) Move {
	c.window = c.clamp(now)
	if c.Entries == 0 {
		c.Entries = c.window
	}
	c.step = -caffeineStep * c.Entries
	return Move{Value: c.window, Watch: caffeineWatch}
}

// Next moves the window when the sample is full.
func (c *Caffeine) Next(w *Window) Move {
	c.lookups += w.value(Lookups)
	c.hits += w.value(Hits)
	if c.lookups >= caffeineSample*c.Entries {
		c.climb(c.hits / c.lookups)
		c.lookups, c.hits = 0, 0
	}
	return Move{Value: c.window, Watch: caffeineWatch}
}

func (c *Caffeine) climb(ratio float64) {
	change := ratio - c.before
	c.before = ratio
	amount := c.step
	if change < 0 {
		amount = -c.step
	}
	c.step = caffeineDecay * amount
	if math.Abs(change) >= caffeineRestart {
		c.step = math.Copysign(caffeineStep*c.Entries, amount)
	}
	c.window = c.clamp(c.window + amount)
}
