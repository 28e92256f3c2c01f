package plant

import "time"

// try makes an attempt to call, unless the circuit is open. It reports whether
// the request needs a core now.
func (s *Service) try(who int32) (burst bool) {
	r := &s.requests[who]
	r.attempt++
	if s.on.breaker {
		version, ok := s.links[r.kind].circuit.enter(s.now, s.on.recovery)
		if !ok {
			s.tick.broken++
			s.giveUp(who, failed)
			return true
		}
		r.version = version
	}
	if s.acquire(who) {
		s.call(who)
	}
	return false
}

// call waits for what is called. The CPU time of waiting is owed until the request
// has a core.
func (s *Service) call(who int32) {
	owed := s.alloc(s.cfg.Kinds[s.requests[who].kind].Calls.Alloc)
	r := &s.requests[who]
	d := s.cfg.Kinds[r.kind].Calls
	r.owed += d.Wait + owed
	n := uint64(drawCall + 3*r.attempt)
	wait := d.Least + time.Duration(float64(d.Spread)*exponential(draw(r.seed, n)))
	r.calls = done
	switch {
	case s.links[r.kind].isDown(s.now):
		wait, r.calls = d.Least, failed
	case d.Hangs > 0 && draw(r.seed, n+1) < d.Hangs:
		wait = d.Hang
	}
	if draw(r.seed, n+2) < d.Fails {
		r.calls = failed
	}
	if d.Timeout > 0 && wait >= d.Timeout {
		wait, r.calls = d.Timeout, timedOut
	}
	r.stage = calling
	s.tick.calls++
	s.agenda.plan(s.now+wait, wakes, who)
}

// woke is the end of a call or of a pause.
func (s *Service) woke(who int32) {
	if s.requests[who].stage == pauses {
		if s.try(who) {
			s.submit(who)
		}
		return
	}
	s.called(who)
}

// called is the end of a call.
func (s *Service) called(who int32) {
	s.release(who)
	r := &s.requests[who]
	k := &s.cfg.Kinds[r.kind]
	d, l := k.Calls, &s.links[r.kind]
	if s.on.breaker {
		l.circuit.leave(r.version, r.calls != done, s.now, s.on.breakAfter)
	}
	if r.calls == done {
		s.work(who)
		s.submit(who)
		return
	}
	again := int(r.attempt) < d.Attempts
	if again && s.on.errors {
		again = !d.Permanent && l.budget.spend()
	}
	if again {
		s.tick.retries++
		r.stage, r.owed = pauses, r.owed+d.Wait
		s.agenda.plan(s.now+d.Backoff<<(r.attempt-1), wakes, who)
		return
	}
	s.giveUp(who, failed)
	s.submit(who)
}

// giveUp answers without: with the fallback if there is one.
func (s *Service) giveUp(who int32, how outcome) {
	r := &s.requests[who]
	r.stage, r.outcome, r.burst = answers, how, s.slowed(r.owed)
	r.owed = 0
	if c := s.cfg.Kinds[r.kind].Calls; c != nil && c.Fallback > 0 {
		r.outcome, r.burst = done, r.burst+s.slowed(c.Fallback)
		s.tick.fallbacks++
	} else {
		s.executionFailed()
	}
	s.land(who)
}

func (l *link) isDown(now time.Duration) bool {
	for now >= l.until {
		var level float64
		level, l.until = l.outage(now)
		l.down = level > 0
	}
	return l.down
}
