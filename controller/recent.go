package controller

import "time"

// recent is what was measured of one setting lately: between one and two spans of
// its time. A single block says too little about how a service is used: an outage
// of three seconds in fifteen falls between blocks.
type recent struct {
	last, now Sample // a span that is full, and the one being filled
	over      time.Duration
}

// recentSpan is how long the older half is.
const recentSpan = time.Minute

// take adds what was seen of the setting.
func (r *recent) take(s *Sample, over time.Duration) {
	if r.over >= recentSpan {
		r.last, r.now = r.now, r.last
		r.now.Reset()
		r.over = 0
	}
	r.now.Merge(s)
	r.over += over
}

func (r *recent) reset() { *r = recent{} }

// sample of all of it; nil if there is nothing.
func (r *recent) sample() *Sample {
	if r.over == 0 {
		return nil
	}
	out := r.last.Clone()
	out.Merge(&r.now)
	out.Unfinished = r.now.Unfinished
	return &out
}
