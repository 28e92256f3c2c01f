package experiments

import (
	"testing"
	"time"
)

// One trial of nothing, whole: what an experiment's time is made of.
func BenchmarkTrial(b *testing.B) {
	for name, w := range map[string]world{
		"block":    {Drift: "OU", Tail: "lognormal", Rate: 50, Block: 5 * time.Second, Goals: 1},
		"3_goals":  {Drift: "OU", Tail: "lognormal", Rate: 50, Block: 5 * time.Second, Goals: 3},
		"requests": {Drift: "OU", Tail: "lognormal", Rate: 50, Requests: true, Goals: 3},
	} {
		b.Run(name, func(b *testing.B) {
			play, i := trialIn(w, autotune()), 0
			for b.Loop() {
				if err := play(b.Context(), seedOf(1, "bench", name, i), &Tally{}); err != nil {
					b.Fatal(err)
				}
				i++
			}
		})
	}
}
