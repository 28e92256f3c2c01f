package autotune

import (
	"fmt"
	"hash/fnv"
	"math"
	"time"
)

// Replicas of a service need not know of each other: each has a journal of its own
// and decides for itself. What they should not do is try things all at the same
// moment, or all of them at all, if an owner would rather risk a few. Both follow
// from the instance's name, so that a restart changes nothing.

// place is where an instance stands among all, 0 to 1, for a purpose.
func place(instance, purpose string) float64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(purpose + "\x00" + instance)) // never fails
	v := h.Sum64()
	v ^= v >> 33 // names differ in their last letters: spread those over all bits
	v *= 0xff51afd7ed558ccd
	v ^= v >> 33
	return float64(v>>11) / (1 << 53)
}

// replica says whether this instance runs trials, and from when on.
type replica struct {
	never string        // why it runs none; empty: it does
	after time.Duration // since the start
}

func (c *Config) replica() replica {
	r := replica{after: time.Duration(place(c.Instance, "stagger") * float64(c.Stagger))}
	if c.Share > 0 && place(c.Instance, "share") >= c.Share {
		r.never = fmt.Sprintf("stands by: share %g of the instances run trials, and %q is not among them", c.Share, c.Instance)
	}
	return r
}

// standsBy says why this instance runs no trials now; empty: it does.
func (r *replica) standsBy(age time.Duration) string {
	switch {
	case r.never != "":
		return r.never
	case age < r.after:
		return fmt.Sprintf("stands by: its turn among the instances is %v after the start", r.after.Round(time.Second))
	}
	return ""
}

func (c *Config) checkReplica() error {
	switch {
	case !(c.Share >= 0 && c.Share <= 1) || math.IsNaN(c.Share):
		return fmt.Errorf("share %v: must be within 0..1; 0 is all instances", c.Share)
	case c.Stagger < 0:
		return fmt.Errorf("stagger %v: must not be negative", c.Stagger)
	}
	return nil
}
