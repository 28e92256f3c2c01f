package controller_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	. "autotune/controller" //nolint:revive // the tests of a vocabulary read better with it
)

// Power through the whole controller, against the table of EXPERIMENT.md §3:
// median pairs to decide, and the share decided within 120. A gain is decided
// when it is kept. A loss is decided when it is withdrawn before its pairs are
// used up: as worse, or, since all rules are in play here and the table knew
// only that one, as not worth having or as hopeless, which a small loss often
// is first. The share called worse is printed as well, and must be nearly all
// where the loss is twice the noise.
//
// The rules that give up cost a few points where the effect is far below the
// noise. Medians are over the trials decided, the table's over all; where less
// than nine in ten are decided the two cannot be compared, and only the share is.
func TestController_powerIsThatOfTheTable(t *testing.T) {
	n := 120
	if testing.Short() || raceEnabled {
		n = 24
	}
	effects := []float64{-0.05, -0.10, -0.20, -0.50, 0.10, 0.30, 1.00}
	table := []struct {
		noise float64
		pairs []int
		share []float64
	}{
		{0.05, []int{12, 7, 7, 7, 7, 7, 7}, []float64{1, 1, 1, 1, 1, 1, 1}},
		{0.15, []int{78, 21, 8, 7, 26, 8, 7}, []float64{0.77, 1, 1, 1, 1, 1, 1}},
		{0.40, []int{505, 123, 31, 8, 142, 24, 8}, []float64{0.11, 0.49, 1, 1, 0.40, 1, 1}},
	}
	head := "pair noise"
	for _, e := range effects {
		head += fmt.Sprintf(" | %+15.0f%%", 100*e)
	}
	t.Log(head)
	for _, row := range table {
		var line strings.Builder
		fmt.Fprintf(&line, "%10.2f", row.noise)
		for i, e := range effects {
			got := trials(t, n, fast, []noise{pairSD(row.noise)}, []float64{math.Log1p(e)})
			right := kept
			if e > 0 {
				right = func(t Trial) bool { return !kept(t) && t.Reason != Timeout }
			}
			var decided []int
			for _, g := range got {
				if right(g) {
					decided = append(decided, g.Pairs)
				}
				if e > 0 {
					require.False(t, kept(g), "a regression of %v is kept", e)
				}
			}
			share, pairs := float64(len(decided))/float64(n), median(decided)
			fmt.Fprintf(&line, " | %4d (%3.0f%%/%3.0f%%)", pairs, 100*share, 100*row.share[i])
			if e > 0 {
				called := float64(count(got, worse)) / float64(n)
				fmt.Fprintf(&line, " worse %3.0f%%", 100*called)
				if e >= 2*row.noise {
					require.GreaterOrEqual(t, called, 0.9, "noise %v, effect %v: called worse", row.noise, e)
				}
			}
			cell := fmt.Sprintf("noise %v, effect %v", row.noise, e)
			// 12 points: giving up costs 4 or so, and 120 trials know a share to 8.
			require.GreaterOrEqual(t, share, row.share[i]-0.12, "%s: share decided", cell)
			if row.share[i] >= 0.9 {
				require.LessOrEqual(t, float64(pairs), 2+1.3*float64(row.pairs[i]), "%s: median pairs", cell)
			}
		}
		t.Log(line.String())
	}
}

func median(v []int) int {
	if len(v) == 0 {
		return 0
	}
	slices.Sort(v)
	return v[len(v)/2]
}
