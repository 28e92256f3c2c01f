package executor

import (
	"math"
	"sync"
	"sync/atomic"
	"time"
)

// pools is the part of enable_object_pool: all pools of an executor.
//
// # Cleanup
//
// Once a minute a pool whose objects were mostly idle gives the idle ones back to
// the garbage collector: if its utilization, objects in use over objects held,
// was below object_pool_cleanup_threshold. It is looked at once a second, and
// averaged since the last cleanup. An object that is handed out and never given
// back counts as in use while the pool is on; one that comes from before the
// pool was on counts as soon as it is seen idle.
type pools struct {
	limit     atomic.Int64  // idle objects of each pool; 0 while off
	threshold atomic.Uint64 // bits of a float64
	looks     periodic

	mu  sync.Mutex
	all []holder // guarded by mu
}

const (
	poolLook    = time.Second
	poolCleanup = time.Minute
)

// holder is a *Pool of some type.
type holder interface {
	begin()
	shrink()
	reduce(limit int) (dropped int)
	look(threshold float64)
	idle() int
}

func (p *pools) add(h holder) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.all = append(p.all, h)
}

// each calls f for every pool there is now.
func (p *pools) each(f func(holder)) {
	p.mu.Lock()
	all := p.all // only ever appended to
	p.mu.Unlock()
	for _, h := range all {
		f(h)
	}
}

func (p *pools) reconcile(next *snapshot) {
	c, limit, look := &next.config, 0, time.Duration(0)
	if c.EnableObjectPool {
		limit, look = c.ObjectPoolMaxSize, poolLook
	}
	p.threshold.Store(math.Float64bits(c.ObjectPoolCleanupThreshold))
	if was := p.limit.Load(); was == 0 && limit > 0 {
		p.each(holder.begin)
	}
	p.limit.Store(int64(limit))
	p.each(holder.shrink)
	p.looks.set(look)
}

func (p *pools) readBack(c *Config) {
	if limit := p.limit.Load(); limit > 0 {
		c.ObjectPoolMaxSize = int(limit)
	}
	c.ObjectPoolCleanupThreshold = math.Float64frombits(p.threshold.Load())
}

func (p *pools) stop() {
	p.looks.stop()
	p.limit.Store(0)
	p.each(holder.shrink)
}

func (p *pools) look() {
	threshold := math.Float64frombits(p.threshold.Load())
	p.each(func(h holder) { h.look(threshold) })
}

// trim drops every idle object: they cost little to make again.
func (p *pools) trim(*snapshot, float64) (dropped int) {
	p.each(func(h holder) { dropped += h.reduce(0) })
	return dropped
}

// types is how many pools there are.
func (p *pools) types() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.all)
}

// idle objects of all pools.
func (p *pools) idle() (n int) {
	p.each(func(h holder) { n += h.idle() })
	return n
}

// look takes the utilization, and cleans up when it is time to.
func (p *Pool[T]) look(threshold float64) {
	idle := int64(p.idle())
	held := p.held.Load()
	if held < idle { // objects from before the pool was on
		p.held.Add(idle - held)
		held = idle
	}
	const rounding = 1e-9
	if p.seen(float64(held-idle), float64(held)) < threshold-rounding {
		p.reduce(0)
	}
}

// seen adds a look, and returns the mean utilization if a cleanup is due; what
// is not due, or has nothing to clean, is as good as fully used.
func (p *Pool[T]) seen(used, held float64) float64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := &p.since
	s.looks++
	if held > 0 {
		s.holding++
		s.use += used / held
	}
	if s.looks < int(poolCleanup/poolLook) {
		return 1
	}
	all := *s
	*s = seen{}
	if all.holding == 0 {
		return 1
	}
	return all.use / float64(all.holding)
}
