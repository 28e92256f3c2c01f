package rivals

import (
	"container/list"
	"context"
	"fmt"
	"time"

	"autotune/controller"
	"autotune/simulate"
)

// Cache is a target with one number, where Caffeine's climber is at home: a
// W-TinyLFU cache (Einziger, Friedman & Manes, "TinyLFU: a highly efficient cache
// admission policy", 2017) whose knob "window" is how many of its entries are for
// what is new. What leaves the window enters the main part only if it was asked
// for more often, lately, than what it would displace. A workload of recency
// wants a large window, one of frequency a small one. Frequencies are exact
// counts, halved after ten lookups for each entry. Not safe for concurrent use.
type Cache struct {
	entries int
	rate    float64 // lookups/s
	next    func() uint64

	parts [2]list.List // the window and the main part, most recent first
	at    map[uint64]*list.Element
	often map[uint64]int
	aged  int // lookups since the counts were halved

	now    controller.Setting
	age    time.Duration
	owed   float64 // lookups
	hits   float64 // ever
	sample controller.Sample
}

const (
	windowPart = iota
	mainPart
)

// cached is an entry.
type cached struct {
	key  uint64
	part int
}

var _ controller.Target = (*Cache)(nil)

// CacheWindow is the name of the knob.
const CacheWindow = "window"

// NewCache returns an empty cache of so many entries, with a window of 1 %, that
// is asked so many times a second for the keys that next returns.
func NewCache(entries int, rate float64, next func() uint64) *Cache {
	return &Cache{
		entries: entries, rate: rate, next: next, at: map[uint64]*list.Element{}, often: map[uint64]int{},
		now:    controller.SettingOf(map[string]float64{CacheWindow: max(1, float64(entries)/100)}),
		sample: controller.Sample{Totals: map[controller.Metric]float64{}, Gauges: map[controller.Metric]float64{}},
	}
}

// Space has the size of the window, from one entry to all but one.
func (c *Cache) Space() controller.Space {
	return controller.Space{Knobs: []controller.Knob{
		{Name: CacheWindow, Kind: controller.Int, Unit: "entries", Min: 1, Max: float64(c.entries - 1), Scale: controller.Log},
	}}
}

// Current reads back.
func (c *Cache) Current(context.Context) (controller.Setting, error) { return c.now, nil }

// Apply moves the border between the parts, and entries across it.
func (c *Cache) Apply(_ context.Context, s controller.Setting) error {
	if err := c.Space().CheckSetting(s); err != nil {
		return fmt.Errorf("apply %s: %w", s, err)
	}
	c.now = s
	for c.parts[windowPart].Len() > c.size(windowPart) {
		c.move(windowPart, mainPart)
	}
	for c.parts[mainPart].Len() > c.size(mainPart) {
		c.move(mainPart, windowPart)
	}
	return nil
}

// size of a part.
func (c *Cache) size(part int) int {
	w, _ := c.now.Get(CacheWindow)
	if part == windowPart {
		return int(w)
	}
	return c.entries - int(w)
}

// move the oldest of a part to the other.
func (c *Cache) move(from, to int) {
	e := c.parts[from].Back()
	key := c.parts[from].Remove(e).(cached).key
	c.at[key] = c.parts[to].PushFront(cached{key, to})
}

func (c *Cache) drop(part int) {
	delete(c.at, c.parts[part].Remove(c.parts[part].Back()).(cached).key)
}

// Observe lets d pass. The sample is valid until the next call.
func (c *Cache) Observe(_ context.Context, _ uint64, d time.Duration) (controller.Sample, error) {
	c.sample.Reset()
	c.owed += c.rate * max(d, 0).Seconds()
	n, hits := 0.0, 0.0
	for ; c.owed >= 1; c.owed-- {
		n++
		if c.lookup(c.next()) {
			hits++
		}
	}
	c.hits += hits
	c.age += max(d, 0)
	c.sample.Totals[controller.Requests], c.sample.Totals[controller.Completions] = n, n
	c.sample.Totals[Lookups], c.sample.Totals[Hits] = n, hits
	c.sample.At, c.sample.Over = simulate.Epoch().Add(c.age), max(d, 0)
	return c.sample, nil
}

func (c *Cache) lookup(key uint64) bool {
	c.count(key)
	if e, ok := c.at[key]; ok {
		c.parts[e.Value.(cached).part].MoveToFront(e)
		return true
	}
	c.at[key] = c.parts[windowPart].PushFront(cached{key, windowPart})
	if c.parts[windowPart].Len() <= c.size(windowPart) {
		return false
	}
	if c.parts[mainPart].Len() >= c.size(mainPart) {
		fresh, old := c.parts[windowPart].Back().Value.(cached), c.parts[mainPart].Back().Value.(cached)
		if c.often[fresh.key] <= c.often[old.key] {
			c.drop(windowPart)
			return false
		}
		c.drop(mainPart)
	}
	c.move(windowPart, mainPart)
	return false
}

// count a lookup, and forget by halves.
func (c *Cache) count(key uint64) {
	c.often[key]++
	if c.aged++; c.aged < caffeineSample*c.entries {
		return
	}
	c.aged = 0
	for k, n := range c.often {
		if n /= 2; n == 0 {
			delete(c.often, k)
		} else {
			c.often[k] = n
		}
	}
}

// Age is how much time has passed.
func (c *Cache) Age() time.Duration { return c.age }

// Earned is the number of hits so far.
func (c *Cache) Earned() float64 { return c.hits }
