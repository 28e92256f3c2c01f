package experiments

import (
	"math"

	"gonum.org/v1/gonum/stat"
)

// Judges that compare what was before a change with what is after it.

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

// welch is the statistic of new against old and its degrees of freedom.
func welch(old, fresh []float64) (t, nu float64) {
	mo, so := stat.MeanStdDev(old, nil)
	mf, sf := stat.MeanStdDev(fresh, nil)
	vo, vf := so*so/float64(len(old)), sf*sf/float64(len(fresh))
	nu = (vo + vf) * (vo + vf) / (vo*vo/float64(len(old)-1) + vf*vf/float64(len(fresh)-1))
	return (mf - mo) / math.Sqrt(vo+vf), nu
}
