package experiments

import (
	"math"

	"gonum.org/v1/gonum/stat"
)

// t-tests of pairs: the right layout with the wrong level, and the right level
// with the wrong layout.

// Peeked is a t-test of the differences of randomized pairs, looked at after
// each pair from the fifth on, at 5 %, for at most 60 pairs. The layout is right;
// the level is that of one look, and there are many (Armitage, McPherson & Rowe 1969).
func Peeked() Rule {
	return Rule{Name: "t-test peeked", Layout: Coin, Blocks: 60, Peeks: true, Decide: func(old, fresh []float64) Decision {
		if len(old) < 5 {
			return Undecided
		}
		return twoSided(paired(old, fresh))
	}}
}

// FixedAlternation is a t-test at 5 % of twenty pairs whose blocks alternate in
// a fixed order. It is right as long as nothing in the load has the schedule's
// period; what has, is taken for the change.
func FixedAlternation() Rule {
	return Rule{Name: "fixed ABAB", Layout: Alternating, Blocks: 20, Decide: func(old, fresh []float64) Decision {
		return twoSided(paired(old, fresh))
	}}
}

// paired is the t statistic of log ratios and its degrees of freedom.
func paired(old, fresh []float64) (t, nu float64) {
	d := logs(fresh)
	for i, x := range old {
		d[i] -= math.Log(x)
	}
	mean, sd := stat.MeanStdDev(d, nil)
	return mean / (sd / math.Sqrt(float64(len(d)))), float64(len(d) - 1)
}
