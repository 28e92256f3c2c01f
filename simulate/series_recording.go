package simulate

import (
	"fmt"
	"math"
	"slices"

	"autotune/internal/stats"
)

// Recording is a series of measurements in the order in which they were taken.
type Recording struct {
	// Name tells the series of one file apart: "vm=3", or "" if there is one.
	Name string
	// Values are positive and finite: effects are ratios, so logs are taken.
	Values []float64
}

// Usable returns the recordings that are fit for trials in blocks of that many
// values, and says of each of the others why it is not.
func Usable(series []Recording, block int) (fit []Recording, unfit []string) {
	for _, s := range series {
		why := s.unfit(block)
		switch {
		case why == "":
			fit = append(fit, s)
		case s.Name == "":
			unfit = append(unfit, why)
		default:
			unfit = append(unfit, s.Name+": "+why)
		}
	}
	return fit, unfit
}

// unfit says why no trial can be run on the recording, or "".
func (s Recording) unfit(block int) string {
	for i, v := range s.Values {
		if !(v > 0) || math.IsInf(v, 0) {
			return fmt.Sprintf("value %d is %v: must be finite and above 0, effects are ratios", i+1, v)
		}
	}
	if n := len(s.Values); n < LeastValues(block) {
		return fmt.Sprintf("%d values: a trial in blocks of %d needs %d, for %d baseline blocks and %d pairs",
			n, block, LeastValues(block), baselineBlocks, leastPairs)
	}
	if slices.Min(s.Values) == slices.Max(s.Values) {
		return fmt.Sprintf("all %d values are %v: must differ, or there is no noise to judge by", len(s.Values), s.Values[0])
	}
	return ""
}

// Noise is the pair noise of the recording in blocks of that many values, in log
// units: the robust scale of the differences between neighboring blocks.
func (s Recording) Noise(block int) float64 {
	var diffs []float64
	last := math.NaN()
	for values := range slices.Chunk(s.Values, block) {
		if len(values) < block {
			break
		}
		sum := 0.0
		for _, v := range values {
			sum += v
		}
		y := math.Log(sum / float64(block))
		if !math.IsNaN(last) {
			diffs = append(diffs, y-last)
		}
		last = y
	}
	return stats.Scale(diffs)
}
