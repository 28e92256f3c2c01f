package plant

import "time"

// Overheads are CPU times of the executor's own work. Zero fields have the values
// that its benchmarks show.
type Overheads struct {
	// Encoded is the identity of an input by canonical encoding and SHA-256, 500 ns;
	// Hashed by typed hashing, 50 ns.
	Encoded, Hashed time.Duration
	// Hit is looking up and copying a result, 150 ns; Keep is putting one into the
	// cache, 400 ns.
	Hit, Keep time.Duration
	// Monitor is the monitoring of an execution, 100 ns.
	Monitor time.Duration
}

func (c *Overheads) setDefaults() {
	for _, f := range []struct {
		v  *time.Duration
		by time.Duration
	}{
		{&c.Encoded, 500},
		{&c.Hashed, 50},
		{&c.Hit, 150},
		{&c.Keep, 400},
		{&c.Monitor, 100},
	} {
		if *f.v == 0 {
			*f.v = f.by
		}
	}
}

func (c *Overheads) identity(hash bool) time.Duration {
	if hash {
		return c.Hashed
	}
	return c.Encoded
}

// Exporter of spans: one export at a time, in the background, on a core like any
// other work.
type Exporter struct {
	// Begin is the CPU time that a span takes from its execution, Span that of
	// exporting it, and Call that of each export, however many spans it has.
	Begin, Span, Call time.Duration
	// Alloc is what a span allocates, in bytes.
	Alloc float64
}

// flushEvery is how long a span waits at most for its batch to fill.
const flushEvery = time.Second

const (
	leastQueue    = 2048 // spans, as the executor's queue
	queuedBatches = 4
)

// spans that have ended.
type spans struct {
	waiting   int
	exporting bool
}

// spanRate is the share of executions that have a span.
func (s *Service) spanRate() float64 {
	if s.cfg.Exporter == nil {
		return 0
	}
	return s.on.sampling
}

// watchedCost is what it costs a request's executions to be monitored and traced.
func (s *Service) watchedCost(r *request) time.Duration {
	seed, steps := r.seed, max(s.cfg.Kinds[r.kind].Steps, 1)
	s.tick.executions += steps
	s.signals.burst.began += steps
	d := time.Duration(0)
	if s.on.monitoring {
		d = time.Duration(steps) * s.cfg.Executor.Monitor
	}
	rate := s.spanRate()
	if rate == 0 {
		return d
	}
	for i := range steps {
		if rate < 1 && draw(seed, drawSpan+uint64(i)) >= rate {
			continue
		}
		s.tick.spans++
		if s.spans.waiting >= max(leastQueue, queuedBatches*s.on.batch) {
			s.tick.dropped++
		} else {
			s.spans.waiting++
		}
		d += s.cfg.Exporter.Begin + s.alloc(s.cfg.Exporter.Alloc)
		s.exportSpans(s.on.batch)
	}
	return d
}

// exportSpans begins an export if at least so many spans wait.
func (s *Service) exportSpans(least int) {
	n := min(s.spans.waiting, s.on.batch)
	if n < least || n == 0 || s.spans.exporting {
		return
	}
	e := s.cfg.Exporter
	s.spans.waiting -= n
	s.spans.exporting = true
	work := e.Call + time.Duration(n)*e.Span
	s.tick.exporting += work
	s.background(exports, work)
}

func (s *Service) exported() {
	s.spans.exporting = false
	s.exportSpans(s.on.batch)
}
