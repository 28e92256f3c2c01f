package executor

import (
	"sync/atomic"
	"time"
)

// periodic calls a function at an interval that can be moved, or set to 0 to
// pause, at any time. What has passed of an interval counts when it is moved: a
// configuration that is applied every millisecond does not keep a cleanup of
// every minute from ever being due.
//
// Its goroutine begins with the first interval above 0, and ends with stop. set
// does not wait for act, so that act may call the executor.
type periodic struct {
	act      func()
	interval atomic.Int64  // nanoseconds; 0 pauses
	moved    chan struct{} // of capacity 1; nil until the goroutine runs
	quit     chan struct{}
	done     chan struct{}
}

// set moves the interval. It is called under the executor's lock.
func (p *periodic) set(interval time.Duration) {
	if time.Duration(p.interval.Swap(int64(interval))) == interval {
		return
	}
	if p.moved == nil {
		p.moved, p.quit, p.done = make(chan struct{}, 1), make(chan struct{}), make(chan struct{})
		go p.run()
		return
	}
	select {
	case p.moved <- struct{}{}:
	default: // one is pending, and will read the interval of now
	}
}

// every returns the interval, 0 while it is paused.
func (p *periodic) every() time.Duration { return time.Duration(p.interval.Load()) }

// stop ends the goroutine and waits for it. Nothing may set the interval after.
func (p *periodic) stop() {
	if p.moved != nil {
		close(p.quit)
		<-p.done
	}
}

func (p *periodic) run() {
	defer close(p.done)
	last := time.Now() // act ended, or it was resumed
	paused := false
	timer := time.NewTimer(p.every())
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
			if paused || p.every() == 0 {
				continue
			}
			p.act()
			last = time.Now()
		case <-p.moved:
		case <-p.quit:
			return
		}
		interval := p.every()
		if paused && interval > 0 {
			last = time.Now()
		}
		if paused = interval == 0; paused {
			timer.Stop()
		} else {
			timer.Reset(time.Until(last.Add(interval)))
		}
	}
}
