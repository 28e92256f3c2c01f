package policies

// prospect is what a trial of something may come to: a normal belief about its
// effect, log units, below zero is better.
type prospect struct{ mean, sd float64 }

// beyond is the expected amount by which the effect lies below a limit: expected
// improvement (Jones, Schonlau and Welch, 1998).
func (p prospect) beyond(limit float64) float64 { return improvement(limit-p.mean, p.sd) }

// lasts is how many blocks a gain is expected to last, as many as the longest
// stretch between two audits; judging is for how many a candidate is in force until
// it is judged.
const (
	lasts   = 512
	judging = 10
)

// value is what trying it is worth, in log units times blocks: the gain beyond
// what is worth having while it lasts, less the harm while it is judged.
func (p prospect) value(least float64) float64 {
	harm := prospect{-p.mean, p.sd}.beyond(0)
	return lasts*p.beyond(-least) - judging*harm
}
