package gaussian

import (
	"math"

	"gonum.org/v1/gonum/mat"
)

// Points are rows of columns, one after another.
type Points struct {
	// Width is the number of columns, at least 1.
	Width int
	// Values has Width finite numbers a row. Numbers of a column should span about 1.
	Values []float64
	// Choice says of a column that its numbers are names: 3 is not between 2 and 4.
	// Nil: none is.
	Choice []bool
}

// Len is the number of rows.
func (p Points) Len() int { return len(p.Values) / p.Width }

// Row i; it is not copied.
func (p Points) Row(i int) []float64 { return p.Values[i*p.Width : (i+1)*p.Width] }

// First are the first n rows.
func (p Points) First(n int) Points {
	p.Values = p.Values[:n*p.Width]
	return p
}

// difference squared of two rows in a column.
func (p Points) difference(column int, a, b float64) float64 {
	switch {
	case a == b:
		return 0
	case p.Choice != nil && p.Choice[column]:
		return 1
	}
	return (a - b) * (a - b)
}

// Distance of two rows, with columns of equal weight.
func (p Points) Distance(a, b []float64) float64 {
	sum := 0.0
	for c, v := range a {
		sum += p.difference(c, v, b[c])
	}
	return math.Sqrt(sum)
}

// Kernel says how alike the values of two rows are. It does not change.
type Kernel struct {
	// Lengths of the columns, in their own units: two rows that differ by much
	// less have about the same value.
	Lengths []float64
	// Signal is the variance of values that have nothing to do with each other,
	// Noise that of two measurements of the same; both after standardization.
	Signal, Noise float64
}

// jitter keeps a matrix of equal rows positive definite.
const jitter = 1e-8

// weights are 5 / L².
func (k Kernel) weights() []float64 {
	w := make([]float64, len(k.Lengths))
	for c, l := range k.Lengths {
		w[c] = 5 / (l * l)
	}
	return w
}

// matern is the correlation at r², and its factor 1 + r over exp(r), of which
// slopes are made.
func matern(r2 float64) (value, slope float64) {
	r := math.Sqrt(r2)
	e := math.Exp(-r)
	return (1 + r + r2/3) * e, (1 + r) * e
}

// Process predicts values. It does not change and is safe for concurrent use.
type Process struct {
	signal       float64
	space        stretched
	rows         []float64 // what it has seen, in that space
	center, unit float64
	inverse      *mat.SymDense // of the covariance
	alpha        []float64     // inverse times values
}

// On returns the process that has seen a value for each row, of which there must
// be one at least.
func (k Kernel) On(x Points, y []float64) *Process {
	p := &Process{signal: k.Signal, space: k.stretch(x)}
	p.rows = p.space.rows(x)
	var z []float64
	z, p.center, p.unit = standardized(y)
	m := newModel(x, z)
	m.factorize(k)
	p.inverse, p.alpha = m.inverse, m.alpha
	return p
}

// Predict returns the mean and the standard deviation at each row, without noise.
func (p *Process) Predict(at Points) (mean, sd []float64) {
	n, width := len(p.alpha), at.Width
	mean, sd = make([]float64, at.Len()), make([]float64, at.Len())
	like := make([]float64, n)
	inverse := p.inverse.RawSymmetric()
	rows := p.space.rows(at)
	for i := range mean {
		row := rows[i*width : (i+1)*width]
		for j := range like {
			like[j], _ = matern(p.space.square(row, p.rows[j*width:(j+1)*width]))
			like[j] *= p.signal
			mean[i] += like[j] * p.alpha[j]
		}
		left := p.signal
		for j, a := range like { // a quadratic form, of which the upper half is stored
			line := inverse.Data[j*inverse.Stride:][:n]
			sum := line[j] * a / 2
			for l := j + 1; l < n; l++ {
				sum += line[l] * like[l]
			}
			left -= 2 * a * sum
		}
		mean[i] = p.center + p.unit*mean[i]
		sd[i] = p.unit * math.Sqrt(max(left, 0))
	}
	return mean, sd
}

// stretched is the space in which r² is a plain sum of squares over numbers, which
// come first, and of weights over choices that differ.
type stretched struct {
	order   []int // columns
	numbers int   // of them
	weights []float64
}

func (k Kernel) stretch(x Points) stretched {
	s := stretched{weights: k.weights()}
	for _, choices := range []bool{false, true} {
		for c := range x.Width {
			if (x.Choice != nil && x.Choice[c]) == choices {
				s.order = append(s.order, c)
			}
		}
		if !choices {
			s.numbers = len(s.order)
		}
	}
	return s
}

func (s *stretched) rows(x Points) []float64 {
	out := make([]float64, 0, len(x.Values))
	for i := range x.Len() {
		for at, c := range s.order {
			v := x.Row(i)[c]
			if at < s.numbers {
				v *= math.Sqrt(s.weights[c])
			}
			out = append(out, v)
		}
	}
	return out
}

// square is r² between two rows.
func (s *stretched) square(a, b []float64) float64 {
	sum := 0.0
	for c, v := range a[:s.numbers] {
		sum += (v - b[c]) * (v - b[c])
	}
	for c := s.numbers; c < len(a); c++ {
		if a[c] != b[c] {
			sum += s.weights[s.order[c]]
		}
	}
	return sum
}

// standardized values, and what was taken out; equal ones have unit 1.
func standardized(y []float64) (z []float64, center, unit float64) {
	n := float64(len(y))
	for _, v := range y {
		center += v / n
	}
	for _, v := range y {
		unit += (v - center) * (v - center) / n
	}
	if unit = math.Sqrt(unit); !(unit > 1e-12*math.Abs(center)) {
		unit = 1
	}
	z = make([]float64, len(y))
	for i, v := range y {
		z[i] = (v - center) / unit
	}
	return z, center, unit
}
