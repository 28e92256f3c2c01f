package experiments

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"

	"autotune/internal/stats"
)

// nominal is the error rate at which rivals with a test decide, both sides together.
const nominal = 0.05

// Window compares one window before a change with one after it, as MongoDB's
// ThroughputProbing and many a hill climber do: better is kept, worse is not. It
// knows nothing of noise: of two windows without a change one is always better.
func Window() Rule {
	return Rule{Name: "window before/after", Layout: BeforeAfter, Blocks: 1, Decide: func(old, fresh []float64) Decision {
		if fresh[0] < old[0] {
			return Promote
		}
		return RollBack
	}}
}

// Welch is Welch's t-test of ten blocks before a change with ten after it, at
// 5 % (Welch 1947). It takes blocks for independent; those of a service are not,
// and whatever drifted between the halves looks like the change.
func Welch() Rule {
	return Rule{Name: "Welch 10 v 10", Layout: BeforeAfter, Blocks: 10, Decide: func(old, fresh []float64) Decision {
		t, nu := welch(logs(old), logs(fresh))
		return twoSided(t, nu)
	}}
}

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

// Kayenta is the default judge of Spinnaker's canary analysis, NetflixACAJudge,
// for one metric that must not increase: 50 values of either setting, the
// Hodges-Lehmann shift and its 98 % interval from the Mann-Whitney test; High,
// which fails, if the lower end is above a quarter of the shift; everything else
// passes (effect size not gated, outliers kept, as by default). What is shown
// worse fails and all else is promoted, so that noise promotes regressions;
// values are not paired, so that drift is noise.
func Kayenta() Rule {
	const tolerance, confidence = 0.25, 0.98
	return Rule{Name: "Kayenta 50 v 50", Layout: Coin, Blocks: 50, Decide: func(old, fresh []float64) Decision {
		shift, low := hodgesLehmann(old, fresh, confidence)
		if low > tolerance*math.Abs(shift) {
			return RollBack
		}
		return Promote
	}}
}

// Threshold is the progressive delivery of Flagger and Argo Rollouts: five
// checks, one at each step of weight, by default; the first that finds the new
// setting above 1.2 times the old one rolls back, and none promotes. A check is
// one noisy ratio: it fails changes that do nothing, and promotes regressions
// below the limit.
func Threshold() Rule {
	const limit, checks = 1.2, 5
	return Rule{Name: "threshold 1.2x", Layout: Coin, Blocks: checks, Peeks: true, Decide: func(old, fresh []float64) Decision {
		last := len(old) - 1
		switch {
		case fresh[last] > limit*old[last]:
			return RollBack
		case len(old) == checks:
			return Promote
		}
		return Undecided
	}}
}

// Rules are all rivals.
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

// welch is the statistic of new against old and its degrees of freedom.
func welch(old, fresh []float64) (t, nu float64) {
	mo, so := stat.MeanStdDev(old, nil)
	mf, sf := stat.MeanStdDev(fresh, nil)
	vo, vf := so*so/float64(len(old)), sf*sf/float64(len(fresh))
	nu = (vo + vf) * (vo + vf) / (vo*vo/float64(len(old)-1) + vf*vf/float64(len(fresh)-1))
	return (mf - mo) / math.Sqrt(vo+vf), nu
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

// hodgesLehmann is the median of all differences of a new value and an old one,
// and the lower end of the interval that inverts the Mann-Whitney test, by its
// normal approximation (Hollander & Wolfe, Nonparametric Statistical Methods, §4.3).
func hodgesLehmann(old, fresh []float64, level float64) (shift, low float64) {
	d := make([]float64, 0, len(old)*len(fresh))
	for _, f := range fresh {
		for _, o := range old {
			d = append(d, f-o)
		}
	}
	slices.Sort(d)
	m, n := float64(len(old)), float64(len(fresh))
	c := m*n/2 - distuv.UnitNormal.Quantile((1+level)/2)*math.Sqrt(m*n*(m+n+1)/12)
	return stats.Median(d), d[max(int(c)-1, 0)]
}
