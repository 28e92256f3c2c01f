package executor

import (
	"context"
	"errors"
	"sync"
	"time"
)

// spanQueue is a bounded queue of spans, and the goroutine that exports them.
//
// Adding never waits for the exporter. The goroutine is woken when a batch is
// full, and looks at an interval besides, so that no span waits much longer than
// that while the exporter keeps up. What does not fit is dropped: the newest,
// because dropping the oldest would make adding dearer just when it is busiest.
type spanQueue struct {
	exporter   Exporter
	ctx        context.Context // of every export; ends when close gives up
	cancel     context.CancelFunc
	flush      time.Duration
	wake       chan struct{} // of capacity 1
	quit, done chan struct{}

	mu    sync.Mutex
	batch int // guarded by mu, as are those below
	in    []*Span
	// out[next:] come before in. The goroutine alone changes out, and may read
	// what it took of it without the lock.
	out    []*Span
	next   int
	closed bool // nothing is added any more
	left   bool // close gave up: what is not exported by then counts as dropped
	counts spanCounts
}

// spanCounts are since the executor was made: ended = exported + dropped + what
// is queued or on its way.
type spanCounts struct {
	ended, exported, dropped, exports uint64
	took                              time.Duration // in Export
}

const (
	// queuedBatches and leastQueue bound the queue: four batches, and no less
	// than the OpenTelemetry SDK's default of 2048 spans.
	queuedBatches = 4
	leastQueue    = 2048
	exportTimeout = 10 * time.Second
	// closeTimeout is how long close waits for the exporter.
	closeTimeout = 5 * time.Second
)

func newSpanQueue(exporter Exporter, flush time.Duration) *spanQueue {
	q := &spanQueue{
		exporter: exporter, flush: flush, batch: 1,
		wake: make(chan struct{}, 1), quit: make(chan struct{}), done: make(chan struct{}),
	}
	q.ctx, q.cancel = context.WithCancel(context.Background())
	go q.run()
	return q
}

// add queues a span or drops it. The caller must not touch it any more.
func (q *spanQueue) add(s *Span) {
	q.mu.Lock()
	q.counts.ended++
	waiting := q.waiting()
	if q.closed || waiting >= max(leastQueue, queuedBatches*q.batch) {
		q.counts.dropped++
		q.mu.Unlock()
		return
	}
	q.in = append(q.in, s)
	full := waiting+1 == q.batch // then it was not before, and the goroutine may sleep
	q.mu.Unlock()
	if full {
		q.rouse()
	}
}

// drop counts a span that cannot be exported.
func (q *spanQueue) drop() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.counts.ended++
	q.counts.dropped++
}

// waiting is how many are queued. The caller holds mu.
func (q *spanQueue) waiting() int { return len(q.in) + len(q.out) - q.next }

func (q *spanQueue) rouse() {
	select {
	case q.wake <- struct{}{}:
	default: // it is about to look
	}
}

// setBatch moves the size of batches. Nothing that is queued is dropped.
func (q *spanQueue) setBatch(n int) {
	q.mu.Lock()
	moved := q.batch != n
	q.batch = n
	q.mu.Unlock()
	if moved {
		q.rouse()
	}
}

func (q *spanQueue) batchSize() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.batch
}

func (q *spanQueue) now() spanCounts {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.counts
}

func (q *spanQueue) run() {
	finished := false
	defer func() {
		if !finished { // the exporter ended this goroutine with runtime.Goexit
			q.rouse()
			go q.run()
		}
	}()
	ticks := time.NewTicker(q.flush)
	defer ticks.Stop()
	for ended := false; !ended; {
		all := false
		select {
		case <-q.wake:
		case <-ticks.C:
			all = true
		case <-q.quit:
			all, ended = true, true
		}
		q.exportBatches(all)
	}
	finished = true
	close(q.done)
}

// exportBatches exports while there are full batches, and then, if all is set,
// what there is of another.
func (q *spanQueue) exportBatches(all bool) {
	for {
		spans, last := q.take(all)
		if len(spans) > 0 {
			q.export(spans)
			clear(spans) // let go of them
		}
		if last {
			return
		}
	}
}

// take returns up to a batch of the oldest spans, nothing if less than that is
// queued and all is not set, and whether that is all for now.
func (q *spanQueue) take(all bool) (spans []*Span, last bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := q.waiting()
	if q.left || n == 0 || n < q.batch && !all {
		return nil, true
	}
	last = n <= q.batch && all
	n = min(n, q.batch)
	if len(q.out)-q.next < n { // what is in out is less than a batch, so this is cheap
		rest := copy(q.out, q.out[q.next:])
		clear(q.out[rest:])
		q.out, q.next = append(q.out[:rest], q.in...), 0
		clear(q.in)
		q.in = q.in[:0]
	}
	spans = q.out[q.next : q.next+n : q.next+n]
	q.next += n
	return spans, last
}

// export exports some spans, and counts what became of them.
func (q *spanQueue) export(spans []*Span) {
	lost := len(spans) // unless it says otherwise
	began := time.Now()
	defer func() {
		_ = recover() // it counts as what was lost
		q.mu.Lock()
		defer q.mu.Unlock()
		if q.left { // counted already
			return
		}
		q.counts.exports++
		q.counts.took += time.Since(began)
		q.counts.exported += uint64(len(spans) - lost)
		q.counts.dropped += uint64(lost)
	}()
	ctx, cancel := context.WithTimeout(q.ctx, exportTimeout)
	defer cancel()
	err := q.exporter.Export(ctx, spans)
	var some LostSpans
	switch {
	case err == nil:
		lost = 0
	case errors.As(err, &some):
		lost = max(0, min(int(some), len(spans)))
	}
}

// close exports what is queued. It waits for the exporter, but not for one that
// is stuck: that keeps its goroutine, and what it has not exported is dropped.
func (q *spanQueue) close() {
	q.mu.Lock()
	q.closed = true
	q.mu.Unlock()
	close(q.quit)
	patience := time.NewTimer(closeTimeout)
	defer patience.Stop()
	select {
	case <-q.done:
	case <-patience.C:
		q.mu.Lock()
		q.left = true
		c := &q.counts
		c.dropped = c.ended - c.exported
		q.mu.Unlock()
	}
	q.cancel()
}
