package sensors

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"autotune/controller"
)

// guarded is the plain alternative: one histogram behind one mutex.
type guarded struct {
	mu       sync.Mutex
	h        controller.Histogram
	inFlight int
}

func (g *guarded) start() {
	g.mu.Lock()
	g.inFlight++
	g.mu.Unlock()
}

func (g *guarded) end(d time.Duration) {
	g.mu.Lock()
	g.inFlight--
	g.h.Record(d)
	g.mu.Unlock()
}

// benchLatency spreads latencies from about 1 µs to 16 ms.
func benchLatency(i int) time.Duration { return time.Duration(1000 + (i*7919)&(1<<24-1)) }

func BenchmarkRecord(b *testing.B) {
	b.Run("recorder/serial", func(b *testing.B) {
		b.ReportAllocs()
		r := NewRecorder()
		for i := 0; b.Loop(); i++ {
			r.start(0).end(benchLatency(i), false)
		}
	})
	b.Run("recorder/parallel", func(b *testing.B) {
		b.ReportAllocs()
		r := NewRecorder()
		b.RunParallel(func(pb *testing.PB) {
			for i := 0; pb.Next(); i++ {
				r.start(0).end(benchLatency(i), false)
			}
		})
	})
	// Processors that begin with the same token.
	b.Run("recorder/same-token", func(b *testing.B) {
		b.ReportAllocs()
		r := newRecorder(4)
		inTurn := r.tokens.New
		var drawn atomic.Uint32
		r.tokens.New = func() any {
			if drawn.Add(1) <= 4 {
				return r.shards[0]
			}
			return inTurn()
		}
		b.RunParallel(func(pb *testing.PB) {
			for i := 0; pb.Next(); i++ {
				r.start(0).end(benchLatency(i), false)
			}
		})
	})
	// Requests that end on another goroutine than they started on.
	b.Run("recorder/handed-over", func(b *testing.B) {
		b.ReportAllocs()
		r := NewRecorder()
		queue := make(chan [64]Request, 16)
		go func() {
			var batch [64]Request
			for i := 0; i < b.N; i += len(batch) {
				for k := range batch {
					batch[k] = r.start(0)
				}
				queue <- batch
			}
			close(queue)
		}()
		for batch := range queue {
			for k, q := range batch {
				q.end(benchLatency(k), false)
			}
		}
	})
	b.Run("recorder/with-clock/serial", func(b *testing.B) {
		b.ReportAllocs()
		r := NewRecorder()
		for b.Loop() {
			r.StartNow().End(false)
		}
	})
	b.Run("recorder/with-clock/parallel", func(b *testing.B) {
		b.ReportAllocs()
		r := NewRecorder()
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				r.StartNow().End(false)
			}
		})
	})
	b.Run("mutex/serial", func(b *testing.B) {
		b.ReportAllocs()
		var g guarded
		for i := 0; b.Loop(); i++ {
			g.start()
			g.end(benchLatency(i))
		}
	})
	b.Run("mutex/parallel", func(b *testing.B) {
		b.ReportAllocs()
		var g guarded
		b.RunParallel(func(pb *testing.PB) {
			for i := 0; pb.Next(); i++ {
				g.start()
				g.end(benchLatency(i))
			}
		})
	})
}
