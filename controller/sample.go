package controller

import (
	"maps"
	"math"
	"strings"
	"time"
)

// Sample is what a target measured over one tick, or several merged into a
// block. A metric that was not measured is absent, never zero.
type Sample struct {
	// At is the target's time at the end; Over is how long the sample covers.
	At   time.Time     `json:"at"`
	Over time.Duration `json:"over"`
	// Totals are counts over that time, by adding which samples merge.
	Totals map[Metric]float64 `json:"totals,omitempty"`
	// Gauges are the state at the end; in a merged sample their mean over time.
	Gauges map[Metric]float64 `json:"gauges,omitempty"`
	// Latency has the requests that started in the epoch and ended in the tick.
	Latency *Histogram `json:"latency,omitempty"`
	// Unfinished has those that started in the epoch and are in flight at the
	// end, at their age so far: a stall is seen, not lost. It belongs to the
	// end of a sample; merging keeps the later one.
	Unfinished *Histogram `json:"unfinished,omitempty"`
}

// Merge adds the sample that followed to s. It keeps no reference to o's maps
// and latencies, but one to its Unfinished, and allocates only when a metric is new to s.
func (s *Sample) Merge(o *Sample) {
	if s.Totals == nil {
		s.Totals = map[Metric]float64{}
	}
	if s.Gauges == nil {
		s.Gauges = map[Metric]float64{}
	}
	if s.Latency == nil {
		s.Latency = &Histogram{}
	}
	for m, v := range o.Totals {
		s.Totals[m] += v
	}
	share := 1.0
	if total := s.Over + o.Over; total > 0 {
		share = float64(o.Over) / float64(total)
	}
	for m, v := range o.Gauges {
		if was, ok := s.Gauges[m]; ok {
			v = was + (v-was)*share
		}
		s.Gauges[m] = v
	}
	s.Latency.Merge(o.Latency)
	s.Unfinished = o.Unfinished
	s.Over += o.Over
	s.At = o.At
}

// Clone returns a copy that shares nothing with s that a target may use again.
func (s *Sample) Clone() Sample {
	out := *s
	out.Totals, out.Gauges = maps.Clone(s.Totals), maps.Clone(s.Gauges)
	if s.Latency != nil {
		out.Latency = &Histogram{}
		out.Latency.Merge(s.Latency)
	}
	return out
}

// dropNonFinite removes what is not a finite number: it was not measured, and
// a journal could not hold it.
func (s *Sample) dropNonFinite() {
	for _, values := range []map[Metric]float64{s.Totals, s.Gauges} {
		for m, v := range values {
			if !finite(v) {
				delete(values, m)
			}
		}
	}
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// Reset empties s and keeps its memory.
func (s *Sample) Reset() {
	clear(s.Totals)
	clear(s.Gauges)
	if s.Latency != nil {
		s.Latency.Reset()
	}
	s.Unfinished, s.Over, s.At = nil, 0, time.Time{}
}

// Value returns a metric of the sample: a latency statistic over finished and
// unfinished requests, a ratio formed from totals ("error_ratio",
// "completion_ratio", "<total>_per_request", "<total>_per_second"), a total or
// a gauge. It returns false when what it needs was not measured, or the
// denominator is zero.
//
// A target that measures no single requests may give a latency statistic as a
// gauge of that name; latencies come first.
func (s *Sample) Value(m Metric) (float64, bool) {
	if v, ok := s.formed(m); ok {
		return v, true
	}
	if v, ok := s.Totals[m]; ok {
		return v, true
	}
	if v, ok := s.Gauges[m]; ok {
		return v, true
	}
	if total, ok := strings.CutSuffix(string(m), "_per_request"); ok {
		return s.ratio(Metric(total), Requests)
	}
	if total, ok := strings.CutSuffix(string(m), "_per_second"); ok && s.Over > 0 {
		v, ok := s.Totals[Metric(total)]
		return v / s.Over.Seconds(), ok
	}
	return 0, false
}

// formed returns the metrics that have names of their own.
func (s *Sample) formed(m Metric) (float64, bool) {
	switch m {
	case LatencyP50:
		return s.quantile(0.50)
	case LatencyP95:
		return s.quantile(0.95)
	case LatencyP99:
		return s.quantile(0.99)
	case LatencyMean:
		return s.meanLatency()
	case ErrorRatio:
		return s.ratio(Errors, Completions)
	case CompletionRatio:
		return s.ratio(Completions, Requests)
	}
	return 0, false
}

func (s *Sample) ratio(num, den Metric) (float64, bool) {
	n, ok := s.Totals[num]
	d := s.Totals[den]
	if !ok || d <= 0 {
		return 0, false
	}
	return n / d, true
}

func (s *Sample) quantile(q float64) (float64, bool) {
	if s.Unfinished.Count() == 0 {
		return s.Latency.Quantile(q)
	}
	var all Histogram
	all.Merge(s.Latency)
	all.Merge(s.Unfinished)
	return all.Quantile(q)
}

func (s *Sample) meanLatency() (float64, bool) {
	n := s.Latency.Count() + s.Unfinished.Count()
	if n == 0 {
		return 0, false
	}
	sum := 0.0
	for _, h := range []*Histogram{s.Latency, s.Unfinished} {
		if h != nil {
			sum += h.sum
		}
	}
	return sum / float64(n), true
}
