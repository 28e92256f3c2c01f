package policies

import (
	"math/rand/v2"

	"autotune/controller"
)

// Random tries settings of the pool in random order, none twice, whatever it
// learned: the bound that any search has to beat. It needs an optimization that
// has all knobs. Not safe for concurrent use, as no policy is.
type Random struct {
	pool  Pool
	tried map[string]bool
}

var _ controller.Policy = (*Random)(nil)

// NewRandom returns the policy for a pool.
func NewRandom(pool Pool) *Random { return &Random{pool: pool, tried: map[string]bool{}} }

// String is the policy's name for the journal.
func (r *Random) String() string { return "random" }

// Propose returns a setting of the pool that was not tried.
func (r *Random) Propose(v controller.View) (controller.Proposal, bool) {
	if r.pool.Len == 0 {
		return controller.Proposal{}, false
	}
	rng := rand.New(rand.NewPCG(v.Seed, uint64(len(r.tried))))
	for range 32 {
		if p, ok := r.propose(v, rng.IntN(r.pool.Len)); ok {
			return p, true
		}
	}
	from := rng.IntN(r.pool.Len) // few are left: the next one
	for i := range r.pool.Len {
		if p, ok := r.propose(v, (from+i)%r.pool.Len); ok {
			return p, true
		}
	}
	return controller.Proposal{}, false
}

func (r *Random) propose(v controller.View, i int) (controller.Proposal, bool) {
	to := r.pool.At(i)
	if to.Equal(v.Safe) || r.tried[to.String()] {
		return controller.Proposal{}, false
	}
	return jump(v, to, "drawn at random")
}

// Learn remembers what was tried.
func (r *Random) Learn(t controller.Trial) {
	if !t.To.IsZero() {
		r.tried[t.To.String()] = true
	}
}
