package sensors

import "autotune/controller"

// reading collects the facts of one sample: a fact, or why there is none. The
// zero reading takes facts and forgets them.
type reading struct {
	totals, gauges map[controller.Metric]float64
	absent         map[controller.Metric]string
}

func (r *reading) total(m controller.Metric, v float64) {
	if r.totals != nil {
		r.totals[m] = v
	}
}

func (r *reading) gauge(m controller.Metric, v float64) {
	if r.gauges != nil {
		r.gauges[m] = v
	}
}

func (r *reading) missing(why string, metrics ...controller.Metric) {
	if r.absent == nil {
		return
	}
	for _, m := range metrics {
		r.absent[m] = why
	}
}

// firstReading is why a rate has no value yet.
const firstReading = "first reading: a rate needs two"

// counter turns readings of something that only grows into differences.
type counter struct {
	seen bool
	last float64
}

// step returns what was added since the last reading; there is no such thing at
// the first, nor after the counter went back, as one does that was reset.
func (c *counter) step(v float64) (added float64, ok bool) {
	added, ok = v-c.last, c.seen && v >= c.last
	c.seen, c.last = true, v
	return added, ok
}

// total steps the counter and puts the difference in the reading.
func (c *counter) total(r *reading, m controller.Metric, v float64) {
	seen := c.seen
	added, ok := c.step(v)
	switch {
	case ok:
		r.total(m, added)
	case !seen:
		r.missing(firstReading, m)
	default:
		r.missing("the counter went back", m)
	}
}

// rate steps the counter and puts what was added a second in the reading.
func (c *counter) rate(r *reading, m controller.Metric, v, over float64) {
	seen := c.seen
	added, ok := c.step(v)
	switch {
	case ok && over > 0:
		r.gauge(m, added/over)
	case !seen || ok:
		r.missing(firstReading, m)
	default:
		r.missing("the counter went back", m)
	}
}
