package executor

import "hash/maphash"

// thinning is how many executions of a step with a Key, or inputs to encode, one stands for that is
// looked at. A Key is its owner's code, and may cost more than a signal should.
// Repeats that come soon after each other are mostly missed then: too little gain is
// promised, not too much.
const thinning = 32

// looks are what a step's executions are looked at with, for signals; the zero
// value does not look.
type looks[In any] struct {
	*sight
	digester[In]
}

func newLooks[In any](signals *signals, c *counters, step uint64, of *identifier[In]) looks[In] {
	sight := signals.sightOf(c)
	if sight == nil {
		return looks[In]{}
	}
	return looks[In]{sight, digester[In]{sight.seed, maphash.Comparable(sight.seed, step), of}}
}

// look takes the n-th execution of its stripe. It returns a hash if alike is
// to be told of its end, 0 otherwise.
func (s *Step[In, Out]) look(count *stripe, n uint64, in In) (hash uint64) {
	if !s.looks.cheap() {
		if mixed(n)%thinning == 0 { // n itself would keep time with a caller's own turns
			s.lookThinned(count, in)
		}
		return 0
	}
	hash, ok := s.looks.digest(in)
	if !ok {
		return 0
	}
	count.offered.Add(1)
	g := s.looks.ghost
	if !g.looksAt(hash) {
		return 0
	}
	g.see(hash, 1, s.cfg.Results.fresh, s.ex.clock.NowNano())
	if !s.looks.alike.begin(hash) {
		return 0
	}
	return hash
}

// lookThinned looks at an execution of a step with a Key. If that panics there
// is no identity, and whoever needs one will be told.
func (s *Step[In, Out]) lookThinned(count *stripe, in In) {
	defer func() { _ = recover() }()
	if hash, ok := s.looks.digest(in); ok {
		count.offered.Add(thinning)
		if s.looks.ghost.looksAt(hash) {
			s.looks.ghost.see(hash, thinning, s.cfg.Results.fresh, s.ex.clock.NowNano())
		}
	}
}
