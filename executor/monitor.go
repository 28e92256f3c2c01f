package executor

import (
	"context"
	"fmt"
	"math"
	"math/bits"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"autotune/controller"
)

// Alert says that a step got worse: over one interval of monitoring, by more
// than performance_alert_threshold and by more than chance explains.
type Alert struct {
	At   time.Time
	Step string
	// Metric is what got worst: controller.LatencyP50, LatencyP95 or ErrorRatio.
	Metric controller.Metric
	// Value over the interval, and Reference, what it was before: seconds, or a ratio.
	Value, Reference float64
	// Threshold that it is beyond: performance_alert_threshold at that time.
	Threshold float64
	// Over is how long the interval was, and Executions how many it had, about.
	Over       time.Duration
	Executions uint64
}

// String says it for people.
func (a Alert) String() string {
	return fmt.Sprintf("step %s: %s %.4g over %v, %.4g before (threshold %+.0f%%)",
		a.Step, a.Metric, a.Value, a.Over.Round(time.Second), a.Reference, 100*a.Threshold)
}

// monitoring is the part of enable_performance_monitoring. Each step that runs
// is watched: at each interval its latency and errors are compared with a
// reference, the first interval since the switch is on or since its last alert.
// An interval with few executions goes on. Alerts go to a channel that nobody
// waits for.
type monitoring struct {
	nothingToTrim

	looks     periodic
	threshold atomic.Uint64           // bits of a float64
	session   atomic.Pointer[session] // nil while off
	alerts    chan Alert
	sent      atomic.Uint64
	dropped   atomic.Uint64
}

// session is one time that monitoring is on.
type session struct {
	number  uint64
	mu      sync.Mutex
	watches []*watch // guarded by mu
}

const (
	alertsKept = 64
	// mostWatched bounds memory, at 20 KB a step: steps beyond it are not watched.
	mostWatched = 1000
)

func (m *monitoring) reconcile(next *snapshot) {
	m.threshold.Store(math.Float64bits(next.config.PerformanceAlertThreshold))
	if next.features&monitored == 0 {
		m.session.Store(nil)
		m.looks.set(0)
		return
	}
	if m.session.Load() == nil {
		m.session.Store(&session{number: sessions.Add(1)})
	}
	next.session = m.session.Load()
	m.looks.set(next.config.PerformanceMonitoringInterval)
}

// sessions that there were, so that a later one is told from an earlier one.
var sessions atomic.Uint64

func (m *monitoring) readBack(c *Config) {
	c.PerformanceAlertThreshold = math.Float64frombits(m.threshold.Load())
	if every := m.looks.every(); every > 0 {
		c.PerformanceMonitoringInterval = every
	}
}

func (m *monitoring) stop() {
	m.looks.stop()
	close(m.alerts)
}

// Alerts is where alerts of performance monitoring go. It holds 64; while it is
// full, further ones are dropped and counted. Close closes it. The executor of an
// autopilot has them taken by that, for its OnAlert, until it ends.
func (ex *Executor) Alerts() <-chan Alert { return ex.monitoring.alerts }

func (m *monitoring) look() {
	s := m.session.Load()
	if s == nil {
		return
	}
	s.mu.Lock()
	watches := s.watches // only ever appended to
	s.mu.Unlock()
	threshold := math.Float64frombits(m.threshold.Load())
	for _, w := range watches {
		alert, ok := w.compare(threshold, time.Now())
		if !ok {
			continue
		}
		m.sent.Add(1)
		select {
		case m.alerts <- alert:
		default:
			m.dropped.Add(1)
		}
	}
}

// watch is a step in a session.
type watch struct {
	session *session
	step    string
	window  *window // nil: the step is not watched

	// Of the monitoring goroutine alone.
	began     time.Time // of the interval
	reference *figures
}

// watched returns the step's watch in a session, or nil for an execution of an
// earlier one.
func (s *Step[In, Out]) watched(in *session) *watch {
	w := s.watch.Load()
	if w != nil && w.session == in {
		return w
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	w = s.watch.Load()
	switch {
	case w != nil && w.session == in:
		return w
	case w != nil && w.session.number > in.number:
		return nil
	}
	w = &watch{session: in, step: s.cfg.Name, began: time.Now()}
	if len(in.watches) < mostWatched {
		w.window = &window{}
		in.watches = append(in.watches, w)
	}
	s.watch.Store(w)
	return w
}

// monitored is Run for a step that is watched, or would be.
func (s *Step[In, Out]) monitored(ctx context.Context, count *stripe, st *snapshot, hash uint64, in In) (Out, error) {
	w, weight := s.watched(st.session), uint64(0)
	if w != nil && w.window != nil {
		weight = w.window.weight()
	}
	if weight == 0 {
		return s.unmonitored(ctx, count, st, hash, in)
	}
	began := s.ex.clock.NowNano()
	out, err := s.unmonitored(ctx, count, st, hash, in)
	w.window.add(s.ex.clock.NowNano()-began, weight, err != nil)
	return out, err
}

// unmonitored is Run for a step to which something else, or nothing, matters.
func (s *Step[In, Out]) unmonitored(ctx context.Context, count *stripe, st *snapshot, hash uint64, in In) (Out, error) {
	switch on := st.features & s.relevant &^ monitored; {
	case on&(traced|closed) == traced && st.picks():
		return s.trace(ctx, count, st, hash, in)
	case on&^traced == 0:
		return s.plain(ctx, count, in)
	case s.serves(st):
		return s.served(ctx, count, st, hash, in)
	}
	return s.run(ctx, count, st, hash, in)
}

// window has the executions of an interval: how long they took, in buckets that
// are 3 % wide, and how many failed.
//
// The first executions of an interval are all timed. After each thousands of
// them the chance that one is timed halves, and one that is counts for those
// that are not: a step that runs a million times a second pays next to nothing.
type window struct {
	timed   atomic.Uint64
	failed  atomic.Uint64 // weight of
	buckets [buckets]atomic.Uint64
}

const (
	halveAfter  = 4096
	mostHalved  = 6
	subBits     = 5 // 32 buckets for each factor of 2
	longestBits = 42
	buckets     = (longestBits - subBits + 1) << subBits
)

// weight is how many executions this one is timed for; 0: it is not.
func (w *window) weight() uint64 {
	n := min(w.timed.Load()/halveAfter, mostHalved)
	if n == 0 {
		return 1
	}
	if rand.Uint64()&(1<<n-1) != 0 {
		return 0
	}
	return 1 << n
}

func (w *window) add(nanos int64, weight uint64, failed bool) {
	w.timed.Add(1)
	w.buckets[bucketOf(uint64(max(nanos, 0)))].Add(weight)
	if failed {
		w.failed.Add(weight)
	}
}

// bucketOf nanoseconds: below 32 each has its own, above 32 for each factor of 2.
func bucketOf(nanos uint64) int {
	nanos = min(nanos, 1<<longestBits-1)
	shift := max(bits.Len64(nanos)-1-subBits, 0)
	return shift<<subBits + int(nanos>>shift)
}

// startOf a bucket, in nanoseconds.
func startOf(bucket int) float64 {
	shift := max(bucket>>subBits-1, 0)
	return float64(uint64(bucket-shift<<subBits) << shift)
}

// figures are what an interval comes to.
type figures struct {
	total, failed float64 // weights
	size          float64 // how many executions that were all timed would say as much
	counts        [buckets]uint64
}

// take empties the window.
func (w *window) take() *figures {
	f := &figures{}
	squares := 0.0
	for n, left := 0, w.timed.Swap(0); left > 0; n = min(n+1, mostHalved) {
		here := left
		if n < mostHalved {
			here = min(left, halveAfter)
		}
		squares += float64(here) * float64(uint64(1)<<(2*n))
		left -= here
	}
	f.failed = float64(w.failed.Swap(0))
	for i := range w.buckets {
		if w.buckets[i].Load() > 0 {
			f.counts[i] = w.buckets[i].Swap(0)
			f.total += float64(f.counts[i])
		}
	}
	f.failed = min(f.failed, f.total)
	f.size = f.total * f.total / squares
	return f
}

// quantile in seconds, of q within 0..1.
func (f *figures) quantile(q float64) float64 {
	below, want := 0.0, min(max(q, 0), 1)*f.total
	for i, n := range f.counts {
		if n == 0 {
			continue
		}
		if share := (want - below) / float64(n); share <= 1 {
			return (startOf(i) + max(share, 0)*(startOf(i+1)-startOf(i))) / 1e9
		}
		below += float64(n)
	}
	return startOf(buckets) / 1e9
}

const (
	// deviations is how many standard errors an interval's figure must be off on its
	// side, and the reference's on the other: with both, chance raises an alert
	// once in some 100,000 intervals.
	deviations = 3
	// leastTimed executions make an interval.
	leastTimed = 50
)

// compare ends the interval, if it has enough, and reports what got worst.
func (w *watch) compare(threshold float64, now time.Time) (Alert, bool) {
	if w.window.timed.Load() < leastTimed {
		return Alert{}, false
	}
	alert := Alert{At: now, Step: w.step, Over: now.Sub(w.began), Threshold: threshold}
	f, was := w.window.take(), w.reference
	w.began = now
	if was == nil {
		w.reference = f
		return Alert{}, false
	}
	alert.Executions = uint64(f.total)
	most := 1 + threshold
	consider := func(m controller.Metric, value, reference float64, beyondChance bool) {
		if ratio := value / reference; beyondChance && ratio > most { // 0 before: infinite
			most = ratio
			alert.Metric, alert.Value, alert.Reference = m, value, reference
		}
	}
	for m, q := range map[controller.Metric]float64{controller.LatencyP50: 0.5, controller.LatencyP95: 0.95} {
		spread := deviations * math.Sqrt(q*(1-q))
		least, highest := q-spread/math.Sqrt(f.size), q+spread/math.Sqrt(was.size)
		consider(m, f.quantile(q), was.quantile(q), highest < 1 && f.quantile(least) > was.quantile(highest))
	}
	now1, was1 := f.failed/f.total, was.failed/was.total
	pooled := (f.failed + was.failed) / (f.total + was.total)
	deviation := math.Sqrt(pooled * (1 - pooled) * (1/f.size + 1/was.size))
	consider(controller.ErrorRatio, now1, was1, now1-was1 > (deviations+1)*deviation)
	if alert.Metric == "" {
		return Alert{}, false
	}
	w.reference = nil
	return alert, true
}
