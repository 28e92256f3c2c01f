package autotune

import (
	"context"
	"testing"
	"time"

	"autotune/controller"
	"autotune/executor"
	"autotune/journal"
	"autotune/sensors"
)

// What a tick of the live loop costs besides the decision itself: reading the
// sensors with 50 requests in the tick, reading the setting back, and writing
// the input to the journal. At four ticks a second, 100 µs are 0.04 % of a core.
func BenchmarkTick_live(b *testing.B) {
	ex, err := executor.New(executor.Config{})
	if err != nil {
		b.Fatal(err)
	}
	defer ex.Close()
	rec := sensors.NewRecorder()
	s, err := sensors.New(sensors.Options{Recorder: rec})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	target, err := NewTarget(ex, nil, s)
	if err != nil {
		b.Fatal(err)
	}
	j, err := journal.Open(b.TempDir(), journal.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer j.Close()
	ctx := context.Background()
	requests := func() {
		for i := range 50 {
			rec.Start(time.Now().Add(-time.Duration(i) * 100 * time.Microsecond)).End(false)
		}
	}
	var sample controller.Sample
	var current controller.Setting
	b.Run("observe", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			b.StopTimer()
			requests()
			b.StartTimer()
			if sample, err = target.Observe(ctx, 1, 0); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("read back", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if current, err = target.Current(ctx); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("journal", func(b *testing.B) {
		b.ReportAllocs()
		in := &controller.Input{At: sample.At, Current: current, Sample: sample}
		for b.Loop() {
			if err := j.Append(controller.Record{At: sample.At, Kind: controller.RecordInput, Input: in}); err != nil {
				b.Fatal(err)
			}
		}
	})
}
