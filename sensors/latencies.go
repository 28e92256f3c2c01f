package sensors

import (
	"math"
	"runtime/metrics"

	"autotune/controller"
)

// The runtime's own histograms, some 2 µs each: too dear for every tick of a short
// block, and too coarse for one.
const (
	schedulingName = "/sched/latencies:seconds"
	gcPauseName    = "/sched/pauses/total/gc:seconds"
)

// latencies takes the p99 of what was added to the runtime's histograms since the
// reading before.
type latencies struct {
	samples [2]metrics.Sample
	before  [2][]uint64
}

func newLatencies() latencies {
	return latencies{samples: [2]metrics.Sample{{Name: schedulingName}, {Name: gcPauseName}}}
}

func (l *latencies) read(r *reading) {
	metrics.Read(l.samples[:])
	for i, m := range []controller.Metric{SchedulingP99, GCPauseP99} {
		v := l.samples[i].Value
		if v.Kind() != metrics.KindFloat64Histogram {
			r.missing("the runtime does not have "+l.samples[i].Name, m)
			continue
		}
		h := v.Float64Histogram()
		first := l.before[i] == nil
		added := make([]uint64, len(h.Counts))
		for j, n := range h.Counts {
			added[j] = n
			if !first && j < len(l.before[i]) {
				added[j] -= l.before[i][j]
			}
		}
		l.before[i] = append(l.before[i][:0], h.Counts...)
		switch p99, ok := quantile(added, h.Buckets, 0.99); {
		case first:
			r.missing(firstReading, m)
		case !ok:
			r.missing("nothing happened since the last reading", m)
		default:
			r.gauge(m, p99)
		}
	}
}

// quantile is the upper end of the bucket in which it falls, or the lower one of
// the last, which has no end.
func quantile(counts []uint64, ends []float64, q float64) (float64, bool) {
	all := uint64(0)
	for _, n := range counts {
		all += n
	}
	if all == 0 {
		return 0, false
	}
	rank, seen := uint64(math.Ceil(q*float64(all))), uint64(0)
	for i, n := range counts {
		if seen += n; seen >= rank {
			if math.IsInf(ends[i+1], 1) {
				return ends[i], true
			}
			return ends[i+1], true
		}
	}
	return ends[len(ends)-2], true
}
