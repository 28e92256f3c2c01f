package sensors

import (
	"runtime"
	"testing"
	"testing/synctest"
	"time"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"autotune/controller"
)

// take returns what a sample says of requests.
func take(r *Recorder, now time.Time) controller.Sample {
	var s controller.Sample
	r.Take(now, &s)
	return s
}

func totals(s controller.Sample) [3]float64 {
	return [3]float64{s.Totals[controller.Requests], s.Totals[controller.Completions], s.Totals[controller.Errors]}
}

func TestRecorder_countsEachRequestOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := NewRecorder()
		r.Begin(1)
		fine, broken, hanging := r.StartNow(), r.StartNow(), r.StartNow()
		time.Sleep(10 * time.Millisecond)
		fine.End(false)
		broken.End(true)
		time.Sleep(20 * time.Millisecond)

		s := take(r, time.Now())
		assert.Equal(t, [3]float64{3, 2, 1}, totals(s))
		assert.EqualValues(t, 1, s.Latency.Count())
		assert.EqualValues(t, 1, s.Latency.Failures())
		mean, _ := s.Latency.Mean()
		assert.InDelta(t, 0.010, mean, 1e-9, "a failure has no part in the mean")
		assert.EqualValues(t, 1, s.Unfinished.Count())
		age, _ := s.Unfinished.Mean()
		assert.InDelta(t, 0.030, age, 1e-9)
		assert.Equal(t, 1.0, s.Gauges[controller.InFlight])
		assert.InDelta(t, 0.030, s.Gauges[controller.OldestInFlight], 1e-9)

		time.Sleep(10 * time.Millisecond)
		hanging.End(false)
		s = take(r, time.Now())
		assert.Equal(t, [3]float64{0, 1, 0}, totals(s), "arrived in the tick before, ended in this one")
		mean, _ = s.Latency.Mean()
		assert.InDelta(t, 0.040, mean, 1e-9)
		assert.Nil(t, s.Unfinished)
		assert.Equal(t, 0.0, s.Gauges[controller.InFlight])
		assert.Equal(t, 0.0, s.Gauges[controller.OldestInFlight])
	})
}

// A request is charged to the setting under which it started.
func TestRecorder_epochs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := NewRecorder()
		before := r.StartNow()
		r.Begin(7)
		assert.Equal(t, [3]float64{}, totals(take(r, time.Now())), "a new epoch starts empty")

		first := r.StartNow()
		time.Sleep(time.Millisecond)
		r.Begin(7)
		assert.Equal(t, [3]float64{1, 0, 0}, totals(take(r, time.Now())), "the same epoch again changes nothing")

		r.Begin(8)
		second := r.StartNow()
		time.Sleep(time.Millisecond)
		before.End(false)
		s := take(r, time.Now())
		assert.Equal(t, [3]float64{1, 0, 0}, totals(s))
		assert.Equal(t, 2.0, s.Gauges[controller.InFlight], "of any epoch")
		assert.InDelta(t, 0.002, s.Gauges[controller.OldestInFlight], 1e-9, "of any epoch")
		assert.EqualValues(t, 1, s.Unfinished.Count(), "of this epoch only")

		r.Begin(7) // the number again, not the epoch
		first.End(false)
		second.End(true)
		s = take(r, time.Now())
		assert.Equal(t, [3]float64{}, totals(s))
		assert.Zero(t, s.Latency.Count()+s.Latency.Failures())
		assert.Equal(t, 0.0, s.Gauges[controller.InFlight])
	})
}

func TestRecorder_latencyIsFromTheIntendedTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		wall := func(d time.Duration) time.Time { return time.Now().Add(d).Round(0) }
		for name, c := range map[string]struct {
			at   func() time.Time
			want time.Duration
		}{
			"now":                  {time.Now, 0},
			"past":                 {func() time.Time { return time.Now().Add(-3 * time.Second) }, 3 * time.Second},
			"future counts as now": {func() time.Time { return time.Now().Add(time.Hour) }, 0},
			"wall clock only":      {func() time.Time { return wall(-2 * time.Second) }, 2 * time.Second},
			"wall clock, future":   {func() time.Time { return wall(time.Hour) }, 0},
			"zero time":            {func() time.Time { return time.Time{} }, controller.MaxLatency},
			"before the recorder":  {func() time.Time { return time.Now().Add(-time.Hour) }, time.Hour},
		} {
			r := NewRecorder()
			q := r.Start(c.at())
			time.Sleep(time.Second)
			s := take(r, time.Now())
			assert.InDelta(t, (c.want + time.Second).Seconds(), s.Gauges[controller.OldestInFlight], 1e-6, name)
			q.End(false)
			mean, _ := take(r, time.Now()).Latency.Mean()
			assert.InDelta(t, (c.want + time.Second).Seconds(), mean, 1e-6, name)
		}
	})
}

func TestRequest_onlyTheFirstEndCounts(t *testing.T) {
	r := newRecorder(1) // so that the slot is used again
	q := r.StartNow()
	again := q
	q.End(false)
	other := r.StartNow()
	again.End(true)
	q.End(true)
	s := take(r, time.Now())
	assert.Equal(t, [3]float64{2, 1, 0}, totals(s))
	assert.Equal(t, 1.0, s.Gauges[controller.InFlight], "the other request keeps the slot")
	other.End(false)
	assert.Equal(t, 0.0, take(r, time.Now()).Gauges[controller.InFlight])
}

func TestRecorder_nilRecordsNothing(t *testing.T) {
	var r *Recorder
	r.Begin(1)
	r.Start(time.Now()).End(false)
	r.StartNow().End(true)
	_, first := Request{}.End(false)
	assert.False(t, first)
	var s controller.Sample
	r.Take(time.Now(), &s)
	assert.Equal(t, controller.Sample{}, s, "absent, not zero")
}

// Take replaces its own part of a sample and leaves the rest alone. What was
// handed out as Unfinished stays as it was, for a merged sample holds on to it.
func TestRecorder_takeIntoUsedSample(t *testing.T) {
	r := NewRecorder()
	r.StartNow().End(false)
	hanging := r.StartNow()
	s := controller.Sample{Totals: map[controller.Metric]float64{"other": 5}}
	r.Take(time.Now(), &s)
	unfinished := s.Unfinished
	hanging.End(false)
	r.StartNow()
	r.StartNow()
	r.Take(time.Now(), &s)
	assert.Equal(t, [3]float64{2, 1, 0}, totals(s))
	assert.EqualValues(t, 1, s.Latency.Count())
	assert.EqualValues(t, 2, s.Unfinished.Count())
	assert.EqualValues(t, 1, unfinished.Count())
	assert.Equal(t, 5.0, s.Totals["other"])
}

func TestRecorder_thousandsInFlight(t *testing.T) {
	r := NewRecorder()
	const n = 20_000
	requests := make([]Request, n)
	for i := range requests {
		requests[i] = r.start(time.Duration(i))
	}
	s := take(r, r.base.Add(n))
	assert.Equal(t, float64(n), s.Gauges[controller.InFlight])
	assert.InDelta(t, float64(n)/1e9, s.Gauges[controller.OldestInFlight], 1e-15)
	assert.EqualValues(t, n, s.Unfinished.Count())
	for _, q := range requests {
		q.end(n, false)
	}
	s = take(r, r.base.Add(n))
	assert.Equal(t, [3]float64{0, n, 0}, totals(s))
	mean, _ := s.Latency.Mean()
	assert.InDelta(t, float64(n+1)/2/1e9, mean, 1e-15)
	assert.Equal(t, 0.0, s.Gauges[controller.InFlight])
}

func TestRecorder_allocatesNothing(t *testing.T) {
	r := NewRecorder()
	r.StartNow().End(false)
	got := testing.AllocsPerRun(1000, func() {
		r.StartNow().End(false)
		r.Start(time.Now()).End(true)
	})
	assert.Less(t, got, 0.5) // a collection may empty the pool meanwhile
}

func TestShard_fillsCacheLines(t *testing.T) {
	if unsafe.Sizeof(uintptr(0)) != 8 {
		t.Skip("laid out for 64 bits")
	}
	assert.EqualValues(t, 128, unsafe.Sizeof(shard{}))
	assert.LessOrEqual(t, unsafe.Sizeof(Request{}), uintptr(16))
	for procs, want := range map[int]int{1: 4, 2: 4, 8: 16, 200: 64} {
		assert.Equal(t, want, shardCount(procs))
	}
	require.Len(t, NewRecorder().shards, shardCount(runtime.GOMAXPROCS(0)))
}
