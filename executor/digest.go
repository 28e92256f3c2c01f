package executor

import "hash/maphash"

// digester hashes the inputs of one step, without an allocation of its own. Inputs
// that are the same have the same hash; others have another but for chance,
// which a signal can live with and a cache could not.
type digester[In any] struct {
	seed maphash.Seed
	base uint64
	of   *identifier[In]
}

// cheap reports whether a hash costs nanoseconds: neither a Key nor an encoding.
func (d *digester[In]) cheap() bool { return d.of.key == nil && d.of.plan.shape != other }

// digest returns false for an input that has no identity.
func (d *digester[In]) digest(in In) (hash uint64, ok bool) {
	id, held, ok := d.of.of(in, true)
	if !ok {
		return 0, false
	}
	h := mixed(id.number) ^ d.base
	if id.text != "" {
		h ^= maphash.String(d.seed, id.text)
	}
	held.free()
	return mixed(h) | 1, true // 0 is no hash
}

// mixed spreads a number over all bits: the finalizer of MurmurHash3.
func mixed(h uint64) uint64 {
	h ^= h >> 33
	h *= 0xff51afd7ed558ccd
	h ^= h >> 33
	h *= 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}
