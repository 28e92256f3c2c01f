package catalog

import (
	"fmt"
	"math"
)

// MoveShare is what moving a number acts on, as a share of what the service spends,
// with the figures for people; false where no signal tells.
func MoveShare(knob string, from, to float64, m Measured) (share float64, figures string, ok bool) {
	switch knob {
	case CacheSize:
		was, okWas := missAt(from, m)
		is, okIs := missAt(to, m)
		if !okWas || !okIs {
			return 0, "", false
		}
		return clip(was - is), fmt.Sprintf("a cache of %.0f entries misses %s, one of %.0f %s", from, percent(was), to, percent(is)), true
	case MaxConcurrentExecutions:
		if to < from {
			return waiting(m)
		}
		waited, okWaited := m(QueueWaitSeconds)
		all, okAll := requestSeconds(m)
		if !okWaited || !okAll {
			return 0, "", false
		}
		share = clip(waited / all)
		return share, fmt.Sprintf("waiting for a permit takes %s of the time of requests", percent(share)), true
	case TelemetrySamplingRate, TelemetryBatchSize:
		share, figures, ok = spans(m)
		if ok && (knob == TelemetrySamplingRate) == (to > from) {
			return 0, "more spans cost more, and fewer in a batch too", true
		}
		return share, figures, ok
	}
	return 0, "", false
}

// missAt is the miss ratio of a cache of so many entries, between the sizes that are
// measured straight in the logarithm of the size, and beyond them as at the last.
func missAt(size float64, m Measured) (float64, bool) {
	before, beforeAt := 1.0, 0.0
	for _, s := range MissRatioSizes() {
		miss, ok := m(CacheMissRatio(s))
		if !ok {
			return 0, false
		}
		at := math.Log2(float64(s))
		if x := math.Log2(max(size, 1)); x <= at {
			return before + (miss-before)*(x-beforeAt)/(at-beforeAt), true
		}
		before, beforeAt = miss, at
	}
	return before, true
}
