package diagnose

import (
	"math"
	"slices"
	"time"

	"autotune/controller"
)

// Limits of what a track remembers.
const (
	mostPoints = 1024
	mostDiffs  = 512
)

// watched are the gauges that a point has, beside the goals.
func watched() []controller.Metric {
	return []controller.Metric{controller.RSSBytes, heapLive, goroutines}
}

// Metrics of package sensors that rules look at.
const (
	gcCPUSeconds controller.Metric = "gc_cpu_seconds"
	goroutines   controller.Metric = "goroutines"
	heapLive     controller.Metric = "heap_live_bytes"
	memoryLimit  controller.Metric = "memory_limit_bytes"
	hostCPU      controller.Metric = "host_cpu_ratio"
	hostSteal    controller.Metric = "host_steal_ratio"
	hostMemory   controller.Metric = "host_memory_ratio"
	throttled    controller.Metric = "cgroup_throttled_ratio"
)

// track is what was measured under the safe setting over time, in blocks as long
// as those of a trial. When there are too many they are merged two by two: goals
// by the mean of their logs, gauges by their mean.
type track struct {
	length  time.Duration // of a block
	block   controller.Sample
	skip    time.Duration // still to pass before what is seen counts: what a candidate left behind
	process int           // how many there were before this one
	points  []point
	merged  int // blocks in a point

	// Of neighboring blocks: differences of the log of each goal, and of arrivals,
	// the latest, before blocks are merged.
	last  map[controller.Metric]float64 // of the block before; empty: it is no neighbor
	diffs map[controller.Metric][]float64
	loads []float64
}

// point is a block, or several merged.
type point struct {
	t       time.Duration // observed, at its middle
	at      time.Time     // its end
	process int
	values  map[controller.Metric]float64 // logs of goals and load, gauges as they are
}

func (tr *track) newProcess() {
	tr.process++
	tr.block.Reset()
	tr.skip = 0
	clear(tr.last)
}

func (tr *track) tick(f *facts, s *controller.Sample, candidate bool) {
	if tr.length == 0 {
		tr.length, tr.merged = 5*time.Second, 1
		if f.session != nil {
			tr.length = max(f.session.Timing.Measure, f.session.Timing.Tick, time.Millisecond)
		}
		tr.last, tr.diffs = map[controller.Metric]float64{}, map[controller.Metric][]float64{}
	}
	if candidate {
		tr.block.Reset()
		clear(tr.last)
		tr.skip = 0
		if f.session != nil {
			tr.skip = max(f.session.Timing.Washout, 0)
		}
		return
	}
	if tr.skip > 0 {
		tr.skip -= s.Over
		return
	}
	tr.block.Merge(s)
	if tr.block.Over >= tr.length {
		tr.end(f)
		tr.block.Reset()
	}
}

// end makes a point of the block.
func (tr *track) end(f *facts) {
	p := point{t: f.observed - tr.block.Over/2, at: tr.block.At, process: tr.process, values: map[controller.Metric]float64{}}
	for _, g := range f.goals() {
		if v, ok := tr.block.Value(g.Metric); ok && v > 0 && !hopeless(g.Metric, v) {
			p.values[g.Metric] = math.Log(v)
		}
	}
	for _, m := range watched() {
		if v, ok := tr.block.Value(m); ok {
			p.values[m] = v
		}
	}
	if v, ok := tr.block.Value(controller.Requests + "_per_second"); ok && v > 0 {
		p.values[controller.Requests] = math.Log(v)
	}
	tr.compare(f, &p)
	tr.points = append(tr.points, p)
	if len(tr.points) >= 2*mostPoints {
		tr.halve()
	}
}

// compare adds the differences to the block before.
func (tr *track) compare(f *facts, p *point) {
	load, okLoad := p.values[controller.Requests]
	before, okBefore := tr.last[controller.Requests]
	for i, g := range f.goals() {
		y, ok := p.values[g.Metric]
		was, known := tr.last[g.Metric]
		if !ok || !known {
			continue
		}
		tr.diffs[g.Metric] = latest(tr.diffs[g.Metric], y-was, mostDiffs)
		if i > 0 {
			continue
		}
		d := math.NaN()
		if okLoad && okBefore {
			d = load - before
		}
		tr.loads = latest(tr.loads, d, mostDiffs)
	}
	clear(tr.last)
	for m, v := range p.values {
		tr.last[m] = v
	}
}

// halve merges points two by two, but not across processes.
func (tr *track) halve() {
	tr.merged *= 2
	var out []point
	for i := 0; i < len(tr.points); i++ {
		p := tr.points[i]
		if i+1 < len(tr.points) && tr.points[i+1].process == p.process {
			q := tr.points[i+1]
			for m, v := range q.values {
				if was, ok := p.values[m]; ok {
					v = (was + v) / 2
				}
				p.values[m] = v
			}
			p.t, p.at = (p.t+q.t)/2, q.at
			i++
		}
		out = append(out, p)
	}
	tr.points = out
}

// of are the points of a metric in the latest process.
func (tr *track) of(m controller.Metric) (t, y []float64, at []time.Time) {
	for _, p := range tr.points {
		if v, ok := p.values[m]; ok && p.process == tr.process {
			t, y, at = append(t, p.t.Seconds()), append(y, v), append(at, p.at)
		}
	}
	return t, y, at
}

// noise is the scale of the differences of a goal between neighboring blocks, in
// log units: 1.4826 times their median absolute value, which is the standard
// deviation where they are normal, whatever a tenth of them is. n is how many
// there are.
func (tr *track) noise(m controller.Metric) (scale float64, n int) {
	d := make([]float64, len(tr.diffs[m]))
	for i, v := range tr.diffs[m] {
		d[i] = math.Abs(v)
	}
	return 1.4826 * median(d), len(d)
}

// loadShare is the share of the top goal's differences that arrivals explain: the
// square of their correlation, 0 where it cannot be told.
func (tr *track) loadShare(m controller.Metric) float64 {
	d := tr.diffs[m]
	if len(d) != len(tr.loads) {
		return 0
	}
	var xx, xy, yy float64
	for i, x := range tr.loads {
		if math.IsNaN(x) {
			continue
		}
		xx, xy, yy = xx+x*x, xy+x*d[i], yy+d[i]*d[i]
	}
	if xx == 0 || yy == 0 {
		return 0
	}
	return xy * xy / (xx * yy)
}

// median of x, which is sorted; NaN of nothing.
func median(x []float64) float64 {
	if len(x) == 0 {
		return math.NaN()
	}
	slices.Sort(x)
	n := len(x)
	return (x[(n-1)/2] + x[n/2]) / 2
}
