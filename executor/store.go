package executor

import (
	"hash/maphash"
	"sync/atomic"
	"time"

	"github.com/maypok86/otter/v2"
)

// store keeps results of all steps of an executor, bounded by a number of
// entries and by age.
//
// # Age
//
// A result is as old as the execution that computed it, counted from where that
// began: what it was computed from was read at that moment at the earliest.
// Every lookup compares the age with the limit that is in force now, the
// shorter of the step's FreshFor and cache_ttl, so a shortened TTL holds from
// the next lookup on. The cache's own expiry is set to the same limit and does
// what a lookup cannot: it gives back the memory of what nobody asks for.
//
// # Invalidation
//
// An execution that began before an invalidation must not store what it read
// before it. Each identity has a generation, shared with the other identities
// of its stripe; invalidating moves the generation first and removes the entry
// then, and storing compares the generation with the one from before the
// execution, under the cache's lock of that entry. An unlucky neighbor in the
// stripe is not stored once: that side is safe.
type store struct {
	clock       clock
	cache       *otter.Cache[identity, entry]
	ttl         atomic.Int64 // nanoseconds; written by the executor under its lock
	seed        maphash.Seed
	generations [256]atomic.Uint64
}

// entry is a kept result.
type entry struct {
	out     any
	born    int64 // when its execution began, by the store's clock
	results Results
}

func newStore(size int, ttl time.Duration, c clock) (*store, error) {
	s := &store{clock: c, seed: maphash.MakeSeed()}
	s.ttl.Store(int64(ttl))
	var err error
	s.cache, err = otter.New(&otter.Options[identity, entry]{
		MaximumSize: size,
		Clock:       c,
		ExpiryCalculator: otter.ExpiryWritingFunc(func(e otter.Entry[identity, entry]) time.Duration {
			return max(s.left(e.Value, e.SnapshotAtNano), 1)
		}),
	})
	return s, err
}

// left is how long an entry may still be served.
func (s *store) left(e entry, now int64) time.Duration {
	return e.results.limit(s.timeToLive()) - time.Duration(now-e.born)
}

// get returns the kept result, if it is young enough.
func (s *store) get(id identity) (any, bool) {
	e, ok := s.cache.GetEntry(id)
	if !ok || s.left(e.Value, e.SnapshotAtNano) <= 0 {
		return nil, false
	}
	return e.Value.out, true
}

// generation must be read before the execution whose result put will store.
func (s *store) generation(id identity) uint64 { return s.stripe(id).Load() }

func (s *store) stripe(id identity) *atomic.Uint64 {
	return &s.generations[maphash.Comparable(s.seed, id)%uint64(len(s.generations))]
}

// put keeps a result, unless the identity was invalidated since generation was
// read, a younger result is there, or it is too old already.
func (s *store) put(id identity, generation uint64, e entry) {
	if s.left(e, s.clock.NowNano()) <= 0 {
		return
	}
	g := s.stripe(id)
	s.cache.Compute(id, func(was entry, found bool) (entry, otter.ComputeOp) {
		if g.Load() != generation || found && was.born > e.born {
			return was, otter.CancelOp
		}
		return e, otter.WriteOp
	})
}

// invalidate removes the result, and keeps executions that began before from
// storing theirs.
func (s *store) invalidate(id identity) {
	s.stripe(id).Add(1)
	s.cache.Invalidate(id)
}

// resize moves the bound; a smaller one evicts before it returns, the entries
// least likely to be used first. What stays is warm.
func (s *store) resize(size int) {
	if s.size() != size {
		s.cache.SetMaximum(uint64(size)) //nolint:gosec // validated: 1 to 1e8
	}
}

func (s *store) size() int { return int(s.cache.GetMaximum()) } //nolint:gosec // as resize

func (s *store) timeToLive() time.Duration { return time.Duration(s.ttl.Load()) }

// setTTL moves the TTL. Lookups go by it at once. The expiry of entries that
// are there is moved too, longer or shorter, in one walk of some hundred
// nanoseconds an entry, during which the cache serves as usual.
func (s *store) setTTL(ttl time.Duration) {
	if s.ttl.Swap(int64(ttl)) == int64(ttl) {
		return
	}
	for id, e := range s.cache.All() {
		if left := s.left(e, s.clock.NowNano()); left > 0 {
			s.cache.SetExpiresAfter(id, left)
		} else {
			s.cache.Invalidate(id)
		}
	}
}

// close ends the cache's goroutine, and waits for it.
func (s *store) close() { s.cache.StopAllGoroutines() }

// clock counts monotonic nanoseconds since shortly before an executor was made.
// It costs half of a time.Now, and setting the machine's clock does not age or
// revive a result.
type clock struct{ base time.Time }

func newClock() clock { return clock{time.Now().Add(-time.Second)} }

// NowNano returns the time since base.
func (c clock) NowNano() int64 { return int64(time.Since(c.base)) }

// Tick is when the cache looks for entries that expired.
func (c clock) Tick(d time.Duration) <-chan time.Time { return time.Tick(d) }
