package plant

import (
	"math"
	"time"

	"autotune/catalog"
	"autotune/controller"
)

// tally is what happened in a tick.
type tally struct {
	requests, done, failed, rejected int
	latency                          time.Duration // of those that were done
	cpu, collecting, exporting       time.Duration
	ready, queued                    time.Duration // waited for a core, for a permit
	executions, failedExecutions     int
	bursts, looked, matched          int           // of failures; executions with declared results, and those with an identical one in flight
	repeated                         time.Duration // that executions took whose input repeats
	hits, misses, shared             int
	calls, retries, broken           int
	fallbacks                        int
	spans, dropped                   int
	copies                           int
	copied                           float64

	histogram controller.Histogram // of this epoch
	completed int                  // of this epoch
	failures  int                  // of this epoch
}

func (t *tally) reset() {
	h := t.histogram
	*t = tally{histogram: h}
	t.histogram.Reset()
}

// Counts of a service since it began: arrived = done + failed + rejected + in flight.
type Counts struct {
	Arrived, Done, Failed, Rejected uint64
	InFlight                        int
	// Hits and Misses of the cache, and Shared results of executions in flight.
	Hits, Misses, Shared uint64
	// Calls to dependencies, Retries among them, and attempts that an open circuit rejected.
	Calls, Retries, Broken uint64
	// Spans begun, and Dropped by a full queue.
	Spans, Dropped uint64
}

// Counts returns what happened so far.
func (s *Service) Counts() Counts {
	c := s.ever
	c.InFlight = s.inFlight
	return c
}

func (c *Counts) add(t *tally) {
	c.Arrived += uint64(t.requests)
	c.Done += uint64(t.done)
	c.Failed += uint64(t.failed)
	c.Rejected += uint64(t.rejected)
	c.Hits += uint64(t.hits)
	c.Misses += uint64(t.misses)
	c.Shared += uint64(t.shared)
	c.Calls += uint64(t.calls)
	c.Retries += uint64(t.retries)
	c.Broken += uint64(t.broken)
	c.Spans += uint64(t.spans)
	c.Dropped += uint64(t.dropped)
}

// report fills the sample as live sensors do: what started and ended in this
// epoch, and at their ages those that did not end.
func (s *Service) report(d time.Duration) {
	oldest := time.Duration(math.MaxInt64)
	if s.inFlight > 0 {
		for i := range s.requests {
			r := &s.requests[i]
			if r.stage == unused || r.stage >= collects {
				continue
			}
			oldest = min(oldest, r.start)
			if r.round != s.round {
				continue
			}
			if s.sample.Unfinished == nil { // new each time: merged samples keep it
				s.sample.Unfinished = &controller.Histogram{}
			}
			s.sample.Unfinished.Record(s.now - r.start)
		}
	}
	age := 0.0
	if s.inFlight > 0 {
		age = (s.now - oldest).Seconds()
	}
	t, c := &s.tick, &s.collector
	s.ever.add(t)
	s.score.add(s, d)
	t.histogram.Fail(uint64(t.failures))
	s.sample.Latency = &t.histogram
	totals, gauges := s.sample.Totals, s.sample.Gauges
	totals[controller.Requests] = float64(t.requests)
	totals[controller.Completions] = float64(t.completed)
	totals[controller.Errors] = float64(t.failures)
	totals[controller.CPUSeconds] = t.cpu.Seconds()
	totals[controller.AllocBytes] = c.total - c.reported
	c.reported = c.total
	totals[catalog.Executions] = float64(t.executions)
	totals[catalog.FailedExecutions] = float64(t.failedExecutions)
	totals[catalog.QueueWaitSeconds] = t.queued.Seconds()
	totals[catalog.SchedulerWaitSeconds] = t.ready.Seconds()
	totals[catalog.TelemetrySeconds] = t.exporting.Seconds()
	gauges[controller.InFlight] = float64(s.inFlight)
	gauges[controller.OldestInFlight] = age
	gauges[controller.RSSBytes] = s.rss()
	if limit := s.cfg.Heap.Container; limit > 0 {
		gauges[controller.MemoryRatio] = s.rss() / limit
	}
	if t.cpu > 0 {
		gauges[controller.GCCPURatio] = t.collecting.Seconds() / t.cpu.Seconds()
	}
	totals[catalog.StateCopiedBytes] = t.copied
	if t.copies > 0 {
		gauges[catalog.StateBytes] = t.copied / float64(t.copies)
	}
	if d > 0 {
		s.reportSignals(d)
	}
}
