package experiments

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"

	"autotune/internal/stats"
)

// Kayenta is the default judge of Spinnaker's canary analysis, NetflixACAJudge,
// for one metric that must not increase: 50 values of either setting, the
// Hodges-Lehmann shift and its 98 % interval from the Mann-Whitney test; High,
// which fails, if the lower end is above a quarter of the shift; everything else
// passes (effect size not gated, outliers kept, as by default). What is shown
// worse fails and all else is promoted, so that noise promotes regressions;
// values are not paired, so that drift is noise. Known to fail: it passes a larger
// variance and rare spikes of errors (spinnaker/kayenta#780, #426; seven of ten
// values a hundred times as high still pass, spinnaker#6278), and does not say why
// (#521).
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
