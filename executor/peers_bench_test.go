package executor

import (
	"context"
	"testing"
	"time"

	"github.com/failsafe-go/failsafe-go"
	"github.com/failsafe-go/failsafe-go/circuitbreaker"
	"github.com/failsafe-go/failsafe-go/retrypolicy"
)

// Circuits and retries, next to failsafe-go used directly: its breaker alone, and
// composed the way that its documentation shows.
func BenchmarkCircuit(b *testing.B) {
	ints, _ := inputs()
	b.Run("bare", func(b *testing.B) {
		serialAndParallel(b, func(i int) { _, _ = bare(context.Background(), i) })
	})
	b.Run("failsafe-breaker", func(b *testing.B) {
		c := circuitbreaker.NewBuilder[any]().WithFailureThreshold(10).Build()
		serialAndParallel(b, func(i int) {
			if !c.TryAcquirePermit() {
				return
			}
			if _, err := bare(context.Background(), i); err != nil {
				c.RecordFailure()
			} else {
				c.RecordSuccess()
			}
		})
	})
	b.Run("failsafe-with-get", func(b *testing.B) {
		e := failsafe.With[int](circuitbreaker.NewBuilder[int]().WithFailureThreshold(10).Build())
		serialAndParallel(b, func(i int) { _, _ = e.Get(func() (int, error) { return bare(context.Background(), i) }) })
	})
	b.Run("step-off", func(b *testing.B) { benchStep(b, Config{}, StepConfig[int, int]{Run: bare}, ints) })
	b.Run("step-on", func(b *testing.B) {
		benchStep(b, Config{EnableCircuitBreaker: true}, StepConfig[int, int]{Run: bare}, ints)
	})
	b.Run("step-rejected", func(b *testing.B) {
		ex := start(b, breaker(1, time.Hour))
		s := bind(b, ex, StepConfig[int, int]{Run: func(context.Context, int) (int, error) { return 0, errBroken }})
		serialAndParallel(b, func(i int) { _, _ = s.Run(context.Background(), i) })
	})
	b.Run("failsafe-rejected", func(b *testing.B) {
		c := circuitbreaker.NewBuilder[any]().WithDelay(time.Hour).Build()
		c.Open()
		serialAndParallel(b, func(int) { c.TryAcquirePermit() })
	})
}

func BenchmarkRetry(b *testing.B) {
	ints, _ := inputs()
	failing := func(context.Context, int) (int, error) { return 0, errBroken }
	b.Run("failsafe-success", func(b *testing.B) {
		e := failsafe.With[int](retrypolicy.NewBuilder[int]().WithMaxAttempts(3).Build())
		serialAndParallel(b, func(i int) { _, _ = e.Get(func() (int, error) { return bare(context.Background(), i) }) })
	})
	b.Run("step-success-off", func(b *testing.B) {
		benchStep(b, Config{}, StepConfig[int, int]{Run: bare, Attempts: 3}, ints)
	})
	b.Run("step-success-on", func(b *testing.B) {
		benchStep(b, classifying, StepConfig[int, int]{Run: bare, Attempts: 3}, ints)
	})
	b.Run("failsafe-outage", func(b *testing.B) {
		e := failsafe.With[int](retrypolicy.NewBuilder[int]().WithMaxAttempts(3).Build())
		serialAndParallel(b, func(i int) { _, _ = e.Get(func() (int, error) { return failing(context.Background(), i) }) })
	})
	for name, cfg := range map[string]Config{"step-outage-off": {}, "step-outage-on": classifying} {
		b.Run(name, func(b *testing.B) {
			s := bind(b, start(b, cfg), StepConfig[int, int]{Attempts: 3, Run: failing})
			serialAndParallel(b, func(i int) { _, _ = s.Run(context.Background(), i) })
		})
	}
	b.Run("step-permanent-on", func(b *testing.B) {
		s := bind(b, start(b, classifying), StepConfig[int, int]{Attempts: 3, Run: func(context.Context, int) (int, error) { return 0, context.Canceled }})
		serialAndParallel(b, func(i int) { _, _ = s.Run(context.Background(), i) })
	})
}

// serialAndParallel runs f by itself and from all processors at once.
func serialAndParallel(b *testing.B, f func(i int)) {
	b.Helper()
	b.Run("serial", func(b *testing.B) {
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			f(i & 255)
		}
	})
	b.Run("parallel", func(b *testing.B) {
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) {
			for i := 0; pb.Next(); i++ {
				f(i & 255)
			}
		})
	})
}
