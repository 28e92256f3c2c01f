package history

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"autotune/controller"
)

// However long it goes on, a track takes the same memory and loses no request;
// a guard's worst value stays its worst.
func TestTrack_isBoundedAndLosesNothing(t *testing.T) {
	guard := controller.Guard{Metric: controller.OldestInFlight, Limit: 2}
	rapid.Check(t, func(t *rapid.T) {
		tr := track{width: time.Second}
		want, worst := [2]float64{}, 0.0
		now := time.Duration(0)
		for i := range rapid.IntRange(1, 3000).Draw(t, "ticks") {
			over := time.Duration(rapid.IntRange(1, int(20*time.Second)).Draw(t, "over"))
			n, age := float64(i%7), rapid.Float64Range(0.1, 9).Draw(t, "age")
			candidate := i%3 == 0
			now += over
			s := controller.Sample{
				Over: over, Totals: map[controller.Metric]float64{controller.Requests: n},
				Gauges: map[controller.Metric]float64{controller.OldestInFlight: age},
			}
			tr.add(now, &s, candidate, []controller.Guard{guard}, false)
			arm := 0
			if candidate {
				arm = 1
			}
			want[arm] += n
			worst = max(worst, age)
		}
		require.LessOrEqual(t, len(tr.bins), mostBins)
		got, high := [2]float64{}, 0.0
		for _, b := range tr.bins {
			for arm, s := range b.arms {
				if s != nil {
					got[arm] += s.Totals[controller.Requests]
				}
			}
			high = max(high, b.guards[guard])
		}
		require.Equal(t, want, got)
		require.InDelta(t, worst, high, 1e-12)
	})
}

// Shaded stretches are bounded too, in order, and cover all that was added.
func TestSpans_areBoundedAndCoverAll(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var s spans
		now := time.Duration(0)
		var added []stretch
		for range rapid.IntRange(1, 4000).Draw(t, "blocks") {
			from := now + time.Duration(rapid.IntRange(0, 30).Draw(t, "gap"))*time.Second
			now = from + 5*time.Second
			s.add(from, now)
			added = append(added, stretch{from, now})
		}
		require.LessOrEqual(t, len(s.all), mostSpans)
		i := 0
		for _, a := range added {
			for s.all[i].to < a.to {
				i++
			}
			require.LessOrEqual(t, s.all[i].from, a.from)
		}
		for i := 1; i < len(s.all); i++ {
			require.Greater(t, s.all[i].from, s.all[i-1].to)
		}
	})
}
