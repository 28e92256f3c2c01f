package plant

import "time"

// permits bound how many executions run at once: who finds none waits in line,
// and is rejected when its patience ends. A new patience holds for those who wait
// already, too: in the executor each keeps the one it came with.
type permits struct {
	held  int
	line  line
	looks time.Duration // when an event will look at who waits first; forever: none will
}

// acquire reports whether a request may go on at once.
func (s *Service) acquire(who int32) bool {
	if !s.on.limited {
		return true
	}
	p := &s.permits
	r := &s.requests[who]
	if p.held < s.on.permits && p.line.n == 0 {
		p.held++
		r.permit = true
		return true
	}
	r.since, r.stage = s.now, queues
	p.line.push(who)
	s.tire()
	return false
}

// release gives a permit back, if it has one, and lets the next ones in.
func (s *Service) release(who int32) {
	r := &s.requests[who]
	if !r.permit {
		return
	}
	r.permit = false
	s.permits.held--
	s.admit()
}

// admit lets in who may.
func (s *Service) admit() {
	p := &s.permits
	for p.line.n > 0 && (!s.on.limited || p.held < s.on.permits) {
		who := p.line.pop()
		r := &s.requests[who]
		s.tick.queued += s.now - r.since
		if s.on.limited {
			p.held++
			r.permit = true
		}
		if s.cfg.Kinds[r.kind].Calls != nil {
			s.call(who)
		} else {
			s.work(who)
			s.submit(who)
		}
	}
}

// tire rejects those who have waited too long, and looks again when the next one
// will have.
func (s *Service) tire() {
	p := &s.permits
	for p.line.n > 0 {
		who := p.line.first()
		r := &s.requests[who]
		if due := r.since + s.on.patience; due > s.now {
			if due < p.looks {
				p.looks = due
				s.agenda.plan(due, permitsTire, 0)
			}
			return
		}
		p.line.pop()
		s.tick.queued += s.now - r.since
		s.giveUp(who, rejected)
		s.submit(who)
	}
}

// inQueue is how long the first one in line has waited.
func (s *Service) inQueue() time.Duration {
	if s.permits.line.n == 0 {
		return 0
	}
	return s.now - s.requests[s.permits.line.first()].since
}
