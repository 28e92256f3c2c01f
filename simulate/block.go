package simulate

import (
	"math"
	"math/rand/v2"
	"time"

	"autotune/controller"
)

// block lets one tick pass as a whole. Its latencies are not drawn: the order
// statistics that its quantiles are, and the mean, are drawn from the
// distribution that those of n requests have. They are gauges of the sample.
func (s *Service) block(d time.Duration) {
	w := s.ahead(d)
	s.age += d
	n := poisson(s.arrivals, w.rate*d.Seconds())
	t, g := s.sample.Totals, s.sample.Gauges
	t[controller.Requests] = float64(n)
	t[controller.CPUSeconds] = s.spend(n, &w)
	s.memory(&w.effect)
	done, failed := n, 0
	if w.effect.Stalled {
		done = 0
		s.stuck.add(n, d)
		s.stuck.ages(g)
	} else {
		done += s.stuck.release()
		failed = binomial(s.latencies, done, w.effect.Errors)
		s.latency(&w, d, done-failed, failed)
	}
	t[controller.Completions], t[controller.Errors] = float64(done), float64(failed)
	g[controller.InFlight], g[controller.OldestInFlight] = float64(s.stuck.requests), s.stuck.time.Seconds()
}

// latency sets the latency gauges for so many requests that went well in d;
// those that failed are worse than any latency, and have no part in the mean.
func (s *Service) latency(w *weather, d time.Duration, ok, failed int) {
	if ok+failed == 0 {
		return
	}
	g := s.sample.Gauges
	st := draw(s.latencies, w.tail.t, ok, failed, d.Seconds()/w.median)
	g[controller.LatencyP50] = st.at(0, w.median)
	g[controller.LatencyP95] = st.at(1, w.median)
	g[controller.LatencyP99] = st.at(2, w.median)
	if ok > 0 {
		g[controller.LatencyMean] = min(st.mean*w.median, controller.MaxLatency.Seconds())
	}
}

// statistics of a number of draws from a tail.
type statistics struct {
	quantiles [3]float64 // p50, p95, p99; +Inf among failures
	mean      float64
}

func (s *statistics) at(i int, median float64) float64 {
	return min(s.quantiles[i]*median, controller.MaxLatency.Seconds())
}

// extremes is how many of the largest draws are drawn one by one.
const extremes = 16

// draw draws the statistics of n requests from a tail, and some failed, without
// drawing the requests.
//
// The k-th smallest of n uniform numbers is Γ(k)/(Γ(k)+Γ(n+1-k)), and the
// distances between several of them are gamma too (Rényi 1953; Devroye,
// Non-Uniform Random Variate Generation, V.2): one gamma for each rank gives
// them jointly, with the correlation that p50, p95 and p99 have. Given two of
// them, those between are independent, so that their sum is normal but for a
// few. The largest, which make the mean of a heavy tail, are drawn one by one;
// they start at an even rate within a stretch of this length, and one that is
// not done at its end counts at its age.
func draw(rng *rand.Rand, t *table, n, failed int, length float64) statistics {
	out := statistics{quantiles: [3]float64{1, 1, 1}, mean: 1}
	var ranks [4]int
	total := float64(n + failed)
	for i, q := range [3]float64{0.50, 0.95, 0.99} {
		ranks[i] = int(math.Ceil(q * total))
	}
	for i, k := range ranks[:3] {
		if k > n {
			out.quantiles[i] = math.Inf(1)
			ranks[i] = n
		}
	}
	if t == nil || n == 0 {
		return out
	}
	ranks[3] = max(ranks[2], n-extremes)
	var gaps [5]float64
	last, sum := 0, 0.0
	for i, k := range ranks {
		gaps[i] = gamma(rng, float64(k-last))
		sum += gaps[i]
		last = k
	}
	gaps[4] = gamma(rng, float64(n+1-last))
	sum += gaps[4]

	var before moments
	u, mean, variance := 0.0, 0.0, 0.0
	last = 0
	for i, k := range ranks {
		if k > last {
			width := gaps[i] / sum
			u += width
			q := t.at(u)
			if i < 3 && !math.IsInf(out.quantiles[i], 1) {
				out.quantiles[i] = q
			}
			here := t.integral(u)
			m := here.minus(before)
			m.first, m.second = m.first/width, m.second/width
			between := float64(k - last - 1)
			mean += q + between*m.first
			variance += between * max(0, m.second-m.first*m.first)
			before, last = here, k
		} else if i > 0 && i < 3 && !math.IsInf(out.quantiles[i], 1) {
			out.quantiles[i] = out.quantiles[i-1]
		}
	}
	mean += math.Sqrt(variance) * rng.NormFloat64()
	beyond := gaps[4] / sum
	for range n - last {
		mean += min(t.at(1-beyond*rng.Float64()), length*rng.Float64())
	}
	out.mean = mean / float64(n)
	return out
}

// stuck is what does not complete while a service stalls, at block level.
type stuck struct {
	requests int           // of any epoch
	here     int           // of this epoch
	time     time.Duration // since the first of them arrived
	inEpoch  time.Duration // the same for this epoch
}

func (s *stuck) beginEpoch() { s.here, s.inEpoch = 0, 0 }

func (s *stuck) add(n int, d time.Duration) {
	s.requests += n
	s.here += n
	if s.requests > 0 { // an age is somebody's
		s.time += d
	}
	if s.here > 0 {
		s.inEpoch += d
	}
}

// ages are the latencies of requests that are all unfinished: those of this
// epoch began at an even rate.
func (s *stuck) ages(g map[controller.Metric]float64) {
	if s.here == 0 {
		return
	}
	for _, q := range []struct {
		m controller.Metric
		q float64
	}{{controller.LatencyP50, 0.5}, {controller.LatencyP95, 0.95}, {controller.LatencyP99, 0.99}, {controller.LatencyMean, 0.5}} {
		g[q.m] = q.q * s.inEpoch.Seconds()
	}
}

// release ends the stall and returns how many of this epoch complete now.
func (s *stuck) release() int {
	n := s.here
	*s = stuck{}
	return n
}
