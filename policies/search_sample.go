package policies

import (
	"math"
	"math/rand/v2"
	"slices"

	"autotune/controller"
	"autotune/policies/internal/gaussian"
)

// sample are the settings of a pool that a search looks at, in an order of the
// seed so that the first of equals is a fair draw, and as points of a model: a
// column for each knob, from 0 to 1 over the pool, of logs on a log scale.
type sample struct {
	seed     uint64
	settings []controller.Setting
	points   gaussian.Points
	columns  []column
}

// column of a knob.
type column struct {
	log, choice bool
	low, span   float64
}

// newSample draws so many settings of the pool, at most.
func newSample(pool Pool, space controller.Space, seed uint64, most int) *sample {
	s := &sample{seed: seed}
	rng := rand.New(rand.NewPCG(seed, 0x5ea6c4))
	if pool.Len <= most {
		for _, i := range rng.Perm(pool.Len) {
			s.settings = append(s.settings, pool.At(i))
		}
	}
	for drawn := map[int]bool{}; len(s.settings) < min(pool.Len, most); {
		if i := rng.IntN(pool.Len); !drawn[i] {
			drawn[i] = true
			s.settings = append(s.settings, pool.At(i))
		}
	}
	for name := range s.settings[0].All() {
		k, _ := space.Knob(name)
		s.columns = append(s.columns, column{
			choice: k.Kind == controller.Enum, log: k.Scale == controller.Log && k.Min > 0,
			low: math.Inf(1), span: math.Inf(-1),
		})
	}
	for _, t := range s.settings {
		at := 0
		for _, v := range t.All() {
			c := &s.columns[at]
			c.low, c.span = min(c.low, c.number(v)), max(c.span, c.number(v))
			at++
		}
	}
	for i := range s.columns {
		c := &s.columns[i]
		if c.span -= c.low; c.choice || c.span == 0 {
			c.low, c.span = 0, 1
		}
	}
	s.points = s.at(s.settings)
	return s
}

func (c *column) number(v float64) float64 {
	if c.log {
		return math.Log(v)
	}
	return v
}

// at are settings as points.
func (s *sample) at(settings []controller.Setting) gaussian.Points {
	p := gaussian.Points{Width: len(s.columns), Values: make([]float64, 0, len(settings)*len(s.columns))}
	for _, c := range s.columns {
		p.Choice = append(p.Choice, c.choice)
	}
	for _, t := range settings {
		i := 0
		for _, v := range t.All() {
			p.Values = append(p.Values, (s.columns[i].number(v)-s.columns[i].low)/s.columns[i].span)
			i++
		}
	}
	return p
}

// distances of every setting of the sample from the nearest of others: the design
// that takes the farthest again and again spreads out (Johnson, Moore & Ylvisaker
// 1990, maximin).
func (s *sample) distances(others []controller.Setting) []float64 {
	out := make([]float64, len(s.settings))
	from := s.at(others)
	for i := range out {
		out[i] = math.Inf(1)
		for j := range from.Len() {
			out[i] = min(out[i], s.points.Distance(s.points.Row(i), from.Row(j)))
		}
	}
	return out
}

// exclude a setting from being the highest.
func (s *sample) exclude(score []float64, t controller.Setting) {
	if i := slices.IndexFunc(s.settings, t.Equal); i >= 0 {
		score[i] = math.Inf(-1)
	}
}
