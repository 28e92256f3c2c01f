package stats

import "math"

// elondDecay is the power by which the share of a test falls with its number,
// and elondSum makes the shares add up to 1: it is ζ(1.3), rounded up.
const (
	elondDecay = 1.3
	elondSum   = 3.93195
)

// ELOND returns the level of the t-th of a stream of tests (t from 1) of which
// `rejected` were rejected before, by e-LOND (Xu & Ramdas 2023, "Online multiple
// testing with e-values"):
//
//	α_t = δ γ_t (rejected + 1),   γ_t = t^-1.3 / ζ(1.3)
//
// Rejecting test t when its e-value is at least 1/α_t keeps the expected share
// of false rejections among all at most δ, at every time at once, whatever the
// tests have to do with each other: the share of false ones among R rejections
// is at most Σ δ γ_t E_t over the tests without an effect, and each E_t has a
// mean of at most 1. A level is never above δ, for no more than t-1 can have been
// rejected and t γ_t < 1.
//
// A level's logarithm is what a decision costs in pairs, so what matters is that
// γ falls slowly and still sums: t^-1.3 gives the 60th test 50 times less than
// the first, t^-2 would give it 3,600 times less.
func ELOND(delta float64, t, rejected int) float64 {
	t = max(t, 1)
	rejected = min(max(rejected, 0), t-1)
	return delta * math.Pow(float64(t), -elondDecay) / elondSum * float64(rejected+1)
}
