package policies

import (
	"fmt"
	"math"

	"autotune/controller"
	"autotune/policies/internal/gaussian"
)

// Search goes to the setting of a pool from which a model of all that it has
// learned expects most. It is Bayesian optimization (Močkus 1975; Jones, Schonlau &
// Welch 1998, EGO): a few settings far from each other first, and then, again and
// again, a Gaussian process over the logarithms of what was measured, and the
// setting with the greatest expected improvement. It learns the size of an effect,
// whatever the verdict.
//
// It is for tables, where a measurement is cheap: it goes to any setting in one
// step, by an optimization that has all knobs, and it never tries one twice. It
// ends when the pool does; what is worth another trial is for its user to say.
//
// Limits: what matters to one choice only may be taken for not mattering (on a
// published table, 7z, one search in four stays with the second-best algorithm, whose
// threads make no difference). It takes effects at their face value, so noise much above the
// differences leads it astray, and an environment that changes under way is noise
// to it. A proposal takes time with the square of what was tried, times the
// settings that it looks at, 4096 at most. Not safe for concurrent use, as no
// policy is.
type Search struct {
	pool     Pool
	evidence evidence

	// Functions of the above and the view, kept from one proposal to the next.
	sample  *sample
	kernel  gaussian.Kernel
	learned int // from so many of the evidence
}

var _ controller.Policy = (*Search)(nil)

// NewSearch returns the policy for a pool.
func NewSearch(pool Pool) *Search { return &Search{pool: pool} }

// String is the policy's name for the journal.
func (s *Search) String() string { return "search" }

// Learn takes in how large the effect was.
func (s *Search) Learn(t controller.Trial) {
	if !s.evidence.add(&t) {
		s.learned = 0
	}
}

const (
	// apart is how many settings are measured before the first model.
	apart = 10
	// mostLooked is how many settings of a pool the model is asked about.
	mostLooked = 4096
)

// Propose returns the setting that the model expects most of.
func (s *Search) Propose(v controller.View) (controller.Proposal, bool) {
	if s.pool.Len == 0 {
		return controller.Proposal{}, false
	}
	if s.sample == nil || s.sample.seed != v.Seed {
		s.sample, s.learned = newSample(s.pool, v.Space, v.Seed, mostLooked), 0
	}
	known, values := s.evidence.points(s.sample)
	var score []float64
	why := "far from all that was tried"
	if len(values) < apart {
		score = s.sample.distances(s.evidence.settings(v.Safe))
	} else {
		score, why = s.improvements(known, values)
	}
	for _, t := range s.evidence.seen {
		s.sample.exclude(score, t.setting)
	}
	for {
		at := highest(score)
		if at < 0 {
			return controller.Proposal{}, false
		}
		if p, ok := jump(v, s.sample.settings[at], why); ok {
			return p, true
		}
		score[at] = math.Inf(-1)
	}
}

// improvements expected from every setting of the sample, by a model of values of
// which less is better.
func (s *Search) improvements(known gaussian.Points, values []float64) (score []float64, why string) {
	// Lengths change slowly, and take most of the time: learn them again when there
	// is a tenth more to learn from.
	n := apart
	for grown(n) <= len(values) {
		n = grown(n)
	}
	if n != s.learned {
		s.kernel, s.learned = gaussian.Learn(known.First(n), values[:n]), n
	}
	mean, sd := s.kernel.On(known, values).Predict(s.sample.points)
	least := math.Inf(1)
	for _, v := range values {
		least = min(least, v)
	}
	for i := range mean {
		mean[i] = improvement(least-mean[i], sd[i])
	}
	return mean, fmt.Sprintf("greatest expected improvement, of %d known", len(values))
}

func grown(n int) int { return n + 1 + n/10 }

// improvement expected of a normal distribution of so much less than the least.
func improvement(less, sd float64) float64 {
	if sd <= 0 {
		return max(less, 0)
	}
	z := less / sd
	return less*math.Erfc(-z/math.Sqrt2)/2 + sd*math.Exp(-z*z/2)/math.Sqrt(2*math.Pi)
}

// highest is the place of the first of the greatest numbers, or -1 if all are -Inf.
func highest(score []float64) int {
	at := -1
	for i, x := range score {
		if !math.IsInf(x, -1) && (at < 0 || x > score[at]) {
			at = i
		}
	}
	return at
}
