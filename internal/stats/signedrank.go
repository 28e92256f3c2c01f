package stats

import (
	"math"
	"slices"
)

// SignedRank returns the middle of differences that are symmetric about it, and
// its exact interval at level 1-a for their number, which must have been fixed
// beforehand: the Hodges-Lehmann estimate and the Wilcoxon interval (Hodges and
// Lehmann 1963; Hollander, Wolfe and Chicken 2014, section 3.2). That is the
// median of the averages of all pairs of differences, each with itself included,
// and the k-th of them from either end.
//
// Differences of randomized pairs are symmetric about a constant effect whatever
// the noise is. For a fixed number the interval is about 0.6 times as wide as
// Pairs.Interval, which holds however often one looks. With fewer than 6
// differences no interval at 95 % is bounded: ends are ±EndOfScale then. Without
// any the middle is NaN. A difference that is not finite is not allowed.
func SignedRank(d []float64, a float64) (middle, low, high float64) {
	averages := make([]float64, 0, len(d)*(len(d)+1)/2)
	for i, x := range d {
		for _, y := range d[i:] {
			averages = append(averages, (x+y)/2)
		}
	}
	slices.Sort(averages)
	middle, low, high = sortedMedian(averages), -EndOfScale, EndOfScale
	if k := signedRankTail(len(d), a/2); k > 0 {
		low, high = averages[k-1], averages[len(averages)-k]
	}
	return middle, low, high
}

// SignedRankP is the exact two-sided p-value of no effect: the smallest a whose
// interval by SignedRank leaves out zero, 1 if none does.
func SignedRankP(d []float64) float64 {
	notAbove, notBelow := 0, 0
	for i, x := range d {
		for _, y := range d[i:] {
			if x+y <= 0 {
				notAbove++
			}
			if x+y >= 0 {
				notBelow++
			}
		}
	}
	p := 0.0
	for _, share := range signedRankWays(len(d))[:min(notAbove, notBelow)+1] {
		p += 2 * share
	}
	return min(p, 1)
}

// signedRankTail is how many of the smallest sums of positive ranks, of n
// differences without an effect, have at most probability a together.
func signedRankTail(n int, a float64) int {
	ways := signedRankWays(n)
	k, sum := 0, 0.0
	for k < len(ways) && sum+ways[k] <= a*(1+1e-12) {
		sum += ways[k]
		k++
	}
	return min(k, int(math.Ceil(float64(len(ways)-1)/2)))
}

// signedRankWays are the shares of the 2^n sign patterns whose positive ranks sum
// to 0, 1, 2, ... n(n+1)/2.
func signedRankWays(n int) []float64 {
	ways := make([]float64, n*(n+1)/2+1)
	ways[0] = 1
	for rank := 1; rank <= n; rank++ {
		for s := len(ways) - 1; s >= 0; s-- {
			ways[s] /= 2
			if s >= rank {
				ways[s] += ways[s-rank] / 2
			}
		}
	}
	return ways
}
