package executor

import (
	"errors"
	"sync"
	"sync/atomic"
)

// PoolConfig says what the objects of a Pool are.
type PoolConfig[T any] struct {
	// New returns a new object; a zero T if nil.
	New func() *T
	// Reset makes an object that was used as good as a new one. It is called when
	// the object is given back, so that it need not keep what it points to alive;
	// it is also the place to let go of a buffer that has grown too large. It is
	// needed if there is a New; otherwise nil sets the object to zero.
	Reset func(*T)
}

// Pool hands out scratch objects. While enable_object_pool is on, what is given
// back is reset and handed out again; while it is off, each is allocated anew.
// Nobody can tell the difference but by its cost. Bind a pool once, as a step.
//
// # How it holds idle objects
//
// Each goroutine has a slot, chosen by where its stack is, which costs one atomic
// operation to take from and one to give to, and is on a cache line of its own.
// What a slot has no room for is on a stack behind a lock. Before an object
// is allocated, or dropped, all slots are looked at: the bound counts every idle
// object, and no object idles while another is made. In contrast to a sync.Pool
// a garbage collection takes nothing away; cleanups do (see pools), and memory
// optimization, if it is on.
type Pool[T any] struct {
	cfg   PoolConfig[T]
	ex    *Executor
	slots [poolSlots]poolSlot[T]

	held atomic.Int64 // made and not dropped, while the pool is on

	mu    sync.Mutex
	stack []*T // guarded by mu; idle, beyond the slots
	since seen // guarded by mu
}

// seen is what was seen of a pool since its last cleanup.
type seen struct {
	looks, holding int     // how often it was looked at, and then held anything
	use            float64 // sum of its utilizations then
}

const poolSlots = stripes

type poolSlot[T any] struct {
	atomic.Pointer[T]
	_ [128 - 8]byte
}

// NewPool binds a pool to an executor, whose configuration says whether and how
// much it holds.
func NewPool[T any](ex *Executor, cfg PoolConfig[T]) (*Pool[T], error) {
	var errs []error
	if ex == nil {
		errs = append(errs, errors.New("pool: executor: missing: a pool is part of one"))
	}
	if cfg.New != nil && cfg.Reset == nil {
		errs = append(errs, errors.New("pool: reset: missing: what New makes, only a Reset can make again"))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	if cfg.New == nil {
		cfg.New = func() *T { return new(T) }
	}
	if cfg.Reset == nil {
		cfg.Reset = func(v *T) { var zero T; *v = zero }
	}
	p := &Pool[T]{cfg: cfg, ex: ex}
	ex.pools.add(p)
	return p, nil
}

// Get returns an object that is new, or as good as new. It is the caller's until
// it is given back; one that never is, is left to the garbage collector.
func (p *Pool[T]) Get() *T {
	limit := p.ex.pools.limit.Load()
	if limit == 0 {
		return p.cfg.New()
	}
	s := &p.slots[slotOf(limit)]
	if s.Load() != nil {
		if v := s.Swap(nil); v != nil {
			return v
		}
	}
	return p.search()
}

// Put gives an object back. Give it back once, and do not use it afterwards. A
// Reset that panics loses the object, and nothing else.
func (p *Pool[T]) Put(v *T) {
	limit := p.ex.pools.limit.Load()
	if limit == 0 || v == nil || !p.reset(v) {
		return
	}
	s := &p.slots[slotOf(limit)]
	if s.Load() != nil || !s.CompareAndSwap(nil, v) {
		p.stow(v, int(limit))
	}
	if p.ex.pools.limit.Load() != limit {
		p.shrink() // it may have come too late for the one who lowered it
	}
}

// slotsOf is how many slots are in use at a limit; the stack has the rest of it.
func slotsOf(limit int) int { return min(limit, poolSlots) }

// slotOf is the running goroutine's.
func slotOf(limit int64) uint64 { return here() * uint64(slotsOf(int(limit))) / stripes % poolSlots }

func (p *Pool[T]) reset(v *T) (ok bool) {
	defer p.lost()
	p.cfg.Reset(v)
	return true
}

// lost counts an object whose Reset panicked. It is to be deferred.
func (p *Pool[T]) lost() {
	if recover() != nil {
		p.ex.counters.panics.Add(1)
		p.held.Add(-1)
	}
}

// search finds an object wherever one is idle, or makes one.
func (p *Pool[T]) search() *T {
	if v := p.pop(0); v != nil {
		return v
	}
	for i := range p.slots {
		if v := p.take(i); v != nil {
			return v
		}
	}
	v := p.cfg.New()
	p.held.Add(1)
	p.ex.counters.poolMade.Add(1)
	return v
}

// stow keeps an object wherever there is room, or drops it.
func (p *Pool[T]) stow(v *T, limit int) {
	if p.push(v, limit-slotsOf(limit)) {
		return
	}
	for i := range slotsOf(limit) {
		if p.slots[i].CompareAndSwap(nil, v) {
			return
		}
	}
	p.held.Add(-1)
}

func (p *Pool[T]) take(slot int) *T {
	if p.slots[slot].Load() == nil {
		return nil
	}
	return p.slots[slot].Swap(nil)
}

// pop takes from the stack if it has more than that.
func (p *Pool[T]) pop(than int) *T {
	p.mu.Lock()
	defer p.mu.Unlock()
	last := len(p.stack) - 1
	if last < than {
		return nil
	}
	v := p.stack[last]
	p.stack[last] = nil
	p.stack = p.stack[:last]
	return v
}

// push puts on the stack, up to that many.
func (p *Pool[T]) push(v *T, limit int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.stack) >= limit {
		return false
	}
	p.stack = append(p.stack, v)
	return true
}

// shrink drops what is beyond the limit.
func (p *Pool[T]) shrink() { p.reduce(int(p.ex.pools.limit.Load())) }

// reduce drops idle objects until there is room for a limit, and reports how many.
func (p *Pool[T]) reduce(limit int) (dropped int) {
	n := slotsOf(limit)
	for i := n; i < poolSlots; i++ {
		if p.take(i) != nil {
			dropped++
		}
	}
	for p.pop(limit-n) != nil {
		dropped++
	}
	if limit == 0 {
		p.mu.Lock()
		if len(p.stack) == 0 {
			p.stack = nil
		}
		p.mu.Unlock()
	}
	p.held.Add(-int64(dropped))
	return dropped
}

// idle counts the objects that wait to be handed out.
func (p *Pool[T]) idle() int {
	p.mu.Lock()
	n := len(p.stack)
	p.mu.Unlock()
	for i := range p.slots {
		if p.slots[i].Load() != nil {
			n++
		}
	}
	return n
}

// begin is called when the pool is switched on: objects from before are not held.
func (p *Pool[T]) begin() {
	p.held.Store(0)
	p.mu.Lock()
	p.since = seen{}
	p.mu.Unlock()
}
