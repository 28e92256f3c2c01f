package stats

import "math"

// excessMost is the most that one batch may multiply E by. Six batches at least
// make 1000 of it, and five do not.
const excessMost = 3.9

// Excess collects evidence, batch by batch, that more than a given share p0 of
// events are bad:
//
//	E <- max(E, 1) * min(3.9, (1 + λ(1-p0))^bad * (1 - λ p0)^(n-bad))
//
// While the share of bad events, given what was before, is at most p0, the factor
// of a batch has a mean of at most 1, whatever the stake λ. Events of a batch may
// come in one lump, as in a stall, which makes them all bad at once: the cap says
// that one lump cannot convict, however many events it has.
//
// Starting again from 1 lets E see a change that comes late (Page's CUSUM with
// e-values; Shin, Ramdas & Rinaldo 2023, "E-detectors"). What is bounded is then
// not the chance that E ever reaches c but how often it does: on average at most
// once in c batches at a share of p0, and far more rarely below it.
//
// Not safe for concurrent use.
type Excess struct {
	bad, good float64 // log factors of an event
	log       float64
}

// NewExcess bets against a share of bad events of p0 (within 0..1) with a stake of
// λ (within 0..1/p0, both ends excluded). A larger stake is for a larger excess:
// it grows fastest at the share where λ is (p-p0)/(p0(1-p0)).
func NewExcess(p0, lambda float64) Excess {
	return Excess{bad: math.Log1p(lambda * (1 - p0)), good: math.Log1p(-lambda * p0)}
}

// Restart forgets all evidence.
func (x *Excess) Restart() { x.log = 0 }

// Add takes the next batch: bad of its n events were bad. It reports whether E
// started again from 1, so that earlier batches are no part of the evidence.
func (x *Excess) Add(bad, n uint64) (anew bool) {
	bad = min(bad, n)
	anew = x.log <= 0
	x.log = max(x.log, 0) + min(math.Log(excessMost), float64(bad)*x.bad+float64(n-bad)*x.good)
	return anew
}

// E is the evidence so far, capped at e^700 so that it stays a finite number.
func (x *Excess) E() float64 { return math.Exp(min(x.log, 700)) }
