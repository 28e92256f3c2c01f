package gaussian

import (
	"math"

	"gonum.org/v1/gonum/mat"
)

// The prior of logs: normal with these means and standard deviations; lengths get
// half the log of the number of columns on top.
var (
	ofLengths = normal{math.Sqrt2, math.Sqrt(3)}
	ofSignal  = normal{0, 1}
	ofNoise   = normal{-10, 2}
)

type normal struct{ mean, sd float64 }

// slope of the log density, and the log density up to a constant.
func (n normal) density(v float64) (log, slope float64) {
	u := (v - n.mean) / n.sd
	return -u * u / 2, -u / n.sd
}

// steps of the climb, from each of two starts: a function that hardly changes, and
// one that changes a lot.
const steps = 40

// Learn returns the kernel under which the values are likeliest, given the prior.
// There must be one at least.
func Learn(x Points, y []float64) Kernel {
	z, _, _ := standardized(y)
	m := newModel(x, z)
	var found Kernel
	highest := math.Inf(-1)
	for _, lower := range []float64{0, 2} {
		at := make([]float64, x.Width+2)
		for c := range x.Width {
			at[c] = m.lengths.mean - lower
		}
		at[x.Width+1] = -6
		at, value := climb(m.posterior, at)
		if value > highest {
			found, highest = kernelOf(at), value
		}
	}
	return found
}

// kernelOf logs of lengths, signal and noise.
func kernelOf(logs []float64) Kernel {
	d := len(logs) - 2
	k := Kernel{Lengths: make([]float64, d), Signal: math.Exp(logs[d]), Noise: math.Exp(logs[d+1])}
	for c := range d {
		k.Lengths[c] = math.Exp(logs[c])
	}
	return k
}

// climb goes up by Rprop: each coordinate by a step of its own, that grows by a
// fifth while the slope keeps its sign and halves when it turns. It returns the
// highest place that it came by.
func climb(f func(at, slope []float64) float64, at []float64) (highest []float64, value float64) {
	step, slope, before := make([]float64, len(at)), make([]float64, len(at)), make([]float64, len(at))
	for i := range step {
		step[i] = 0.2
	}
	highest, value = append([]float64(nil), at...), math.Inf(-1)
	for range steps {
		if v := f(at, slope); v > value {
			copy(highest, at)
			value = v
		}
		largest := 0.0
		for i, s := range slope {
			switch {
			case s*before[i] > 0:
				step[i] = min(1.2*step[i], 1)
			case s*before[i] < 0:
				step[i] *= 0.5
				s = 0 // a turn: look again before going back
			}
			before[i] = s
			if s != 0 {
				at[i] += math.Copysign(step[i], s)
			}
			largest = max(largest, step[i])
		}
		if largest < 0.01 {
			break
		}
	}
	return highest, value
}

// model has values at points, and room for what is computed of them.
type model struct {
	x       Points
	z       []float64
	lengths normal
	squares []float64 // differences of the rows i > j, column after column
	like    []float64 // of the rows i > j
	slopes  []float64
	cov     *mat.SymDense
	inverse *mat.SymDense
	alpha   []float64
}

func newModel(x Points, z []float64) *model {
	n := len(z)
	m := &model{
		x: x, z: z, lengths: ofLengths, cov: mat.NewSymDense(n, nil), inverse: mat.NewSymDense(n, nil),
		alpha: make([]float64, n), like: make([]float64, n*(n-1)/2), slopes: make([]float64, n*(n-1)/2),
	}
	m.lengths.mean += math.Log(float64(x.Width)) / 2
	m.squares = make([]float64, 0, n*(n-1)/2*x.Width)
	for i := range n {
		for j := range i {
			for c, v := range x.Row(i) {
				m.squares = append(m.squares, x.difference(c, v, x.Row(j)[c]))
			}
		}
	}
	return m
}

// factorize inverts the covariance, with more noise if need be, and returns the
// log of its determinant.
func (m *model) factorize(k Kernel) float64 {
	w, d := k.weights(), m.x.Width
	at := 0
	for i := range m.z {
		for j := range i {
			r2 := 0.0
			for c, s := range m.squares[at*d : (at+1)*d] {
				r2 += w[c] * s
			}
			m.like[at], m.slopes[at] = matern(r2)
			m.cov.SetSym(i, j, k.Signal*m.like[at])
			at++
		}
	}
	var c mat.Cholesky
	for more := jitter; ; more *= 10 {
		for i := range m.z {
			m.cov.SetSym(i, i, k.Signal+k.Noise+more)
		}
		if c.Factorize(m.cov) {
			break
		}
	}
	_ = c.InverseTo(m.inverse) // an error tells of a large condition number only
	mat.NewVecDense(len(m.alpha), m.alpha).MulVec(m.inverse, mat.NewVecDense(len(m.z), m.z))
	return c.LogDet()
}

// posterior is the log density of the parameters' logs up to a constant, and
// where it rises.
func (m *model) posterior(logs, slope []float64) float64 {
	k, d := kernelOf(logs), m.x.Width
	value := -m.factorize(k) / 2
	for i, a := range m.alpha {
		value -= a * m.z[i] / 2
	}
	for i, v := range logs {
		prior := m.lengths
		switch i {
		case d:
			prior = ofSignal
		case d + 1:
			prior = ofNoise
		}
		var p float64
		p, slope[i] = prior.density(v)
		value += p
	}
	// d value / d log θ = ½ Σ_ij (α_i α_j - K⁻¹_ij) dK_ij / d log θ
	w := k.weights()
	at := 0
	for i, a := range m.alpha {
		pull := (a*a - m.inverse.At(i, i)) / 2
		slope[d] += pull * k.Signal
		slope[d+1] += pull * k.Noise
		for j, b := range m.alpha[:i] {
			pull := (a*b - m.inverse.At(i, j)) * k.Signal // twice ½: i, j and j, i
			slope[d] += pull * m.like[at]
			pull *= m.slopes[at] / 3
			for c, s := range m.squares[at*d : (at+1)*d] {
				slope[c] += pull * w[c] * s
			}
			at++
		}
	}
	return value
}
