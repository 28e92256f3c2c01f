package executor

import "sync/atomic"

// resultCache is the part of enable_cache_optimization: a store, made when the
// cache is on for the first time and kept warm from then on.
type resultCache struct {
	clock clock
	store atomic.Pointer[store[uint64]] // written under the executor's lock
}

func (r *resultCache) reconcile(next *snapshot) {
	s, c := r.store.Load(), &next.config
	switch {
	case s != nil:
		s.resize(c.CacheSize)
		s.setTTL(c.CacheTTL)
	case c.EnableCacheOptimization:
		s = newStore[uint64](c.CacheSize, c.CacheTTL, r.clock)
		r.store.Store(s)
	}
	next.store = s
}

func (r *resultCache) readBack(c *Config) {
	if s := r.store.Load(); s != nil {
		c.CacheSize, c.CacheTTL = s.size(), s.timeToLive()
	}
}

func (r *resultCache) trim(now *snapshot, keep float64) int { return now.store.trim(keep) }

func (r *resultCache) stop() {
	if s := r.store.Load(); s != nil {
		s.close()
	}
}

// entries are in the cache now, about.
func (r *resultCache) entries() uint64 {
	if s := r.store.Load(); s != nil {
		return uint64(s.cache.EstimatedSize())
	}
	return 0
}
