package plant

import (
	"time"

	"autotune/catalog"
)

// ghost is what a cache of any size would answer, while there is none: the
// opportunity signal that the executor samples, exact here.
//
// An LRU cache of C entries holds the C keys that were asked for last, whatever C is
// (Mattson, 1970). So one list by recency stands for all sizes, and for each key it
// is enough to know between which two of them it is: when a key comes to the front,
// those at the ends of the smaller caches move out by one place.
type ghost struct {
	list  *lru
	zone  []uint8 // by entry: the first size that holds it
	edge  []int32 // by size: the oldest entry that it holds; -1: it is not full
	sizes []int   // ascending; the last one is the reach
	held  []int   // by size: entries in its zone
	now   looked  // in this pass
	last  looked  // in the one before: what was long ago is forgotten
}

// looked counts executions, and those answered by each size and no smaller one.
type looked struct {
	all  int
	hits [8]int
}

const (
	// ghostReach and ghostPass are the executor's.
	ghostReach = 1 << 17
	ghostPass  = 1 << 16
)

func newGhost() *ghost {
	g := &ghost{list: newLRU(ghostReach), sizes: append(catalog.MissRatioSizes(), ghostReach)}
	g.held = make([]int, len(g.sizes))
	for range g.sizes {
		g.edge = append(g.edge, -1)
	}
	return g
}

// see takes an execution; after is when a result must have been computed to be
// served. An older one is a miss at every size, and is computed anew. It reports
// whether the largest cache would have answered.
func (g *ghost) see(k cacheKey, now, after time.Duration) (hit bool) {
	if g.now.all >= ghostPass {
		g.last, g.now = g.now, looked{}
	}
	g.now.all++
	i, ok := g.list.at[k]
	if !ok {
		if g.list.len() >= ghostReach {
			g.drop(g.list.oldest)
		}
		g.list.put(k, now, 0)
		i = g.list.newest
		for int(i) >= len(g.zone) {
			g.zone = append(g.zone, 0)
		}
		g.enter(i)
		return false
	}
	hit = g.list.entries[i].born > after
	if hit {
		g.now.hits[g.zone[i]]++
	} else {
		g.list.entries[i].born = now
	}
	if i == g.list.newest {
		return hit
	}
	g.leave(i)
	g.list.unlink(i)
	g.list.link(i)
	g.enter(i)
	return hit
}

func (g *ghost) drop(i int32) {
	g.leave(i)
	g.list.remove(i)
}

// leave takes an entry out of its zone.
func (g *ghost) leave(i int32) {
	z := g.zone[i]
	if g.edge[z] == i {
		g.edge[z] = g.list.entries[i].prev // of this zone, or nothing is left in it
	}
	if g.held[z]--; g.held[z] == 0 {
		g.edge[z] = -1
	}
}

// enter puts the newest entry in the first zone, and what no longer fits into the next.
func (g *ghost) enter(i int32) {
	for z, room := 0, 0; ; z++ {
		g.zone[i] = uint8(z)
		if g.held[z]++; g.held[z] == 1 {
			g.edge[z] = i
		}
		if g.held[z] <= g.sizes[z]-room {
			return
		}
		room = g.sizes[z]
		i = g.edge[z] // the oldest: the next zone's newest
		g.edge[z] = g.list.entries[i].prev
		g.held[z]--
	}
}

// missRatio of a cache of the n-th size, and whether anything is known.
func (g *ghost) missRatio(n int) (float64, bool) {
	all := g.now.all + g.last.all
	hits := 0
	for z := range n + 1 {
		hits += g.now.hits[z] + g.last.hits[z]
	}
	if all == 0 {
		return 0, false
	}
	return 1 - float64(hits)/float64(all), true
}
