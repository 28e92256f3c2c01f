package stats

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/floats"
)

// madToSD turns a median absolute value of normal differences into their
// standard deviation.
const madToSD = 1.4826

// minScale keeps a scale from being zero on data without any noise.
const minScale = 1e-6

// Median returns the median, and NaN for no values. It leaves v as it is.
func Median(v []float64) float64 {
	return sortedMedian(slices.Sorted(slices.Values(v)))
}

func sortedMedian(s []float64) float64 {
	n := len(s)
	switch {
	case n == 0:
		return math.NaN()
	case n%2 == 1:
		return s[n/2]
	default:
		return s[n/2-1]/2 + s[n/2]/2
	}
}

// Scale returns a robust scale of differences around zero: 1.4826 times the
// median absolute value, at least 1e-6. For normal differences it estimates
// their standard deviation; heavy tails hardly move it.
func Scale(d []float64) float64 {
	abs := make([]float64, len(d))
	for i, x := range d {
		abs[i] = math.Abs(x)
	}
	slices.Sort(abs)
	return scaleOfSorted(abs)
}

func scaleOfSorted(abs []float64) float64 {
	if len(abs) == 0 {
		return minScale
	}
	return max(madToSD*sortedMedian(abs), minScale)
}

// Slope fits y = b·x, through the origin, by least squares: b, and the share of
// the sum of squares of y that it explains. It is not ok for fewer than ten
// points, points that are not finite, or without any spread.
func Slope(x, y []float64) (b, share float64, ok bool) {
	if len(x) != len(y) || len(x) < 10 {
		return 0, 0, false
	}
	xx, xy, yy := floats.Dot(x, x), floats.Dot(x, y), floats.Dot(y, y)
	b, share = xy/xx, xy*xy/(xx*yy)
	if math.IsNaN(b+share) || math.IsInf(b+share, 0) {
		return 0, 0, false
	}
	return b, share, true
}
