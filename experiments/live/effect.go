package live

import (
	"math"

	"autotune/controller"
	"autotune/internal/stats"
)

// Effect of a switch on a metric.
type Effect struct {
	Metric controller.Metric
	// Change is the relative change with the switch against without: -0.31 is 31 %
	// less. Low and High bound it with 95 % confidence, exactly for this number of
	// Pairs (stats.SignedRank).
	Change, Low, High float64
	Pairs             int
	// Sure: the interval with 99.5 % confidence is on one side of no effect too.
	Sure bool
	// P is the exact two-sided p-value of no effect (stats.SignedRankP).
	P float64
}

// Better and Worse say that the interval is on that side of no effect. Less is
// better of everything that is measured.
func (e Effect) Better() bool { return e.High < 0 }

// Worse is the reverse of Better.
func (e Effect) Worse() bool { return e.Low > 0 }

// Counts reports whether it counts for or against a switch: sure, and large enough.
func (e Effect) Counts() bool { return e.Sure && math.Abs(e.Change) >= worthHaving }

// verdict in the words of controller.Compared.
func (e Effect) verdict() string {
	switch {
	case e.Better():
		return "better"
	case e.Worse():
		return "worse"
	}
	return "unclear"
}

// The levels of intervals: 16 of 325 at level miss the truth, one or two at sureLevel.
const (
	level     = 0.05
	sureLevel = 0.005
)

// Effects are those on what was measured, in the order of Goals.
func (r *Result) Effects() []Effect {
	var out []Effect
	for _, g := range Goals() {
		if e, ok := r.effect(g.Metric); ok {
			out = append(out, e)
		}
	}
	return out
}

// effect on a metric, and whether it was measured.
func (r *Result) effect(m controller.Metric) (Effect, bool) {
	d := r.Differences[m]
	if len(d) == 0 {
		return Effect{}, false
	}
	middle, low, high := stats.SignedRank(d, level)
	_, least, most := stats.SignedRank(d, sureLevel)
	return Effect{
		Metric: m, Change: math.Expm1(middle), Low: math.Expm1(low), High: math.Expm1(high), Pairs: len(d),
		Sure: least > 0 || most < 0, P: stats.SignedRankP(d),
	}, true
}
