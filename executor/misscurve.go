package executor

import (
	"math"
	"math/bits"
)

// MissCurve is the share of executions that caches of different sizes would not
// have answered, if they evicted the least recently used. The zero value knows
// nothing. It is a value and does not change.
type MissCurve struct {
	// Executions of declared steps with an identity that it is from.
	Executions float64
	hits       []float64 // by bucket, cumulative, 0..Executions
}

// MissRatio returns the miss ratio, 0..1, of a cache of so many entries. It
// returns false if there was nothing to learn it from, and, for a size beyond
// 131072, what is true of that.
func (c MissCurve) MissRatio(size int) (float64, bool) {
	if !(c.Executions > 0) || size < 0 {
		return 0, false
	}
	size = min(size, ghostReach)
	b := bucketAt(float64(size))
	low, high := boundOf(b), boundOf(b+1)
	before := 0.0
	if b > 0 {
		before = c.hits[b-1]
	}
	within := before
	if b < len(c.hits) {
		within = c.hits[b]
	}
	hits := before + (within-before)*(float64(size)-low)/(high-low)
	return min(max(1-hits/c.Executions, 0), 1), true
}

// DuplicateRatio returns the share of executions, 0..1, whose input was seen
// before, among the last 131072 different ones, and whose result would still
// have been fresh. It returns false if there was nothing to learn it from.
func (c MissCurve) DuplicateRatio() (float64, bool) {
	miss, ok := c.MissRatio(ghostReach)
	return 1 - miss, ok
}

// distances count executions by stack distance, in buckets of width 1 below 512
// and of at most 0.4 % above: a loop over some inputs needs a cache of all of
// them, and one a little smaller is of no use.
type distances struct {
	counts [distanceBuckets]float64
	seen   float64 // at any distance, infinite included
}

const (
	exactBits       = 9 // buckets below 2^exactBits have a width of 1
	perOctave       = 1 << (exactBits - 1)
	distanceBuckets = perOctave * (17 - exactBits + 2)
)

// bucketAt returns the bucket of a distance.
func bucketAt(d float64) int {
	n := uint64(d)
	if n < 1<<exactBits {
		return int(n)
	}
	octave := bits.Len64(n) - exactBits
	return octave*perOctave + int(n>>octave)
}

// boundOf returns the least distance of a bucket.
func boundOf(b int) float64 {
	if b < 1<<exactBits {
		return float64(b)
	}
	octave := b/perOctave - 1
	return math.Ldexp(float64(b-octave*perOctave), octave)
}

func (d *distances) add(distance, weight float64) { d.counts[bucketAt(distance)] += weight }

func (d *distances) plus(o *distances) {
	for i, n := range o.counts {
		d.counts[i] += n
	}
	d.seen += o.seen
}

// curve sums up. The adjustment may have left less than nothing at the shortest
// distance: a share is never below 0.
func (d *distances) curve() MissCurve {
	c := MissCurve{Executions: d.seen, hits: make([]float64, len(d.counts))}
	sum := 0.0
	for i, n := range d.counts {
		sum += n
		c.hits[i] = min(max(sum, 0), d.seen)
	}
	return c
}
