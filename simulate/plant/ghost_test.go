package plant

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The one list agrees with a cache of each size, exactly; where results grow old,
// a small cache computes some anew that the list remembers as older.
func TestGhost_isACacheOfEverySize(t *testing.T) {
	for name, c := range map[string]struct {
		fresh time.Duration
		off   float64
	}{"for ever": {time.Hour, 1e-9}, "fresh for 20 s": {20 * time.Second, 0.005}} {
		t.Run(name, func(t *testing.T) { ghostAgrees(t, c.fresh, c.off) })
	}
	_, ok := newGhost().missRatio(0)
	require.False(t, ok)
}

func ghostAgrees(t *testing.T, fresh time.Duration, off float64) {
	rng := rand.New(rand.NewPCG(1, 2))
	next := Zipf(1.2, 3, 30_000)(rng)
	g := newGhost()
	caches, hits := map[int]*lru{}, map[int]int{}
	for _, size := range g.sizes {
		caches[size] = newLRU(size)
	}
	const n = 60_000 // within a pass
	for i := range n {
		now, key := time.Duration(i)*time.Millisecond, cacheKey{key: next()}
		if i%7 == 0 { // one that is never asked for again
			key = cacheKey{key: uint64(i), kind: 1}
		}
		g.see(key, now, now-fresh)
		for size, c := range caches {
			if c.get(key, now-fresh) {
				hits[size]++
			} else {
				c.put(key, now, 0)
			}
		}
	}
	for i, size := range g.sizes {
		miss, ok := g.missRatio(i)
		require.True(t, ok)
		require.InDelta(t, 1-float64(hits[size])/n, miss, off, "%d entries", size)
	}
}
