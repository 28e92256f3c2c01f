package experiments

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"autotune/catalog"
	"autotune/controller"
)

// What is held counts from when it was enough for good, and no more of it is looked
// at than must be.
func TestSince(t *testing.T) {
	at := func(n float64) controller.Setting { return controller.SettingOf(map[string]float64{"n": n}) }
	for _, c := range []struct {
		name    string
		held    []float64
		at      time.Duration
		reached bool
		looked  int
	}{
		{"never", []float64{0, 1, 2}, 0, false, 1},
		{"from the start", []float64{9, 8}, 0, true, 2},
		{"once", []float64{0, 9, 8}, time.Second, true, 3},
		{"given back", []float64{0, 9, 1}, 0, false, 1},
		{"given back, and found again", []float64{0, 9, 1, 9, 9}, 3 * time.Second, true, 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			var held []move
			for i, n := range c.held {
				held = append(held, move{time.Duration(i) * time.Second, at(n)})
			}
			looked := 0
			from, reached, err := since(held, func(s controller.Setting) (bool, error) {
				looked++
				n, _ := s.Get("n")
				return n > 5, nil
			})
			require.NoError(t, err)
			require.Equal(t, c.reached, reached)
			require.Equal(t, c.at, from)
			require.Equal(t, c.looked, looked)
		})
	}
}

// A rival is asked to judge what the Controller is: the same change, for the same
// reason, at the same time, in blocks as long. What acts too rarely it does not try.
func TestSighted_triesWhatTheControllerDoes(t *testing.T) {
	for _, w := range workloads() {
		if w.still || w.Name == catalog.CPUIntensive || w.Name == catalog.LowLatency {
			continue // nothing is proposed at once, or nothing at all
		}
		t.Run(w.Name, func(t *testing.T) {
			g := ground{name: w.Name, horizon: orderLong}
			plantGround(&g, w.Scenario, w.Offered, "")
			first := func(c contender) *controller.Trial {
				m, p, err := g.scene(5)
				require.NoError(t, err)
				core, err := c.core(p)
				require.NoError(t, err)
				trial, err := tryOnce(t.Context(), m.target, core)
				require.NoError(t, err)
				return trial
			}
			ours := first(proposing(autotune(), guide("")))
			theirs := first(proposing(bySight(Threshold()), guide("")))
			require.Equal(t, ours.Move, theirs.Move)
			require.Equal(t, ours.Change, theirs.Change)
			require.Equal(t, ours.Why, theirs.Why)
			require.Equal(t, ours.Basis, theirs.Basis)
			require.WithinDuration(t, ours.Started, theirs.Started, time.Second)
			length := func(v *controller.Trial) float64 { return v.Ended.Sub(v.Started).Seconds() / float64(v.Pairs) }
			require.InEpsilon(t, length(ours), length(theirs), 0.1)
		})
	}
}
