package controller

import (
	"fmt"
	"math"
	"slices"
	"time"
)

// Alert is when the safe setting is called worse than expected: the guide's
// performance_monitoring_interval and performance_alert_threshold. Over each
// whole interval of the safe setting, outside of candidate blocks, every goal's
// value is compared with what is expected: its value over the first whole
// interval after the noise was measured or after something was kept or taken
// back. Nothing is averaged: the interval is one sample.
//
// A value worse than that by more than Threshold, on any goal, is recorded, and
// a person may want to look. It is no proof: load, data or a neighbor may have
// changed. What was kept within Probation, the latest, is taken back at once,
// without a failure on its account, and may be tried again. What is kept again
// after that stays until an audit speaks against it, so that a service that
// gets slower for a reason of its own costs each change one trial more, once,
// and not one an alert. The audits of everything else that is kept become due.
// What is expected is then measured anew.
type Alert struct {
	// Interval of the safe setting's time, 5 min by default, 1 s to 1 day; negative: no alerts.
	Interval time.Duration `json:"interval"`
	// Threshold is how much worse, relative, is worth an alert: 0.2 by default, up to 10.
	Threshold float64 `json:"threshold"`
	// Probation is how long after a keep an alert takes it back: 6 intervals by default.
	Probation time.Duration `json:"probation"`
}

func (a *Alert) setDefaults() {
	if a.Interval == 0 {
		a.Interval = 5 * time.Minute
	}
	if a.Interval < 0 {
		*a = Alert{Interval: -1}
		return
	}
	if a.Threshold == 0 {
		a.Threshold = 0.2
	}
	if a.Probation == 0 {
		a.Probation = 6 * a.Interval
	}
}

func (a *Alert) check() error {
	switch {
	case a.Interval < 0:
	case a.Interval < time.Second || a.Interval > 24*time.Hour:
		return fmt.Errorf("alert: interval %v: must be within 1s..24h, or negative for none", a.Interval)
	case !(a.Threshold > 0 && a.Threshold <= 10):
		return fmt.Errorf("alert: threshold %v: must be above 0 and at most 10", a.Threshold)
	case a.Probation < 0:
		return fmt.Errorf("alert: probation %v: must not be negative", a.Probation)
	}
	return nil
}

// Degraded is an alert: the goal that got worst over an interval.
type Degraded struct {
	Metric Metric `json:"metric"`
	// Value over the interval, and what was expected.
	Value    float64       `json:"value"`
	Expected float64       `json:"expected"`
	Over     time.Duration `json:"over"`
	// Then says what is done about it.
	Then string `json:"then"`
}

// String says it for people.
func (d *Degraded) String() string {
	return fmt.Sprintf("%s %.4g over %v, %.4g expected (%+.0f%%): %s",
		d.Metric, d.Value, d.Over.Round(time.Second), d.Expected, 100*(d.Value/d.Expected-1), d.Then)
}

// watch gathers the interval in progress.
type watch struct {
	sample   Sample
	elapsed  time.Duration
	epoch    uint64
	settle   time.Duration // time still to pass before what is seen counts
	known    bool
	better   bool // than expected, and noted
	expected map[Metric]float64
}

// take adds what was seen of the safe setting. Requests unfinished at the end of
// their epoch will not be heard of again: they count at their age.
func (w *watch) take(s *Sample, over time.Duration, epoch uint64) {
	if w.settle -= over; w.settle >= 0 {
		return
	}
	w.settle = 0
	if epoch != w.epoch && w.sample.Unfinished != nil {
		w.sample.Latency.Merge(w.sample.Unfinished)
		w.sample.Unfinished = nil
	}
	w.epoch = epoch
	w.sample.Merge(s)
	w.elapsed += over
}

// expectAnew makes the next whole interval what is expected.
func (w *watch) expectAnew() {
	w.sample.Reset()
	w.elapsed, w.known, w.better, w.expected = 0, false, false, map[Metric]float64{}
}

// watchGoals compares an interval that is complete with what is expected. It
// reports whether the safe setting is another one now.
func (c *Controller) watchGoals() bool {
	w := &c.watch
	if c.cfg.Alert.Interval < 0 || w.elapsed < c.cfg.Alert.Interval || c.stopping || c.phase == Ended {
		return false
	}
	if started, counted := w.sample.Totals[Requests]; counted && started < float64(c.cfg.Timing.MinRequests) {
		return false // too few to say anything: the interval goes on
	}
	worst := Degraded{Over: w.elapsed}
	most := math.Log1p(c.cfg.Alert.Threshold)
	values, least := map[Metric]float64{}, 0.0
	for _, g := range c.cfg.Goals {
		v, ok := w.sample.Value(g.Metric)
		y, ok := logOf(g, v, ok)
		if !ok {
			continue
		}
		values[g.Metric] = v
		was, ok := w.expected[g.Metric]
		if !ok {
			continue
		}
		d := y - math.Log(was)
		if g.Maximize {
			d = y + math.Log(was)
		}
		least = math.Min(least, d)
		if d > most {
			most = d
			worst.Metric, worst.Value, worst.Expected = g.Metric, values[g.Metric], was
		}
	}
	w.sample.Reset()
	w.elapsed = 0
	switch {
	case !w.known:
		w.known, w.expected = true, values
	case worst.Metric != "":
		w.expectAnew()
		return c.degraded(worst)
	case least < -math.Log1p(c.cfg.Alert.Threshold) && !w.better:
		w.better = true // what is expected stays: a wave that comes back is no alert
		c.note("the goals are better than expected by %.0f%%", -100*math.Expm1(least))
		c.newRegime(c.state.Regime.Build, c.state.Safe)
		c.recordState()
	}
	return false
}

// degraded acts on an alert, and reports whether it took something back.
func (c *Controller) degraded(d Degraded) bool {
	at := c.onProbation()
	switch {
	case c.cfg.Advise && len(c.state.Keeps) == 0 || c.isPaused():
		d.Then = "nothing is changed now"
		at = -1
	case at >= 0:
		k := &c.state.Keeps[at]
		d.Then = fmt.Sprintf("%s %s, kept %v ago, is taken back and may be tried again", k.Optimization, k.Move, c.now.Sub(k.Since).Round(time.Second))
	case len(c.state.Keeps) > 0:
		d.Then = fmt.Sprintf("audits of what is kept are due now: %d", len(c.state.Keeps))
	default:
		d.Then = "nothing is kept that could be at fault"
	}
	c.record(Record{Kind: RecordAlert, Degraded: &d})
	from := c.state.Safe
	if at >= 0 {
		from = from.With(c.state.Keeps[at].Was)
	}
	c.newRegime(c.state.Regime.Build, from)
	if at >= 0 {
		c.takeBack(at)
		return true
	}
	c.recordState()
	return false
}

// onProbation is the latest keep, if it is recent enough to be taken back on an
// alert, and was not before; or -1.
func (c *Controller) onProbation() int {
	return c.latestKeep(func(k *Keep) bool {
		return c.now.Sub(k.Since) <= c.cfg.Alert.Probation && !c.state.Memory[k.Key].TakenBack
	})
}

// takeBack puts the old values in force without a verdict: nothing was shown.
func (c *Controller) takeBack(i int) {
	k := c.state.Keeps[i]
	why := fmt.Sprintf("what trial %d kept is taken back: the goals are worse than expected", k.Trial)
	c.endTrial(Inconclusive, Degradation, why)
	i = slices.IndexFunc(c.state.Keeps, func(o Keep) bool { return o.Trial == k.Trial })
	c.state.Safe = c.state.Safe.With(k.Was)
	m := c.state.Memory[k.Key]
	m.TakenBack = true
	c.state.Memory[k.Key] = m
	c.giveUp(i)
	c.recordState()
	c.beginRestore(why)
}

// seenSafe takes what was seen while the safe setting was in force, once the
// noise is known.
func (c *Controller) seenSafe(s *Sample, over time.Duration) {
	if c.measured.done && c.cfg.Alert.Interval > 0 {
		c.watch.take(s, over, c.epoch)
	}
}
