package plant

import (
	"math/rand/v2"
)

// Keys is what is asked for: a description of which each run makes its own
// source.
type Keys func(rng *rand.Rand) func() uint64

// Zipf keys: the k-th most popular of n, k from 0, is asked for in proportion to
// (head+k)^-skew. skew must be above 1, head at least 1.
func Zipf(skew, head float64, n uint64) Keys {
	return func(rng *rand.Rand) func() uint64 {
		return rand.NewZipf(rng, skew, head, n-1).Uint64
	}
}

// Uniform keys: each of n is as popular as any other.
func Uniform(n uint64) Keys {
	return func(rng *rand.Rand) func() uint64 {
		return func() uint64 { return rng.Uint64N(n) }
	}
}

// Fresh keys are asked for once: nothing repeats.
func Fresh() Keys {
	return func(*rand.Rand) func() uint64 {
		next := uint64(0)
		return func() uint64 { next++; return next }
	}
}

// Replayed keys come from a recording, in its order; it starts over when it ends.
func Replayed(keys []uint64) Keys {
	return func(*rand.Rand) func() uint64 {
		i := -1
		return func() uint64 {
			if i++; i == len(keys) {
				i = 0
			}
			return keys[i]
		}
	}
}
