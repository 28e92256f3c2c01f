package autotune

import (
	"sync"
	"sync/atomic"
	"time"
)

// lease is a dead-man switch. Whoever holds it renews it; if it is not renewed
// for its length, expired is called, again and again until that says it is done.
type lease struct {
	renewed atomic.Int64 // monotonic, since start
	start   time.Time
	quit    chan struct{}
	wait    sync.WaitGroup
}

func startLease(length time.Duration, expired func() bool) *lease {
	l := &lease{start: time.Now(), quit: make(chan struct{})}
	l.wait.Go(func() {
		ticker := time.NewTicker(length / 4)
		defer ticker.Stop()
		for {
			select {
			case <-l.quit:
				return
			case <-ticker.C:
			}
			if time.Since(l.start)-time.Duration(l.renewed.Load()) > length && expired() {
				return
			}
		}
	})
	return l
}

func (l *lease) renew() { l.renewed.Store(int64(time.Since(l.start))) }

// stop ends the watch and waits for it.
func (l *lease) stop() {
	close(l.quit)
	l.wait.Wait()
}
