package sensors

import (
	"fmt"
	"testing"
	"time"

	"autotune/controller"
)

// A take of a tick with 100 requests on each shard, and some in flight.
func BenchmarkTake(b *testing.B) {
	for _, inFlight := range []int{0, 100, 10_000} {
		b.Run(fmt.Sprintf("in-flight=%d", inFlight), func(b *testing.B) {
			b.ReportAllocs()
			r := NewRecorder()
			for range inFlight {
				r.StartNow()
			}
			var s controller.Sample
			for b.Loop() {
				b.StopTimer()
				for i := range 100 * len(r.shards) {
					r.start(0).end(benchLatency(i), false)
				}
				b.StartTimer()
				r.Take(time.Now(), &s)
			}
		})
	}
}

func BenchmarkSample(b *testing.B) {
	for name, every := range map[string]time.Duration{"tick": time.Hour, "with-host": time.Nanosecond} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			s, err := New(Options{Recorder: NewRecorder(), HostEvery: every})
			if err != nil {
				b.Fatal(err)
			}
			s.Begin(1)
			for b.Loop() {
				if _, err := s.Sample(time.Now()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkThreadCPU(b *testing.B) {
	for b.Loop() {
		ThreadCPU()
	}
}
