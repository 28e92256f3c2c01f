package sensors

import (
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"autotune/controller"
)

// Any sequence of starts, ends, epochs and takes says the same as a plain list
// of requests does.
func TestRecorder_sameAsList(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		type request struct {
			q       Request
			start   time.Duration
			current bool
		}
		r := newRecorder(rapid.IntRange(1, 5).Draw(t, "shards"))
		var now time.Duration
		var epoch uint64
		var open, ended []request
		var arrivals, completions, errors int
		var want controller.Histogram

		t.Repeat(map[string]func(*rapid.T){
			"": func(*rapid.T) { now += time.Duration(rapid.Int64Range(0, 1e9).Draw(t, "pass")) },
			"start": func(t *rapid.T) {
				start := now - time.Duration(rapid.Int64Range(0, 1e10).Draw(t, "ago"))
				open = append(open, request{r.start(start), start, true})
				arrivals++
			},
			"end": func(t *rapid.T) {
				if len(open) == 0 {
					t.Skip("nothing is open")
				}
				i := rapid.IntRange(0, len(open)-1).Draw(t, "which")
				failed := rapid.Bool().Draw(t, "failed")
				o := open[i]
				open = slices.Delete(open, i, i+1)
				ended = append(ended, o)
				latency, first := o.q.end(now, failed)
				assert.True(t, first)
				assert.Equal(t, now-o.start, latency, "of any epoch, failed or not")
				switch {
				case !o.current:
				case failed:
					errors++
					completions++
					want.Fail(1)
				default:
					completions++
					want.Record(now - o.start)
				}
			},
			"end again": func(t *rapid.T) {
				if len(ended) == 0 {
					t.Skip("nothing has ended")
				}
				latency, first := rapid.SampledFrom(ended).Draw(t, "which").q.end(now, true)
				assert.False(t, first)
				assert.Zero(t, latency)
			},
			"begin": func(t *rapid.T) {
				next := rapid.Uint64Range(1, 3).Draw(t, "epoch")
				r.Begin(next)
				if next == epoch {
					return
				}
				epoch = next
				for i := range open {
					open[i].current = false
				}
				arrivals, completions, errors, want = 0, 0, 0, controller.Histogram{}
			},
			"take": func(t *rapid.T) {
				s := take(r, r.base.Add(now))
				assert.Equal(t, [3]float64{float64(arrivals), float64(completions), float64(errors)}, totals(s))
				assertSameHistogram(t, &want, s.Latency)
				var ages controller.Histogram
				oldest := 0.0
				for _, o := range open {
					oldest = max(oldest, (now - o.start).Seconds())
					if o.current {
						ages.Record(now - o.start)
					}
				}
				assertSameHistogram(t, &ages, s.Unfinished)
				assert.Equal(t, float64(len(open)), s.Gauges[controller.InFlight])
				assert.InDelta(t, oldest, s.Gauges[controller.OldestInFlight], 1e-9)
				arrivals, completions, errors, want = 0, 0, 0, controller.Histogram{}
			},
		})
	})
}

func assertSameHistogram(t assert.TestingT, want, got *controller.Histogram) {
	assert.Equal(t, want.Count(), got.Count())
	assert.Equal(t, want.Failures(), got.Failures())
	wantMean, _ := want.Mean()
	gotMean, _ := got.Mean()
	assert.InDelta(t, wantMean, gotMean, 1e-9*max(1, wantMean))
	for _, q := range []float64{0.01, 0.25, 0.5, 0.9, 0.99} {
		a, okA := want.Quantile(q)
		b, okB := got.Quantile(q)
		assert.Equal(t, okA, okB)
		assert.Equal(t, a, b)
	}
}

// Many goroutines record while one takes: all takes together have each request
// once, and what is in flight is known at each of them.
func TestRecorder_losesNothing(t *testing.T) {
	const workers, each = 16, 3000
	r := NewRecorder()
	r.Begin(1)
	handed := make(chan Request, 100) // some end on another goroutine
	var failed, sum atomic.Int64
	var starters, enders sync.WaitGroup
	end := func(q Request, i int) {
		latency := time.Duration(1000 + i)
		if i%7 == 0 {
			failed.Add(1)
		} else {
			sum.Add(int64(latency))
		}
		q.end(latency, i%7 == 0)
	}
	for w := range workers {
		starters.Go(func() {
			for i := range each {
				q := r.start(0)
				if (w+i)%3 == 0 {
					handed <- q
				} else {
					end(q, i)
				}
			}
		})
		enders.Go(func() {
			i := w
			for q := range handed {
				end(q, i)
				i += 3
			}
		})
	}
	done := make(chan struct{})
	go func() {
		starters.Wait()
		close(handed)
		enders.Wait()
		close(done)
	}()

	var all controller.Sample
	started, ended := 0.0, 0.0
	for running := true; running; {
		select {
		case <-done:
			running = false
		default:
		}
		s := take(r, time.Now())
		started += s.Totals[controller.Requests]
		ended += s.Totals[controller.Completions]
		// The shards are read one after the other, a request is whole in one of them.
		require.Equal(t, started-ended, s.Gauges[controller.InFlight])
		require.EqualValues(t, started-ended, s.Unfinished.Count())
		all.Merge(&s)
	}
	assert.Equal(t, [3]float64{workers * each, workers * each, float64(failed.Load())}, totals(all))
	assert.EqualValues(t, workers*each-failed.Load(), all.Latency.Count())
	mean, _ := all.Latency.Mean()
	assert.InEpsilon(t, float64(sum.Load())/1e9, mean*float64(all.Latency.Count()), 1e-9)
}

// Epochs change under load: a request that started after Begin returned is of
// the new epoch, one that started before it was called is not.
func TestRecorder_epochsUnderLoad(t *testing.T) {
	r := NewRecorder()
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					r.StartNow().End(false)
				}
			}
		})
	}
	old := make([]Request, 100)
	for epoch := range uint64(200) {
		for i := range old {
			old[i] = r.StartNow()
		}
		r.Begin(epoch)
		current := r.start(0)
		for _, q := range old {
			q.end(controller.MaxLatency, false) // would be seen
		}
		current.end(controller.MaxLatency, false)
		s := take(r, time.Now())
		require.EqualValues(t, 1, s.Latency.Above(time.Hour), "only the current one")
		require.LessOrEqual(t, s.Totals[controller.Completions], s.Totals[controller.Requests])
	}
	close(stop)
	wg.Wait()
	assert.Equal(t, 0.0, take(r, time.Now()).Gauges[controller.InFlight])
}

// Quantiles are within 1/64 of those of the sorted latencies.
func TestRecorder_quantilesAgainstSorted(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for name, draw := range map[string]func() float64{ // seconds
		"log-normal": func() float64 { return 0.005 * math.Exp(rng.NormFloat64()) },
		"pareto":     func() float64 { return 0.001 * math.Pow(1-rng.Float64(), -1/1.2) },
		"bimodal":    func() float64 { return []float64{0.0001, 0.2}[rng.IntN(2)] * (1 + 0.1*rng.Float64()) },
		"constant":   func() float64 { return 0.012345 },
		"tiny":       func() float64 { return 1e-9 * float64(1+rng.IntN(300)) },
	} {
		r := NewRecorder()
		values := make([]float64, 16384)
		for i := range values {
			d := min(time.Duration(draw()*1e9), controller.MaxLatency)
			values[i] = d.Seconds()
			r.start(0).end(d, false)
		}
		slices.Sort(values)
		h := take(r, time.Now()).Latency
		for _, q := range []float64{0.01, 0.1, 0.5, 0.9, 0.95, 0.99, 0.999} {
			want := values[int(math.Ceil(q*float64(len(values))))-1]
			got, ok := h.Quantile(q)
			require.True(t, ok)
			// Below 64 ns a bucket is 1 ns wide, as the clock's own step is.
			assert.InDelta(t, want, got, max(want/64, 1e-9)*(1+1e-9), "%s %v", name, q)
		}
	}
}
