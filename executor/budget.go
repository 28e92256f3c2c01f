package executor

import "sync/atomic"

// Retries are for a failure here and there. When everything fails they are a
// multiple of the load, for as long as that lasts; so they are paid for by
// executions, and not by time, which passes in an outage too.
const (
	// retryEvery is how many executions of a step pay for one retry: over a long
	// time retries are at most a fifth of executions.
	retryEvery = 5
	// retryReserve is how many retries a step may save up, and begins with.
	retryReserve = 10
)

// budget is a token bucket: an execution puts one token in, a retry takes
// retryEvery out. It is one step's own, and is neither emptied nor filled by
// switching it off and on.
type budget struct{ spent atomic.Int64 } // tokens short of full: 0..retryReserve*retryEvery

// earn is for an execution. Where nothing fails the bucket is full, and this is a load.
func (b *budget) earn() {
	for {
		spent := b.spent.Load()
		if spent == 0 || b.spent.CompareAndSwap(spent, spent-1) {
			return
		}
	}
}

// spend is for a retry; it reports whether there is enough left.
func (b *budget) spend() bool {
	for {
		spent := b.spent.Load()
		if spent+retryEvery > retryReserve*retryEvery {
			return false
		}
		if b.spent.CompareAndSwap(spent, spent+retryEvery) {
			return true
		}
	}
}
