package experiments

// Threshold is the progressive delivery of Flagger and Argo Rollouts: five
// checks, one at each step of weight, by default; the first that finds the new
// setting above 1.2 times the old one rolls back, and none promotes. A check is
// one noisy ratio: it fails changes that do nothing, and promotes regressions
// below the limit. (Flagger: failed checks >= threshold, 1 by default, roll back;
// Argo: more than failureLimit, 0 by default, abort.)
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
