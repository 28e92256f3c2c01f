package policies

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"autotune/catalog"
	"autotune/controller"
	"autotune/internal/stats"
)

// The order of trials is what users feel. A trial of an optimization that can
// gain Δ, in log units, takes
//
//	n = max(8, 2 ln(1/α) (s/Δ)² 1.3) pairs
//
// on a goal whose pairs have noise s (stats.PlannedPairs), and pays with the
// likelihood p that the guide gives it for the workload. So candidates are tried in
// order of
//
//	p Δ / (n · length of a pair),
//
// the gain that may be expected of a minute of experiment. Δ = -ln(1 - share), where
// share is what the optimization acts on (catalog.Opportunities), which is measured
// before anything is tried.
//
// Which way it errs: shares are the most that could be gained, so that a candidate is
// rather tried too early than never. One whose signal is not measured is taken to act
// on a tenth; where none is measured, the order is the guide's. Nothing that a signal
// does not rule out is left untried, except for low latency, where the guide leaves
// everything off: there a strong signal has to speak for a change.

// notMeasured is the share that is taken for an optimization without a signal.
const notMeasured = 0.1

// hopeless is how many times the pairs that a trial may have it may seem to take: a
// share is of the mean, and of a high quantile it may be more.
const hopeless = 2

// survey is what a policy makes of a view: what kind of service it is, and what is
// offered, in order.
type survey struct {
	*controller.View
	measured   catalog.Measured
	kind       catalog.Recognized
	candidates []candidate
}

// candidate is an optimization with what is known of its worth here.
type candidate struct {
	controller.Optimization
	guided  bool // the catalog knows it
	known   bool // its share was measured
	share   float64
	figures string
	gain    float64 // log units, if it works
	likely  float64
	pairs   float64
	took    time.Duration // of all pairs
	score   float64       // expected gain, log units a minute
	skip    string        // why it is not tried; "": it may be
}

func (g *Guide) survey(v *controller.View) *survey {
	s := &survey{View: v, measured: func(controller.Metric) (float64, bool) { return 0, false }}
	if v.Baseline != nil {
		s.measured = v.Baseline.Value
	}
	s.kind = catalog.Recognize(s.measured, g.was, slices.ContainsFunc(catalog.Picks(g.was), v.Safe.On))
	if g.workload != "" {
		s.kind.Workload = g.workload
	}
	order := g.order
	anything := false
	for _, o := range v.Offered {
		c := candidate{Optimization: o}
		if g.order == nil {
			g.weigh(s, &c)
		}
		anything = anything || c.known
		s.candidates = append(s.candidates, c)
	}
	if order == nil {
		order = guidesOrder(s.kind.Workload)
	}
	inOrder(s.candidates, order)
	if anything {
		slices.SortStableFunc(s.candidates, func(a, b candidate) int {
			switch {
			case a.guided && b.guided:
				return cmp.Compare(b.score, a.score)
			case a.guided == b.guided:
				return 0
			case a.guided:
				return -1
			}
			return 1
		})
	}
	return s
}

func guidesOrder(workload string) map[string]int {
	order, err := catalog.Order(workload)
	if err != nil || len(order) == 0 {
		order, _ = catalog.Order("")
	}
	rank := map[string]int{}
	for i, name := range order {
		rank[name] = i
	}
	return rank
}

// weigh says what there is to gain, and at what cost.
func (g *Guide) weigh(s *survey, c *candidate) {
	opportunity, ok := catalog.OpportunityOf(c.Name)
	if !ok {
		return // the owner's own: as offered
	}
	c.guided, c.share = true, notMeasured
	if share, figures, ok := opportunity.Share(s.measured); ok {
		c.known, c.share, c.figures = true, share, figures
	}
	c.likely = catalog.Likelihood(s.kind.Workload, c.Name)
	const most = 0.95
	c.gain = -math.Log1p(-min(c.share, most))
	c.plan(&s.Planning)
	c.skip = c.nothingIn(s, opportunity.Least)
	c.score = c.likely * c.gain / math.Max(c.took.Minutes(), math.SmallestNonzeroFloat64)
}

// nothingIn says why it is not worth a trial, or "".
func (c *candidate) nothingIn(s *survey, least float64) string {
	needs, ok := catalog.Waits(c.Name)
	if ok && !slices.ContainsFunc(needs, s.Safe.On) {
		return fmt.Sprintf("there is nothing to gain while %s is off", needs[0])
	}
	quiet := s.kind.Workload == catalog.LowLatency
	switch {
	case c.known && c.share < least:
		return "nothing to act on: " + c.figures
	case quiet && !c.known:
		return "low latency begins with no change, and what this would act on is not measured"
	case quiet && c.share < catalog.Strong:
		return fmt.Sprintf("low latency begins with no change, unless much speaks for one: %s", c.figures)
	case c.known && s.Planning.MaxPairs > 0 && c.pairs > hopeless*float64(s.Planning.MaxPairs):
		return fmt.Sprintf("too little to be shown: %s: up to %.1f %% to gain, for which %.0f pairs of blocks are too few", c.figures, 100*c.share, float64(s.Planning.MaxPairs))
	}
	return ""
}

// plan is what a trial takes, on the goal with the least noise.
func (c *candidate) plan(p *controller.Planning) {
	c.pairs = math.Inf(1)
	for _, noise := range p.Noise {
		c.pairs = min(c.pairs, stats.PlannedPairs(p.Alpha/float64(len(p.Noise)), noise, c.gain))
	}
	if math.IsInf(c.pairs, 1) || math.IsNaN(c.pairs) {
		c.pairs = float64(p.MaxPairs)
	}
	pair, ok := p.Pair[c.Name]
	if !ok || pair <= 0 {
		pair = time.Second
	}
	n := max(c.pairs, 1)
	if p.MaxPairs > 0 {
		n = min(n, float64(p.MaxPairs))
	}
	c.took = time.Duration(n * float64(pair))
}

// prospect is what is known of it, for people.
func (c *candidate) prospect() controller.Prospect {
	return controller.Prospect{
		Optimization: c.Name, Signal: c.figures, Share: c.share, Likelihood: c.likely,
		Pairs: math.Ceil(c.pairs), Seconds: c.took.Seconds(), Skip: c.skip,
	}
}

// reason is why it is tried, in one sentence with figures.
func (c *candidate) reason() string {
	if !c.known {
		return c.Why
	}
	return fmt.Sprintf("%s: up to %.0f %% to gain, in about %.0f pairs of blocks, %v", c.figures, 100*c.share, math.Ceil(c.pairs), c.took.Round(time.Second))
}

// basis is nil where nothing was measured: then there is nothing to remember.
func (c *candidate) basis(s *survey) *controller.Basis {
	if !c.known {
		return nil
	}
	return &controller.Basis{Workload: s.kind.Workload, Share: math.Round(1e4*c.share) / 1e4}
}
