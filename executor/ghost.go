package executor

import (
	"math"
	"sync"
	"sync/atomic"
	"time"
)

// ghost is a cache without values: it tells what share of executions a cache of
// any size would answer, while there is none.
//
// # Algorithm
//
// An LRU cache of C entries answers an execution if fewer than C different
// inputs came since the same one came last: Mattson's stack distance (1970). To
// know it for every input takes memory for every input. SHARDS (Waldspurger et
// al., FAST 2015) looks only at inputs whose hash is below a limit, so at all
// executions of some inputs and none of the others; distances among these,
// divided by the sampling rate, estimate the true ones. As there:
//
//   - Fixed size: when too many inputs are tracked, the limit is lowered, and
//     those above it are dropped.
//   - Adjusted: a frequent input that was not sampled leaves executions missing
//     from the estimate, one that was sampled adds too many. The difference is
//     put, positive or negative, into the shortest distance, where frequent inputs are.
//
// Of our own:
//
//   - Fixed time: when more executions are looked at than ghostBudget a second,
//     the limit is lowered too, and raised when they are far fewer.
//   - Reach: sizes above ghostReach are of no interest. Instead of lowering the limit
//     for their sake, which would blur the small ones, the oldest inputs are dropped.
//   - Passes: counts are of this pass and the one before, so that what was long
//     ago is forgotten. Inputs stay tracked.
//   - Age: an input whose result would be older than its step's FreshFor is a miss
//     at every size.
//
// # Order
//
// Tracked inputs are in slots, in the order of their last execution. A distance
// is how many slots above an input's are taken, from a binary indexed tree
// (Fenwick 1994). When the slots are used up, what is taken moves together.
//
// # Bias
//
// Inputs count as new when they are first seen, so early in its life a ghost
// shows too many misses. Failed executions are not told apart, and a cache would
// not keep what they return. A cache that evicts by more than recency, as ours
// does, usually misses less.
//
// # Error
//
// On nine real traces, of 1,011 to 41,350 inputs, the miss ratio is off by 0.03 or
// less on average over sizes, while at most ghostBudget executions a second are
// looked at. Above that, fewer inputs are looked at, and the error is that of their
// number: some hundred of them know the length of a loop to a few percent, and a
// cache a few percent too small for a loop has no hits at all. At 2.5 times the
// budget, a loop over 1,011 inputs and no other trace was off by more than
// 0.045 for some seeds: by 0.09, all of it next to the loop's length.
type ghost struct {
	limit atomic.Uint64 // hashes below it are looked at
	fed   func() uint64 // executions offered so far, looked at or not

	mu      sync.Mutex // guards the rest
	keys    [2 * ghostKeys]uint64
	born    [2 * ghostKeys]int64 // when a result for it would have been computed
	taken   [2*ghostKeys + 1]int32
	index   [4 * ghostKeys]int32 // slot + 1 by hash, open addressing; cleared by compact only
	next    int                  // slot
	tracked int
	now     distances // of this pass
	last    distances // of the one before
	passed  int       // executions looked at in this pass
	from    uint64    // fed when it began
	checked int64     // when the budget was looked at
}

const (
	// ghostKeys are tracked at most. 4096 cost 270 KiB, and a mean error of 0.01 or
	// less on real traces; above the budget it is several times that.
	ghostKeys = 4096
	// ghostReach is the largest cache that is told about.
	ghostReach = 1 << 17
	// ghostPass is how many executions are looked at in a pass.
	ghostPass = 1 << 16
	// ghostCheck is after how many the budget is looked at; ghostRaise after how
	// many the limit may be raised, which makes inputs look new.
	ghostCheck, ghostRaise = 1 << 10, 1 << 13
	// ghostBudget is how many may be looked at a second, at some 100 ns each.
	ghostBudget = 20_000
)

func newGhost(fed func() uint64) *ghost {
	g := &ghost{fed: fed, from: fed()}
	g.limit.Store(math.MaxUint64)
	return g
}

// looksAt reports whether an input with that hash is sampled. It is what most
// executions cost.
func (g *ghost) looksAt(hash uint64) bool { return hash < g.limit.Load() }

// see takes one execution of a sampled input, at now in nanoseconds; it stands
// for weight executions. Its result may be served for fresh; 0 is for ever. It
// returns for how many repeats it stands: 0 if it is none.
func (g *ghost) see(hash uint64, weight float64, fresh time.Duration, now int64) (repeats float64) {
	hash |= 1 // 0 is no input
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.looksAt(hash) {
		return 0 // it was lowered meanwhile
	}
	rate := g.rate()
	weight /= rate
	g.now.seen += weight
	at := g.find(hash)
	born := now
	if slot := g.index[at] - 1; slot >= 0 {
		if fresh == 0 || now-g.born[slot] < int64(fresh) {
			born = g.born[slot]
			if d := float64(g.above(slot)) / rate; d < ghostReach {
				g.now.add(d, weight)
				repeats = weight
			}
		}
		g.keys[slot] = 0
		g.add(slot, -1)
	} else {
		g.tracked++
	}
	slot := int32(g.next)
	g.next++
	g.keys[slot], g.born[slot], g.index[at] = hash, born, slot+1
	g.add(slot, 1)
	switch {
	case g.tracked > ghostKeys && rate*0.75*ghostReach >= ghostKeys:
		g.lower(0.75)
	case g.tracked > ghostKeys:
		g.compact(ghostKeys / 4)
	case g.next == len(g.keys):
		g.compact(0)
	}
	if g.passed++; g.passed%ghostCheck == 0 {
		g.keepBudget(now)
	}
	if g.passed == ghostPass {
		g.pass()
	}
	return repeats
}

func (g *ghost) rate() float64 { return float64(g.limit.Load()) / (1 << 64) }

// keepBudget lowers the limit if the last executions came too fast, and now and
// then raises it if they came much slower than they may.
func (g *ghost) keepBudget(now int64) {
	const least = float64(ghostCheck) / ghostBudget * 1e9
	switch took := float64(now - g.checked); {
	case g.checked == 0:
	case took < least:
		g.lower(max(took/least, 1.0/16))
	case took > 4*least && g.tracked <= ghostKeys/2 && g.passed%ghostRaise == 0:
		if limit := g.rate() * min(took/(2*least), 16); limit < 1 {
			g.limit.Store(uint64(limit * (1 << 64)))
		} else {
			g.limit.Store(math.MaxUint64)
		}
	}
	g.checked = now
}

// pass begins a new one.
func (g *ghost) pass() {
	g.last, g.now = g.settled(), distances{}
	g.passed, g.from = 0, g.fed()
}

// settled are the counts of this pass, adjusted to what was offered.
func (g *ghost) settled() distances {
	d := g.now
	offered := float64(g.fed() - g.from)
	d.counts[0] += offered - d.seen
	d.seen = offered
	return d
}

// curve returns what was seen, of this pass and the one before.
func (g *ghost) curve() MissCurve {
	g.mu.Lock()
	defer g.mu.Unlock()
	d := g.settled()
	d.plus(&g.last)
	return d.curve()
}

// lower takes the limit down to a share of what it is.
func (g *ghost) lower(share float64) {
	g.limit.Store(max(1, uint64(share*float64(g.limit.Load()))))
	g.compact(0)
}

// compact moves together what is tracked below the limit, without the oldest.
func (g *ghost) compact(oldest int) {
	clear(g.index[:])
	used := g.next
	g.next = 0
	for slot, key := range g.keys[:used] {
		if key == 0 || !g.looksAt(key) {
			continue
		}
		if oldest--; oldest >= 0 {
			continue
		}
		g.keys[g.next], g.born[g.next] = key, g.born[slot]
		g.next++
		g.index[g.find(key)] = int32(g.next)
	}
	g.tracked = g.next
	for i := range g.taken { // each is the sum of the i&-i slots up to the i-th
		width := i & -i
		g.taken[i] = int32(min(max(g.next-i+width, 0), width))
	}
}

// find returns where in the index a key is, or is to be.
func (g *ghost) find(key uint64) int {
	const mask = uint64(len(g.index) - 1)
	for at := key >> 1 & mask; ; at = (at + 1) & mask {
		slot := g.index[at] - 1
		if slot < 0 || g.keys[slot] == key {
			return int(at)
		}
	}
}

// add changes how many inputs are in a slot.
func (g *ghost) add(slot, n int32) {
	for i := slot + 1; int(i) < len(g.taken); i += i & -i {
		g.taken[i] += n
	}
}

// above returns how many inputs were executed since the one in the slot.
func (g *ghost) above(slot int32) int32 {
	upTo := int32(0)
	for i := slot + 1; i > 0; i -= i & -i {
		upTo += g.taken[i]
	}
	return int32(g.tracked) - upTo
}
