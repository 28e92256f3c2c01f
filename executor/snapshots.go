package executor

// snapshots is the part of enable_context_optimization: what was derived of run
// state. It is released when the switch is off; runs that began before go on with
// what they have, and it ends with the last of them.
type snapshots struct {
	clock clock
	store *store[any] // guarded by the executor's lock
}

func (s *snapshots) reconcile(next *snapshot) {
	c := &next.config
	switch {
	case !c.EnableContextOptimization:
		s.stop()
	case s.store == nil:
		s.store = newStore[any](c.ContextCacheSize, c.ContextCacheTTL, s.clock)
	default:
		s.store.resize(c.ContextCacheSize)
		s.store.setTTL(c.ContextCacheTTL)
	}
	next.snapshots = s.store
}

func (s *snapshots) readBack(c *Config) {
	if s.store != nil {
		c.ContextCacheSize, c.ContextCacheTTL = s.store.size(), s.store.timeToLive()
	}
}

func (s *snapshots) trim(now *snapshot, keep float64) int { return now.snapshots.trim(keep) }

// stop lets go of what is kept.
func (s *snapshots) stop() {
	if s.store != nil {
		s.store.close()
		s.store = nil
	}
}
