package executor

import (
	"math/rand/v2"
	"strconv"
	"testing"
	"time"
)

// What the signals cost: the same executions without and with them, for each
// kind of input. What is not declared is looked at by none.
func BenchmarkSignals(b *testing.B) {
	ints, texts := inputs()
	var pairs []mixedInput
	for _, text := range texts {
		pairs = append(pairs, mixedInput{A: 1, B: text})
	}
	withAndWithout(b, "undeclared", StepConfig[int, int]{Run: bare}, ints)
	withAndWithout(b, "int", StepConfig[int, int]{Run: bare, Results: Pure()}, ints)
	withAndWithout(b, "string", StepConfig[string, int]{Run: bareString, Results: Pure()}, texts)
	withAndWithout(b, "struct", StepConfig[mixedInput, int]{Run: ok[mixedInput], Results: Pure()}, pairs)
	withAndWithout(b, "key", StepConfig[int, int]{Run: bare, Results: Pure(), Key: strconv.Itoa}, ints)
	withAndWithout(b, "failure", StepConfig[int, int]{Run: alwaysFails}, ints)
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

func withAndWithout[In any](b *testing.B, name string, step StepConfig[In, int], ins []In) {
	b.Helper()
	beside(b, name, running(b, Config{}, step, ins, WithoutSignals()), running(b, Config{}, step, ins))
}
