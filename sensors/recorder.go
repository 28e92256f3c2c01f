package sensors

import (
	"math"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"autotune/controller"
)

// A request costs two short critical sections. Each shard is a mutex over plain
// fields, and a request takes the mutex of one shard when it starts and of the
// same shard when it ends. A mutex that nobody else wants is two atomic
// operations; counting with atomics would need more of them (arrival, slot,
// bucket, sum), and could not promise that they belong together.
//
// # Sharding
//
// Which shard: a token from a sync.Pool, whose caches are per processor. So
// goroutines that run at the same time tend to have different shards, whose
// cache lines stay where they are. A shard drawn by a random number would do no
// better than one shard. The token is only a hint: when the pool forgets it at
// a collection, or two processors come to hold the same, the mutex still keeps
// the count right. And they part again: who finds a shard busy at a start moves
// on to another and keeps that one (measured, two processors that began with
// the same token: 20 ns a request where staying costs 35).
//
// # In flight
//
// A request owns a slot of its shard until it ends: what is in flight is what
// is in the slots, and nothing is estimated. A slot has a serial number, so
// that ending a request twice is noticed and does nothing.
//
// # Epochs
//
// Each epoch is a round of the recorder. A slot remembers the round in which
// its request started; a request that ends in a later round frees its slot and
// is not counted. Comparing rounds, and not the caller's epoch numbers, makes
// it harmless to use a number again.

// Recorder records request latencies from many goroutines. Start, StartNow and
// End are safe for concurrent use; Begin and Take are for one goroutine. A nil
// Recorder records nothing.
type Recorder struct {
	base   time.Time // times are kept as nanoseconds since then, on the monotonic clock
	shards []*shard
	tokens sync.Pool // of *shard

	// Of the goroutine that calls Begin and Take.
	begun bool
	epoch uint64
	spare *counts    // empty; swapped with a shard's at Take
	live  []inFlight // scratch
}

// NewRecorder returns a recorder with no epoch begun: what starts before the
// first Begin is an epoch of its own.
func NewRecorder() *Recorder { return newRecorder(shardCount(runtime.GOMAXPROCS(0))) }

// shardCount is twice the processors, so that after a collection the pool's
// new tokens seldom meet, within 4..64: 10 KB each.
func shardCount(procs int) int { return min(max(2*procs, 4), 64) }

func newRecorder(shards int) *Recorder {
	r := &Recorder{base: time.Now(), spare: new(counts)}
	for range shards {
		r.shards = append(r.shards, newShard(r.base))
	}
	var next atomic.Uint32
	r.tokens.New = func() any { return r.shards[int(next.Add(1))%len(r.shards)] }
	return r
}

// Request is a request in flight: a small value, to be ended once. The zero
// Request is one that nobody records.
type Request struct {
	shard  *shard
	slot   uint32
	serial uint32
}

// Start counts a request whose latency is from at on. Under open-loop load at
// is the time at which the sender meant to send, so that a stall of the service
// does not hide in the sender's queue. A time in the future counts as now, one
// further back than controller.MaxLatency as that far back.
func (r *Recorder) Start(at time.Time) Request {
	if r == nil {
		return Request{}
	}
	now := time.Since(r.base)
	start := at.Sub(r.base)
	// A time without a monotonic reading, say from a header, is compared with
	// the wall clock of now: that of base may have been set since.
	if at == at.Round(0) {
		start = now - time.Since(at)
	}
	return r.start(min(max(start, now-controller.MaxLatency), now))
}

// StartNow counts a request that starts now.
func (r *Recorder) StartNow() Request {
	if r == nil {
		return Request{}
	}
	return r.start(time.Since(r.base))
}

func (r *Recorder) start(at time.Duration) Request {
	s := r.tokens.Get().(*shard)
	if !s.mu.TryLock() {
		s = r.tokens.New().(*shard) // one in turn, to keep
		s.mu.Lock()
	}
	slot, serial := s.start(at)
	s.mu.Unlock()
	r.tokens.Put(s)
	return Request{shard: s, slot: slot, serial: serial}
}

// End counts the request's latency, or its failure. Only the first End of a
// request counts, whichever copy of it is ended. It returns the latency, of a
// failure too, so that who counts something else of the request need not read
// the clock again; first is false, and latency 0, where nothing has ended here.
func (q Request) End(failed bool) (latency time.Duration, first bool) {
	if q.shard == nil {
		return 0, false
	}
	return q.end(time.Since(q.shard.base), failed)
}

func (q Request) end(now time.Duration, failed bool) (latency time.Duration, first bool) {
	return q.shard.end(q.slot, q.serial, now, failed)
}

// Begin switches the epoch; the same epoch again changes nothing. A new epoch
// starts empty: what was recorded and not taken is dropped, and requests in
// flight belong to the epoch in which they started, though still in flight.
// Once Begin has returned, every request that starts belongs to the new epoch.
func (r *Recorder) Begin(epoch uint64) {
	if r == nil || r.begun && epoch == r.epoch {
		return
	}
	r.begun, r.epoch = true, epoch
	for _, s := range r.shards {
		full, _ := s.swap(r.spare, nil, true)
		full.clear()
		r.spare = full
	}
}

// Take moves what was recorded since the last Take, or since Begin, into the
// sample: Latency, Unfinished, the totals Requests, Completions and Errors, the
// gauges InFlight and OldestInFlight. It replaces what the sample had of these,
// and touches nothing else of it. Ages are as of now, which must be of the same
// clock as the requests. Unfinished is nil when no request of the epoch is in
// flight, and new each time, because merged samples keep it.
func (r *Recorder) Take(now time.Time, into *controller.Sample) {
	if r == nil {
		return
	}
	if into.Totals == nil {
		into.Totals = map[controller.Metric]float64{}
	}
	if into.Gauges == nil {
		into.Gauges = map[controller.Metric]float64{}
	}
	if into.Latency == nil {
		into.Latency = &controller.Histogram{}
	}
	into.Latency.Reset()
	into.Unfinished = nil

	at := now.Sub(r.base)
	oldest := time.Duration(math.MaxInt64)
	var arrivals uint64
	var inFlight int
	for _, s := range r.shards {
		full, live := s.swap(r.spare, r.live[:0], false)
		arrivals += full.arrivals
		full.moveTo(into.Latency)
		r.spare, r.live = full, live

		inFlight += len(live)
		for _, f := range live {
			oldest = min(oldest, f.start)
			if !f.current {
				continue
			}
			if into.Unfinished == nil {
				into.Unfinished = &controller.Histogram{}
			}
			into.Unfinished.Record(at - f.start)
		}
	}
	age := 0.0 // no request is older than that when none is in flight
	if inFlight > 0 {
		age = max(at-oldest, 0).Seconds()
	}
	failures := into.Latency.Failures()
	into.Totals[controller.Requests] = float64(arrivals)
	into.Totals[controller.Completions] = float64(into.Latency.Count() + failures)
	into.Totals[controller.Errors] = float64(failures)
	into.Gauges[controller.InFlight] = float64(inFlight)
	into.Gauges[controller.OldestInFlight] = age
}
