package executor

import (
	"context"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"
)

// What the signals cost: the same executions without and with them, for each
// kind of input, in one run. What is not declared is looked at by none.
func BenchmarkSignals(b *testing.B) {
	ints, texts := inputs()
	var mixedInputs []mixedInput
	for _, text := range texts {
		mixedInputs = append(mixedInputs, mixedInput{A: 1, B: text})
	}
	for _, c := range []struct {
		name    string
		options []Option
	}{{"without", []Option{WithoutSignals()}}, {"with", nil}} {
		b.Run(c.name, func(b *testing.B) {
			b.Run("undeclared", func(b *testing.B) { benchSignals(b, c.options, StepConfig[int, int]{Run: bare}, ints) })
			b.Run("int", func(b *testing.B) {
				benchSignals(b, c.options, StepConfig[int, int]{Run: bare, Results: Pure()}, ints)
			})
			b.Run("string", func(b *testing.B) {
				benchSignals(b, c.options, StepConfig[string, int]{Run: bareString, Results: Pure()}, texts)
			})
			b.Run("struct", func(b *testing.B) {
				benchSignals(b, c.options, StepConfig[mixedInput, int]{Run: ok[mixedInput], Results: Pure()}, mixedInputs)
			})
			b.Run("key", func(b *testing.B) {
				benchSignals(b, c.options, StepConfig[int, int]{Run: bare, Results: Pure(), Key: strconv.Itoa}, ints)
			})
			b.Run("failure", func(b *testing.B) {
				benchSignals(b, c.options, StepConfig[int, int]{Run: alwaysFails}, ints)
			})
		})
	}
	b.Run("snapshot", func(b *testing.B) {
		ex := start(b, Config{})
		bind(b, ex, StepConfig[int, int]{Run: bare, Results: Pure()})
		b.ReportAllocs()
		for b.Loop() {
			ex.Signals()
		}
	})
	b.Run("ghost", func(b *testing.B) { // one sampled execution, of more inputs than are tracked
		g := newGhost(func() uint64 { return 0 })
		random, now := rand.New(rand.NewPCG(1, 2)), int64(time.Second)
		hashes := make([]uint64, 1<<16)
		for i := range hashes {
			hashes[i] = random.Uint64() >> 3 // below the limit
		}
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			now += int64(time.Millisecond)
			g.see(hashes[i&(1<<16-1)]&(g.limit.Load()-1), 1, 0, now)
		}
	})
	b.Run("runtime", func(b *testing.B) {
		ex := start(b, Config{})
		var s Signals
		b.ReportAllocs()
		for b.Loop() {
			ex.signals.readRuntime(&s)
		}
	})
}

func benchSignals[In any](b *testing.B, options []Option, cfg StepConfig[In, int], ins []In) {
	b.Helper()
	ex, err := New(Config{}, options...)
	if err != nil {
		b.Fatal(err)
	}
	defer ex.Close()
	s := bind(b, ex, cfg)
	ctx := context.Background()
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		v, _ := s.Run(ctx, ins[i&(len(ins)-1)])
		sink = v
	}
}
