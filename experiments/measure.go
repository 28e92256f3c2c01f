package experiments

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"

	"autotune/internal/stats"
	"autotune/report"
)

// Measure says how a name of a tally is turned into a figure.
type Measure struct {
	// Name in the tally, and at the head of a column.
	Name string
	// Of is how trials are summed up.
	Of MeasureKind
	// Format prints the value; "%.1f %%" of a rate prints a hundred times it.
	Format string
	// Better says which way is better, for a comparison; "" where neither is.
	Better report.Direction
}

// MeasureKind is how trials are summed up.
type MeasureKind int

// Rate is the share of trials, with the Clopper-Pearson interval at 99 %. Median
// has the interval of its order statistics at 95 %. Mean has a bootstrap
// interval at 95 %.
const (
	Rate MeasureKind = iota + 1
	Median
	Mean
)

// level of the interval.
func (k MeasureKind) level() float64 {
	if k == Rate {
		return 0.99
	}
	return 0.95
}

// Estimate is a figure with what it rests on.
type Estimate struct {
	N                int
	Value, Low, High float64
	Level            float64
}

// Take returns the figure, and whether the tally has any.
func (m Measure) Take(t *Tally) (Estimate, bool) {
	e := Estimate{Level: m.Of.level()}
	if m.Of == Rate {
		k, ok := t.Counts[m.Name]
		if !ok || t.N == 0 {
			return e, false
		}
		e.N, e.Value = t.N, float64(k)/float64(t.N)
		e.Low, e.High = stats.Binomial(k, t.N, e.Level)
		return e, true
	}
	v := slices.Sorted(slices.Values(t.Values[m.Name]))
	e.N = len(v)
	switch {
	case e.N == 0:
		return e, false
	case m.Of == Median:
		e.Value = quantileOf(v, 0.5)
		e.Low, e.High = medianInterval(v, e.Level)
	default:
		e.Value = stat.Mean(v, nil)
		e.Low, e.High = bootstrapMean(v, e.Level)
	}
	return e, true
}

// Text is a figure as tables show it: the value, and its interval.
func (m Measure) Text(e Estimate) string {
	scale := 1.0
	if m.Of == Rate {
		scale = 100
	}
	f := func(v float64) string { return fmt.Sprintf(m.format(), scale*v) }
	return fmt.Sprintf("%s (%s..%s)", f(e.Value), f(e.Low), f(e.High))
}

func (m Measure) format() string {
	switch {
	case m.Format != "":
		return m.Format
	case m.Of == Rate:
		return "%.2f"
	}
	return "%.3g"
}

// medianInterval is between two order statistics of sorted values, whatever
// their distribution. With too few values for the level it is all of them.
func medianInterval(v []float64, level float64) (low, high float64) {
	n := len(v)
	b := distuv.Binomial{N: float64(n), P: 0.5}
	r := 0 // the greatest with P(fewer than r+1 are below the median) small enough
	for r+1 < n-r-1 && b.CDF(float64(r)) <= (1-level)/2 {
		r++
	}
	r = max(r-1, 0)
	return v[r], v[n-1-r]
}

// bootstrapMean is the percentile interval of a mean over resamples, with a seed
// of its own so that a report repeats.
func bootstrapMean(v []float64, level float64) (low, high float64) {
	const resamples = 999
	rng := rand.New(rand.NewPCG(uint64(len(v)), 1))
	means := make([]float64, resamples)
	for i := range means {
		sum := 0.0
		for range v {
			sum += v[rng.IntN(len(v))]
		}
		means[i] = sum / float64(len(v))
	}
	slices.Sort(means)
	return quantileOf(means, (1-level)/2), quantileOf(means, (1+level)/2)
}

// quantileOf sorted values, the mean of two where it is between them.
func quantileOf(v []float64, q float64) float64 {
	at := q * float64(len(v)-1)
	i := int(at)
	if i+1 >= len(v) {
		return v[i]
	}
	return v[i] + (at-float64(i))*(v[i+1]-v[i])
}
