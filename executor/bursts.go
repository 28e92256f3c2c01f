package executor

import (
	"sync"
	"sync/atomic"
	"time"
)

// bursts counts error bursts: a burst is a second, counted from a failure, in
// which at least burstErrors executions failed, and a quarter of all that began.
// Only failures cost anything, some 100 ns, and none waits for another.
type bursts struct {
	count atomic.Uint64

	mu            sync.Mutex // guards the second that is looked at
	from          int64      // when it began, by the executor's clock; 0: never
	failed, began uint64     // counts before it
	known         bool       // to be a burst
}

const (
	burstErrors = 10
	burstShare  = 4 // one in so many
	burstWindow = int64(time.Second)
)

// fail takes a failure that c has counted.
func (b *bursts) fail(c *counters, now int64) {
	if !b.mu.TryLock() {
		return // it is in the counts that the next one looks at
	}
	defer b.mu.Unlock()
	inWindow := b.from != 0 && now-b.from < burstWindow
	if inWindow && b.known {
		return
	}
	failed, began := c.failures(), c.begun()
	if !inWindow {
		b.from, b.failed, b.began, b.known = now, failed-1, began-1, false
		return
	}
	if n := failed - b.failed; n >= burstErrors && burstShare*n >= began-b.began {
		b.known = true
		b.count.Add(1)
	}
}

func (c *counters) failures() (n uint64) {
	for i := range c.stripes {
		n += c.stripes[i].failed.Load()
	}
	return n
}

func (c *counters) begun() (n uint64) {
	for i := range c.stripes {
		n += c.stripes[i].began[0].Load() + c.stripes[i].began[1].Load()
	}
	return n
}

func (c *counters) offered() (n uint64) {
	for i := range c.stripes {
		n += c.stripes[i].began[offered].Load() + c.stripes[i].thinned.Load()
	}
	return n
}
