package executor

import (
	"hash/maphash"
	"sync/atomic"
	"time"

	"github.com/maypok86/otter/v2"
)

// store keeps results under identities of some type, bounded by a number of
// entries and by age.
//
// # Age
//
// A result is as old as the execution that computed it, counted from where that
// began: what it was computed from was read at that moment at the earliest. It
// expires at the shorter of the step's FreshFor and cache_ttl, which the cache
// checks at every lookup to the nanosecond. When the TTL is moved, the expiry of
// every entry is moved with it, in one walk; the new TTL holds for all of them
// when the walk is over.
//
// # Invalidation
//
// An execution that began before an invalidation must not store what it read
// before it. Each identity has a generation, shared with the other identities
// of its stripe; invalidating moves the generation first and removes the entry
// then, and storing compares the generation with the one from before the
// execution, under the cache's lock of that entry. An unlucky neighbor in the
// stripe is not stored once: that side is safe.
type store[ID comparable] struct {
	clock       clock
	cache       *otter.Cache[ID, entry]
	ttl         atomic.Int64 // nanoseconds; written by the executor under its lock
	seed        maphash.Seed
	generations [256]atomic.Uint64
}

// entry is a *result of some type.
type entry interface{ when() *origin }

// origin is when the execution of a kept result began, by the store's clock,
// and how long its step lets it be served.
type origin struct {
	born    int64
	results Results
}

// result is what is kept. It is never changed, nor is what it points to.
type result[Out any] struct {
	origin
	id  identity // none, if it is kept under what it is of
	out Out
}

func (r *result[Out]) when() *origin { return &r.origin }

func newStore[ID comparable](size int, ttl time.Duration, c clock) *store[ID] {
	s := &store[ID]{clock: c, seed: maphash.MakeSeed()}
	s.ttl.Store(int64(ttl))
	s.cache = otter.Must(&otter.Options[ID, entry]{
		MaximumSize: size,
		Clock:       c,
		ExpiryCalculator: otter.ExpiryWritingFunc(func(e otter.Entry[ID, entry]) time.Duration {
			return max(e.Value.when().left(s.timeToLive(), e.SnapshotAtNano), 1)
		}),
	})
	return s
}

// left is how long a result may still be served.
func (o *origin) left(ttl time.Duration, now int64) time.Duration {
	return o.results.limit(ttl) - time.Duration(now-o.born)
}

// get returns the kept result, if it is young enough.
func (s *store[ID]) get(id ID) (entry, bool) { return s.cache.GetIfPresent(id) }

// generation must be read before the execution whose result put will store.
func (s *store[ID]) generation(id ID) uint64 { return s.stripe(id).Load() }

func (s *store[ID]) stripe(id ID) *atomic.Uint64 {
	return &s.generations[maphash.Comparable(s.seed, id)%uint64(len(s.generations))]
}

// put keeps a result, unless the identity was invalidated since generation was
// read, a younger result is there, or it is too old already.
func (s *store[ID]) put(id ID, generation uint64, e entry) {
	from := e.when()
	ttl := s.timeToLive()
	if from.left(ttl, s.clock.NowNano()) <= 0 {
		return
	}
	g := s.stripe(id)
	s.cache.Compute(id, func(was entry, found bool) (entry, otter.ComputeOp) {
		if g.Load() != generation || found && was.when().born > from.born {
			return was, otter.CancelOp
		}
		return e, otter.WriteOp
	})
	if s.timeToLive() != ttl {
		s.move(id, from) // it may have come too late for the walk
	}
}

// invalidate removes the result, and keeps executions that began before from
// storing theirs.
func (s *store[ID]) invalidate(id ID) {
	s.stripe(id).Add(1)
	s.cache.Invalidate(id)
}

// resize moves the bound; a smaller one evicts before it returns, the entries
// least likely to be used first. What stays is warm.
func (s *store[ID]) resize(size int) {
	if s.size() != size {
		s.cache.SetMaximum(uint64(size))
	}
}

func (s *store[ID]) size() int { return int(s.cache.GetMaximum()) }

func (s *store[ID]) timeToLive() time.Duration { return time.Duration(s.ttl.Load()) }

// setTTL moves the TTL, and the expiry of what is there, longer or shorter.
// That takes some hundred nanoseconds an entry, during which the cache serves as
// usual.
func (s *store[ID]) setTTL(ttl time.Duration) {
	if s.ttl.Swap(int64(ttl)) == int64(ttl) {
		return
	}
	for id, e := range s.cache.All() {
		s.move(id, e.when())
	}
}

// move sets the expiry of an entry to what the TTL says now.
func (s *store[ID]) move(id ID, from *origin) {
	if left := from.left(s.timeToLive(), s.clock.NowNano()); left > 0 {
		s.cache.SetExpiresAfter(id, left)
	} else {
		s.cache.Invalidate(id)
	}
}

// trim drops entries down to that share of them, the coldest first, and leaves
// the bound where it is. It reports how many it dropped; a nil store has none.
func (s *store[ID]) trim(keep float64) int {
	if s == nil {
		return 0
	}
	s.cache.CleanUp()
	size := s.cache.EstimatedSize()
	excess := size - int(keep*float64(size))
	var coldest []ID // no entry may be removed while the order is read
	for e := range s.cache.Coldest() {
		if len(coldest) == excess {
			break
		}
		coldest = append(coldest, e.Key)
	}
	for _, id := range coldest {
		s.cache.Invalidate(id)
	}
	return len(coldest)
}

// close ends the cache's goroutine, and waits for it.
func (s *store[ID]) close() { s.cache.StopAllGoroutines() }

// clock counts monotonic nanoseconds since shortly before an executor was made.
// It costs half of a time.Now, and setting the machine's clock does not age or
// revive a result.
type clock struct{ base time.Time }

func newClock() clock { return clock{time.Now().Add(-time.Second)} }

// NowNano returns the time since base.
func (c clock) NowNano() int64 { return int64(time.Since(c.base)) }

// Tick is when the cache looks for entries that expired.
func (c clock) Tick(d time.Duration) <-chan time.Time { return time.Tick(d) }
