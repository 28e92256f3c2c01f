package stats

import (
	"cmp"
	"slices"
)

// Discoveries says which of a whole table's p-values stand when the share of
// false ones among those that do is to be at most q, on average: Benjamini and
// Hochberg's procedure (1995), which holds for independent tests and for those
// that err together in the same direction (Benjamini and Yekutieli 2001). It is
// for tables that are read as a whole, after the last test; a stream of decisions
// has ELOND.
func Discoveries(p []float64, q float64) []bool {
	order := make([]int, len(p))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(p[a], p[b]) })
	last := -1
	for rank, i := range order {
		if p[i] <= q*float64(rank+1)/float64(len(p)) {
			last = rank
		}
	}
	out := make([]bool, len(p))
	for _, i := range order[:last+1] {
		out[i] = true
	}
	return out
}
