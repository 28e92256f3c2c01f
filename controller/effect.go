package controller

import (
	"math"

	"autotune/internal/stats"
)

const (
	below = stats.Below
	above = stats.Above
)

// effectOf says what the pairs show of a goal: in log units less is better;
// what people read is the relative change of the metric itself.
func effectOf(g Goal, p *stats.Pairs) Effect {
	low, high := p.Interval(confidence)
	mid := p.Median()
	if p.Len() == 0 {
		mid = 0
	}
	if g.Maximize {
		low, mid, high = -high, -mid, -low
	}
	return Effect{
		Metric: g.Metric, Maximize: g.Maximize, Change: math.Expm1(mid), Low: math.Expm1(low), High: math.Expm1(high),
		Better: p.E(0, below), Worse: p.E(0, above),
	}
}
