package plant

import "time"

// cores are what all work shares: who is ready waits in one line, first in, first
// out, and has a core until its burst ends or its quantum is over.
//
// With a quantum of 0 this is the queue M/G/k of the textbooks; with a short one
// it comes close to processor sharing.
type cores struct {
	n, busy int
	ready   line
}

// submit makes a request ready to run.
func (s *Service) submit(who int32) {
	c := &s.cores
	if c.busy < c.n {
		c.busy++
		s.run(who)
		return
	}
	s.requests[who].since = s.now
	c.ready.push(who)
}

// run gives a request the core that was counted as busy for it.
func (s *Service) run(who int32) {
	if s.requests[who].stage == begins {
		s.begin(who)
	}
	r := &s.requests[who]
	slice := r.burst
	if q := s.cfg.Quantum; q > 0 {
		slice = min(slice, q)
	}
	r.burst -= slice
	s.tick.cpu += slice
	if r.stage == collects {
		s.tick.collecting += slice
	}
	s.agenda.plan(s.now+slice, burstEnds, who)
}

// burstEnded goes on with the request whose burst it was, or gives its core to
// the next one.
func (s *Service) burstEnded(who int32) {
	again := s.requests[who].burst > 0
	if again && s.cores.ready.n > 0 { // its quantum is over
		s.requests[who].since = s.now
		s.cores.ready.push(who)
		again = false
	} else if !again {
		again = s.proceed(who)
	}
	if again {
		s.run(who)
		return
	}
	if s.cores.ready.n == 0 {
		s.cores.busy--
		return
	}
	next := s.cores.ready.pop()
	s.tick.ready += s.now - s.requests[next].since
	s.run(next)
}

// background is work of the service's own. The collector's goes ahead of what waits.
func (s *Service) background(what stage, work time.Duration) {
	who := s.place()
	r := &s.requests[who]
	r.stage, r.burst, r.since = what, work, s.now
	switch {
	case s.cores.busy < s.cores.n:
		s.cores.busy++
		s.run(who)
	case what == collects:
		s.cores.ready.jump(who)
	default:
		s.cores.ready.push(who)
	}
}
