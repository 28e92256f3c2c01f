package plant

import (
	"math"
	"time"
)

// request is one in flight, or a piece of the service's own work.
type request struct {
	start time.Duration // when it arrived
	since time.Duration // when it began to wait for what it waits for
	began time.Duration // when its step was first run
	burst time.Duration // CPU time until its stage is over
	owed  time.Duration // CPU time of waits, of its next burst
	seed  uint64        // of its own chance
	key   uint64
	round uint64
	next  int32 // of a list that it is in
	heads int32 // who waits for its result: a list; -1: nobody

	version uint32 // of the circuit that admitted it
	kind    uint8
	stage   stage
	attempt uint8
	outcome outcome
	calls   outcome // how its call will end
	hash    bool    // how it is identified
	permit  bool    // it has one
	leads   bool    // others may wait for its result
	stale   bool    // what it computes was overwritten meanwhile
	scratch bool    // it has a scratch object
	watched bool    // it counts among identical ones in flight
	repeats bool    // its input was seen before, and a result would still be fresh
}

// stage is where a request is.
type stage uint8

const (
	unused   stage = iota
	begins         // it waits for a core, for the first time
	looks          // it reads the request, and will look for its result or compute it
	queues         // it waits for a permit
	works          // the step computes
	joined         // it waits for another's result
	dials          // it reads the request, and will call
	calling        // it waits for what it calls
	pauses         // it waits before another attempt
	answers        // what is left is the answer
	collects       // garbage collection
	exports        // export of spans
)

// outcome is how a request ends.
type outcome uint8

const (
	done outcome = iota
	failed
	rejected // it waited too long for a permit
	timedOut // of a call
)

// place is a free place for a request.
func (s *Service) place() int32 {
	who := s.unused
	if who >= 0 {
		s.unused = s.requests[who].next
		s.requests[who] = request{heads: -1}
		return who
	}
	s.requests = append(s.requests, request{heads: -1})
	return int32(len(s.requests) - 1)
}

func (s *Service) free(who int32) {
	r := &s.requests[who]
	r.stage, r.next = unused, s.unused
	s.unused = who
}

// Each request draws from chance of its own, so that what a setting does to one
// changes nothing for another: two settings are compared under the same luck.
const (
	drawWork = iota + 1
	drawTransit
	drawCall           // and on: three for each attempt
	drawSpan = 1 << 16 // and on: one for each step
)

// draw is the n-th draw of a seed, in [0, 1): splitmix64.
//
// Steele, Lea and Flood, Fast splittable pseudorandom number generators, OOPSLA 2014.
func draw(seed, n uint64) float64 {
	z := seed + n*0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return float64((z^z>>31)>>11) * (1.0 / (1 << 53))
}

// exponential with mean 1, of a draw.
func exponential(u float64) float64 { return -math.Log1p(-u) }

// arrive is a new request.
func (s *Service) arrive() {
	who := s.place()
	r := &s.requests[who]
	r.seed = s.chance.Uint64()
	u := float64(r.seed>>11) * (1.0 / (1 << 53))
	for u >= s.shares[r.kind] {
		r.kind++
	}
	if next := s.keys[r.kind]; next != nil {
		r.key = next()
	}
	r.start, r.round, r.stage = s.now, s.round, begins
	s.inFlight++
	s.tick.requests++
	s.submit(who)
}

// begin is when a request has a core for the first time: what it has to do first
// depends on what is on, and on what is in the cache.
func (s *Service) begin(who int32) {
	d := s.cfg.Overhead + s.watchedCost(&s.requests[who]) + s.alloc(s.cfg.OverheadAlloc)
	r := &s.requests[who]
	k := &s.cfg.Kinds[r.kind]
	r.began = s.now
	if k.Calls != nil {
		r.stage, r.burst = dials, s.slowed(d)
		return
	}
	if k.Results.declared() {
		s.look(who, k)
	}
	if k.Results.declared() && (s.on.cache || s.on.share) {
		d += s.cfg.Executor.identity(s.on.hash)
		r.hash = s.on.hash
		if s.on.cache {
			if s.cache.get(r.id(), s.bornAfter(k)) {
				s.tick.hits++
				r.stage, r.burst = answers, s.slowed(d+s.cfg.Executor.Hit)
				return
			}
			s.tick.misses++
			d += s.cfg.Executor.Keep
		}
		if s.on.share {
			r.stage, r.burst = looks, s.slowed(d)
			return
		}
	}
	if s.on.limited {
		r.stage, r.burst = looks, s.slowed(d)
		return
	}
	s.work(who)
	r.burst += s.slowed(d)
}

func (r *request) id() cacheKey { return cacheKey{r.key, r.kind, r.hash} }

// bornAfter is how old a result of a kind may be.
func (s *Service) bornAfter(k *Kind) time.Duration {
	ttl := s.on.cacheTTL
	if k.Results.Fresh > 0 {
		ttl = min(ttl, k.Results.Fresh)
	}
	return s.now - ttl
}

// proceed goes on with a request whose burst is over, and reports whether it
// needs its core further.
func (s *Service) proceed(who int32) (again bool) {
	switch r := &s.requests[who]; r.stage {
	case looks:
		return s.compute(who)
	case works:
		s.worked(who)
		s.finish(who)
	case dials:
		if s.on.errors && s.cfg.Kinds[r.kind].Calls.Attempts > 1 {
			s.links[r.kind].budget.earn()
		}
		return s.try(who)
	case answers:
		s.finish(who)
	case collects:
		s.free(who)
		s.collected()
	case exports:
		s.free(who)
		s.exported()
	}
	return false
}

// compute joins an identical execution that is in flight, or runs the step.
func (s *Service) compute(who int32) (again bool) {
	r := &s.requests[who]
	k := &s.cfg.Kinds[r.kind]
	if s.on.share && k.Results.declared() {
		if at, ok := s.flights[r.id()]; ok && (k.Results.Pure || s.now-s.requests[at].began < k.Results.Fresh) {
			leader := &s.requests[at]
			r.next, leader.heads = leader.heads, who
			r.stage = joined
			s.tick.shared++
			return false
		}
		s.flights[r.id()] = who
		r.leads = true
	}
	if !s.acquire(who) {
		return false
	}
	s.work(who)
	return true
}

// work is the step's own burst.
func (s *Service) work(who int32) {
	r := &s.requests[who]
	k := &s.cfg.Kinds[r.kind]
	r.stage = works
	d := k.Work
	if u := r.seed; d > 0 {
		if k.PerKey {
			u = r.key + uint64(r.kind)<<56
		}
		d = time.Duration(float64(d) * k.Tail.At(draw(u, drawWork)))
	}
	bytes := k.Alloc
	if k.Scratch.Bytes > 0 {
		r.scratch = true
		s.pinned += k.Scratch.Bytes
		if !s.pool.take(k.Scratch.Bytes) {
			d += k.Scratch.Cost
			bytes += k.Scratch.Bytes
		}
	}
	if k.State.Copies > 0 {
		if !s.on.context {
			d += k.State.Cost
			bytes += k.State.Alloc
		}
		s.tick.copies += k.State.Copies
		s.tick.copied += float64(k.State.Copies) * k.State.Bytes
	}
	d += r.owed
	r.owed = 0
	d = s.slowed(d) + s.alloc(bytes) // what it allocates may start a collection: another request's place may move
	s.requests[who].burst = d
}

// worked is the end of a step.
func (s *Service) worked(who int32) {
	r := &s.requests[who]
	k := &s.cfg.Kinds[r.kind]
	if r.scratch {
		r.scratch = false
		s.pinned -= k.Scratch.Bytes
		limit := 0
		if s.on.pool {
			limit = s.on.poolSize
		}
		s.pool.give(limit)
	}
	if s.on.cache && k.Results.declared() && !r.stale {
		s.cache.put(r.id(), r.began, k.Results.Bytes)
	}
	if k.Writes > 0 {
		s.invalidate(uint8(k.Writes-1), r.key)
	}
	s.release(who)
	s.land(who)
}

// invalidate drops what is kept of a key, and what is being computed of it.
func (s *Service) invalidate(kind uint8, key uint64) {
	for _, hash := range []bool{false, true} {
		id := cacheKey{key, kind, hash}
		s.cache.drop(id)
		if at, ok := s.flights[id]; ok {
			s.requests[at].stale = true
			delete(s.flights, id)
		}
	}
}

// land gives a result, or an error, to those who wait for it.
func (s *Service) land(who int32) {
	r := &s.requests[who]
	if !r.leads {
		return
	}
	r.leads = false
	if at, ok := s.flights[r.id()]; ok && at == who {
		delete(s.flights, r.id())
	}
	waits, how := r.heads, r.outcome
	r.heads = -1
	for waits >= 0 {
		w := &s.requests[waits]
		next := w.next
		w.stage, w.outcome, w.burst = answers, how, s.slowed(s.cfg.Executor.Hit)
		s.submit(waits)
		waits = next
	}
}

// finish ends a request.
func (s *Service) finish(who int32) {
	r := &s.requests[who]
	if s.cfg.Kinds[r.kind].Results.declared() {
		s.looked(r)
	}
	s.inFlight--
	latency := s.now - r.start
	if s.cfg.Transit > 0 {
		latency += time.Duration(float64(s.cfg.Transit) * exponential(draw(r.seed, drawTransit)))
	}
	t := &s.tick
	switch r.outcome {
	case done:
		t.done++
		t.latency += latency
		s.score.done(s.now, latency)
	case rejected:
		t.rejected++
	default:
		t.failed++
	}
	if r.round == s.round {
		t.completed++
		if r.outcome == done {
			t.histogram.Record(latency)
		} else {
			t.failures++
		}
	}
	s.free(who)
}
