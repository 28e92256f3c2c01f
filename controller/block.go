package controller

import "time"

// block lays out one block of time: a washout that is not counted, then a
// measurement of at least Measure in which at least MinRequests start. A block
// with too few arrivals is prolonged, never repeated: repeating would pick
// blocks by what happened in them. Arrivals are nobody's doing under open-loop
// load, so prolonging by them picks nothing.
type block struct {
	timing  Timing
	washout time.Duration
	elapsed time.Duration
	sample  Sample
}

// starvedAfter is how many times its length a block waits for its requests.
const starvedAfter = 10

type blockState int

const (
	washing blockState = iota + 1
	washed             // the washout ended with this tick: a new epoch starts
	filling
	full
	starved
)

func (b *block) start(washout time.Duration) {
	b.washout, b.elapsed = max(washout, 0), 0
	b.sample.Reset()
}

// take adds a tick that was commanded to last wait, and says where the block is.
func (b *block) take(s *Sample, wait time.Duration) blockState {
	over := max(s.Over, wait)
	if b.washout > 0 {
		if b.washout -= over; b.washout > 0 {
			return washing
		}
		b.washout = 0
		return washed
	}
	b.elapsed += over
	b.sample.Merge(s)
	if b.elapsed < b.timing.Measure {
		return filling
	}
	started, counted := b.sample.Totals[Requests]
	if !counted || started >= float64(b.timing.MinRequests) {
		return full
	}
	if b.elapsed >= starvedAfter*b.timing.Measure {
		return starved
	}
	return filling
}

// next is how long the next tick should be: up to the end of the washout or of
// the measurement, in ticks.
func (b *block) next() time.Duration {
	left := b.timing.Measure - b.elapsed
	if b.washout > 0 {
		left = b.washout
	}
	if left <= 0 {
		return b.timing.Tick
	}
	// Two near-equal ticks rather than a full one and a sliver.
	if left < 2*b.timing.Tick && left > b.timing.Tick {
		return left / 2
	}
	return min(left, b.timing.Tick)
}
