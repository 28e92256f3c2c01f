package executor

import "context"

// thinning is how many executions of a step with a Key, or inputs to encode, one stands for that is
// looked at. A Key is its owner's code, and may cost more than a signal should.
// Repeats that come soon after each other are mostly missed then: too little gain is
// promised, not too much.
const thinning = 32

// offered executions are in stripe.began under 1, all others under 0.
const offered = 1

// look takes the n-th execution of its stripe. Most executions only get a hash,
// which says whether their input is sampled, and which the cache takes up if it is
// on. It is 0 for a step whose inputs are not hashed in nanoseconds, of which one in
// so many is sampled.
func (s *Step[In, Out]) look(n uint64, in In) (hash uint64, sampled bool) {
	if s.kind != offered {
		return 0, mixed(n)%thinning == 0 // n itself would keep time with a caller's own turns
	}
	hash = s.identify.hash(in)
	return hash, s.sight.ghost.looksAt(hash)
}

// sampled is the rest of Run for an input that is sampled. Those that repeat one are
// timed: what a cache could have saved.
func (s *Step[In, Out]) sampled(ctx context.Context, count *stripe, hash uint64, in In) (Out, error) {
	began := s.ex.clock.NowNano()
	repeats := 0.0
	if s.kind == offered {
		repeats = s.sight.ghost.see(hash, 1, s.cfg.Results.fresh, began)
		if s.sight.alike.begin(hash) {
			defer s.sight.alike.end(hash)
		}
	} else {
		repeats = s.lookThinned(count, in, began)
	}
	if repeats > 0 {
		defer s.repeated(repeats, began)
	}
	return s.execute(ctx, count, s.ex.current.Load(), hash, in)
}

// repeated counts what an execution took, so many times.
func (s *Step[In, Out]) repeated(times float64, began int64) {
	s.sight.repeated.Add(int64(times * float64(s.ex.clock.NowNano()-began)))
}

// lookThinned looks at an execution of a step with a Key, and returns for how many
// repeats it stands. If the Key panics there is no identity, and whoever needs one
// will be told.
func (s *Step[In, Out]) lookThinned(count *stripe, in In, now int64) (repeats float64) {
	defer func() { _ = recover() }()
	if id, held, ok := s.identify.of(in, true, 0); ok {
		held.free()
		count.thinned.Add(thinning)
		if s.sight.ghost.looksAt(id.hash) {
			repeats = s.sight.ghost.see(id.hash, thinning, s.cfg.Results.fresh, now)
		}
	}
	return repeats
}
