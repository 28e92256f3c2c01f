package history

import (
	"time"

	"autotune/controller"
)

// mostBins bounds the memory that a track takes and the points that a chart has.
const mostBins = 360

// track is what was measured, by stretches of observed time that are all equally
// long: bin i covers i*width to (i+1)*width. When there are too many, they are
// merged two by two.
type track struct {
	width time.Duration // 0 before the first sample
	bins  []bin
}

// bin is what was measured in one stretch, under the safe setting and under a
// candidate. Nothing is in both.
type bin struct {
	arms   [2]*controller.Sample // safe, candidate; nil: not in force
	guards map[controller.Guard]float64
	gap    bool // a process started in it
}

// add takes a sample that ended at t.
func (tr *track) add(t time.Duration, s *controller.Sample, candidate bool, guards []controller.Guard, gap bool) {
	if tr.width <= 0 {
		return
	}
	at := int(max(t-1, 0) / tr.width)
	for at >= mostBins {
		tr.halve()
		at = int(max(t-1, 0) / tr.width)
	}
	for len(tr.bins) <= at {
		tr.bins = append(tr.bins, bin{})
	}
	b := &tr.bins[at]
	b.gap = b.gap || gap
	arm := 0
	if candidate {
		arm = 1
	}
	if b.arms[arm] == nil {
		b.arms[arm] = &controller.Sample{}
	}
	b.arms[arm].Merge(s)
	for _, g := range guards {
		b.guard(g, s)
	}
}

// guard keeps the value nearest to the limit, or furthest beyond it: what is
// averaged trips nothing.
func (b *bin) guard(g controller.Guard, s *controller.Sample) {
	if g.MinRequests > 0 && s.Totals[controller.Requests] < g.MinRequests {
		return
	}
	v, ok := s.Value(g.Metric)
	if !ok {
		return
	}
	b.worse(g, v)
}

func (b *bin) worse(g controller.Guard, v float64) {
	was, ok := b.guards[g]
	switch {
	case ok && (g.Below && was <= v || !g.Below && was >= v):
		return
	case b.guards == nil:
		b.guards = map[controller.Guard]float64{}
	}
	b.guards[g] = v
}

// halve merges bins two by two.
func (tr *track) halve() {
	tr.width *= 2
	n := (len(tr.bins) + 1) / 2
	for i := range n {
		b := tr.bins[2*i]
		if 2*i+1 < len(tr.bins) {
			b.merge(&tr.bins[2*i+1])
		}
		tr.bins[i] = b
	}
	clear(tr.bins[n:])
	tr.bins = tr.bins[:n]
}

func (b *bin) merge(o *bin) {
	for arm, s := range o.arms {
		switch {
		case s == nil:
		case b.arms[arm] == nil:
			b.arms[arm] = s
		default:
			b.arms[arm].Merge(s)
		}
	}
	for g, v := range o.guards {
		b.worse(g, v)
	}
	b.gap = b.gap || o.gap
}

// mostSpans bounds the stretches that a chart shades.
const mostSpans = 1000

// spans are stretches of observed time, ascending. When there are too many,
// those that lie close together become one.
type spans struct {
	all   []stretch
	apart time.Duration // what is no further apart than this is one
}

type stretch struct{ from, to time.Duration }

func (s *spans) add(from, to time.Duration) {
	if n := len(s.all); n > 0 && from-s.all[n-1].to <= s.apart {
		s.all[n-1].to = to
		return
	}
	s.all = append(s.all, stretch{from, to})
	for len(s.all) > mostSpans {
		s.apart = max(2*s.apart, time.Second)
		old := s.all
		s.all = s.all[:0]
		for _, x := range old {
			if n := len(s.all); n > 0 && x.from-s.all[n-1].to <= s.apart {
				s.all[n-1].to = x.to
				continue
			}
			s.all = append(s.all, x)
		}
	}
}
