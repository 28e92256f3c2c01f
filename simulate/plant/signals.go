package plant

import (
	"time"

	"autotune/catalog"
)

// signals are the executor's opportunity signals of executions with declared results,
// by the same rules, of every execution instead of sampled ones.
type signals struct {
	ghost *ghost
	alike alike
	burst burst
}

// alike notices identical executions that are in flight at once, in as many words
// as the executor has: inputs that would need the same one do not share it.
type alike [1 << 10]struct {
	key cacheKey
	n   int
}

func (a *alike) word(k cacheKey) int {
	return int((k.key*8 + uint64(k.kind)) * 0x9e3779b97f4a7c15 >> 54)
}

// begin notes an execution, and reports whether it is looked at and whether an
// identical one is in flight.
func (a *alike) begin(k cacheKey) (looked, matched bool) {
	w := &a[a.word(k)]
	if w.n > 0 && w.key != k {
		return false, false
	}
	w.key = k
	w.n++
	return true, w.n > 1
}

func (a *alike) end(k cacheKey) { a[a.word(k)].n-- }

// burst is a second, counted from a failure, in which at least ten executions
// failed and a quarter of all.
type burst struct {
	from          time.Duration
	failed, began int // in it
	open, known   bool
}

// fail counts a failure, and reports whether it makes a burst.
func (b *burst) fail(now time.Duration) bool {
	if !b.open || now-b.from >= time.Second {
		*b = burst{from: now, failed: 1, began: 1, open: true}
		return false
	}
	b.failed++
	if b.known || b.failed < 10 || 4*b.failed < b.began {
		return false
	}
	b.known = true
	return true
}

// executionFailed counts an execution that ended with an error.
func (s *Service) executionFailed() {
	s.tick.failedExecutions++
	if s.signals.burst.fail(s.now) {
		s.tick.bursts++
	}
}

// look looks at an execution whose result is declared, as it begins.
func (s *Service) look(who int32, k *Kind) {
	r := &s.requests[who]
	id := cacheKey{key: r.key, kind: r.kind}
	after := -forever
	if k.Results.Fresh > 0 {
		after = s.now - k.Results.Fresh
	}
	r.repeats = s.signals.ghost.see(id, s.now, after)
	looked, matched := s.signals.alike.begin(id)
	r.watched = looked
	if looked {
		s.tick.looked++
	}
	if matched {
		s.tick.matched++
	}
}

// looked is the end of an execution whose result is declared.
func (s *Service) looked(r *request) {
	if r.watched {
		s.signals.alike.end(cacheKey{key: r.key, kind: r.kind})
	}
	if r.repeats {
		s.tick.repeated += max(0, s.now-r.began-s.slowed(s.cfg.Overhead))
	}
}

// reportSignals adds the gauges that are known.
func (s *Service) reportSignals(d time.Duration) {
	t, totals, gauges := &s.tick, s.sample.Totals, s.sample.Gauges
	totals[catalog.RepeatedSeconds] = t.repeated.Seconds()
	totals[catalog.ErrorBursts] = float64(t.bursts)
	totals[catalog.Retries], totals[catalog.Fallbacks] = float64(t.retries), float64(t.fallbacks)
	gauges[catalog.CPUUtilization] = t.cpu.Seconds() / d.Seconds() / float64(s.cfg.Cores)
	gauges[catalog.PoolTypes], gauges[catalog.DeclaredSteps] = float64(s.poolTypes), float64(s.declared)
	if t.looked > 0 {
		gauges[catalog.IdenticalInFlightRatio] = float64(t.matched) / float64(t.looked)
	}
	g := s.signals.ghost
	reach := len(g.sizes) - 1
	if miss, ok := g.missRatio(reach); ok {
		gauges[catalog.DuplicateInputRatio] = 1 - miss
		for i, size := range g.sizes[:reach] {
			gauges[catalog.CacheMissRatio(size)], _ = g.missRatio(i)
		}
	}
}
