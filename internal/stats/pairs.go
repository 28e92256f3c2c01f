package stats

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/floats"
)

// kappas are the bet sizes of the mixture, for effects of about 1/κ scales.
var kappas = [...]float64{0.15, 0.35, 0.8, 3}

// clipAt bounds x, so that one wild pair cannot win or lose the whole stake.
const clipAt = 1.5

// Side is the direction in which evidence is collected.
type Side int

// Below collects evidence that the effect is below θ0, Above that it is above.
const (
	Below Side = -1
	Above Side = 1
)

// Pairs holds the differences of a trial's pairs on one goal, with the scale
// that was in force when each came. Not safe for concurrent use.
type Pairs struct {
	d, s   []float64
	sorted []float64 // d, ascending
	abs    []float64 // |d| and the baseline's |differences|, ascending
	s0     float64
}

// NewPairs starts a trial. The baseline is differences between neighboring
// blocks without a change, at least 20 of them in earnest; it sets the scale
// until the trial's own pairs do.
func NewPairs(baseline []float64) *Pairs {
	p := &Pairs{abs: make([]float64, 0, len(baseline)+32)}
	for _, x := range baseline {
		if x = math.Abs(x); !math.IsNaN(x) && !math.IsInf(x, 0) {
			p.abs = append(p.abs, x)
		}
	}
	slices.Sort(p.abs)
	p.s0 = scaleOfSorted(p.abs)
	return p
}

// Add takes the difference of the next pair. It must be finite: what is to
// count as the worst possible is passed as a large number, which the clip
// bounds; an error changes nothing.
func (p *Pairs) Add(d float64) error {
	if math.IsNaN(d) || math.IsInf(d, 0) {
		return fmt.Errorf("pair difference %v: must be finite", d)
	}
	// The scale first, so that it does not know d.
	p.s = append(p.s, scaleOfSorted(p.abs))
	p.d = append(p.d, d)
	p.sorted = insert(p.sorted, d)
	p.abs = insert(p.abs, math.Abs(d))
	return nil
}

func insert(sorted []float64, v float64) []float64 {
	i, _ := slices.BinarySearch(sorted, v)
	return slices.Insert(sorted, i, v)
}

// Len is the number of pairs.
func (p *Pairs) Len() int { return len(p.d) }

// Scale0 is the baseline's scale, s₀, fixed before the first pair.
func (p *Pairs) Scale0() float64 { return p.s0 }

// Median of the differences, and NaN before the first.
func (p *Pairs) Median() float64 { return sortedMedian(p.sorted) }

// logFactor is the log of what a bet of size κ on a side multiplies its stake
// by. tanh(4.5) is so close to 1 that a loss is all but ruin: -8.4 in logs.
func logFactor(kappa float64, side Side, x float64) float64 {
	return math.Log1p(math.Tanh(kappa * float64(side) * x))
}

func clip(x float64) float64 { return min(max(x, -clipAt), clipAt) }

// LogE returns log E_n(θ0, side), the evidence that the effect is below (or
// above) θ0. It is 0 before the first pair.
func (p *Pairs) LogE(theta0 float64, side Side) float64 {
	stakes := p.stakes(theta0, side)
	return mixture(stakes)
}

// E is exp(LogE): reject "not below (above) θ0" with error rate α at 1/α.
// It is capped at e^700, so that it stays a finite number.
func (p *Pairs) E(theta0 float64, side Side) float64 {
	return math.Exp(min(p.LogE(theta0, side), 700))
}

// stakes is the log of each κ's stake after all pairs. An interval asks for it
// some fifty times a pair, so it is kept cheap: 1 + tanh z = 2/(1 + exp(-2z)),
// the logarithm is of the product of some pairs, not of each, and since every κ
// is a multiple of 1/20 (3, 7, 16 and 60 of them) one exponential serves all
// four. With clipped x a factor is below e^9.1: thirty-two are far from overflow.
func (p *Pairs) stakes(theta0 float64, side Side) (stakes [len(kappas)]float64) {
	const batch = 32
	product := [len(kappas)]float64{1, 1, 1, 1}
	flush := func() {
		for i := range product {
			stakes[i] -= math.Log(product[i])
			product[i] = 1
		}
	}
	for k, d := range p.d {
		x := -2 * float64(side) * clip((d-theta0)/p.s[k])
		y := math.Exp(x / 20)
		y3 := y * y * y
		y7 := y3 * y3 * y
		y16 := y7 * y7 * y * y
		y12 := y3 * y3 * y3 * y3
		product[0] *= 1 + y3
		product[1] *= 1 + y7
		product[2] *= 1 + y16
		product[3] *= 1 + y16*y16*y16*y12
		if k%batch == batch-1 {
			flush()
		}
	}
	flush()
	for i := range stakes {
		stakes[i] += float64(len(p.d)) * math.Ln2
	}
	return stakes
}

// mixture is the log of the mean of exponentials.
func mixture(logs [len(kappas)]float64) float64 {
	return floats.LogSumExp(logs[:]) - math.Log(float64(len(kappas)))
}
