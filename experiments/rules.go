package experiments

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// nominal is the error rate at which rivals with a test decide, both sides together.
const nominal = 0.05

// Rules are all judges, each in a file named after its origin.
func Rules() []Rule {
	return []Rule{Window(), Welch(), Kayenta(), Threshold(), Peeked(), FixedAlternation()}
}

func logs(v []float64) []float64 {
	out := make([]float64, len(v))
	for i, x := range v {
		out[i] = math.Log(x)
	}
	return out
}

// twoSided decides by a t statistic of new minus old.
func twoSided(t, nu float64) Decision {
	if math.IsNaN(t) || !(nu > 0) { // no difference at all, or no spread
		return Undecided
	}
	if math.Abs(t) < (distuv.StudentsT{Sigma: 1, Nu: nu}).Quantile(1-nominal/2) {
		return Undecided
	}
	if t < 0 {
		return Promote
	}
	return RollBack
}
