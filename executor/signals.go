package executor

import (
	"math"
	"runtime/metrics"
	"sync"
	"sync/atomic"
	"time"

	"autotune/catalog"
	"autotune/controller"
)

// Signals say where an optimization is likely to gain anything, before it is
// on. All but Curve are counts since the executor was made; Since takes the
// difference of two.
//
//	signal                          says something for
//	AllocBytes / Executions         enable_object_pool, enable_memory_optimization
//	Repeated, Curve                 enable_cache_optimization, cache_size
//	Alike / Looked                  enable_step_optimization
//	QueueWait, SchedulerWait        enable_concurrency_optimization, its limit
//	StateBytes / Executions         enable_context_optimization
//	TelemetryTime                   enable_optimized_telemetry
//	Retries, Fallbacks, Failed      enable_optimized_error_handling, enable_circuit_breaker
//
// # Cost
//
// A step whose results are not declared pays nothing. One that declares them
// pays some 10 ns for a hash of its input, which the cache takes up if it is on, and
// some 100 ns more for an execution that is sampled: up to 20,000 a second; and one
// reading of the clock if it repeats another. A step with a Key, or with inputs to encode,
// has it called in one execution of 32 more than without signals. A failure
// costs some 100 ns more. Nothing allocates, but what Key does. Memory is 0.3 MB,
// from the first step on that declares its results.
type Signals struct {
	// Executions that began.
	Executions uint64
	// AllocBytes that the whole process allocated on the heap: what executions
	// allocate is not more.
	AllocBytes uint64
	// SchedulerWait is how long goroutines of the process were ready to run and
	// none of its processors was free, in all. It is from a histogram of the
	// runtime, whose buckets are up to 25 % wide.
	SchedulerWait time.Duration
	// QueueWait is how long attempts waited for a permit, in all.
	QueueWait time.Duration
	// Repeated is how long executions took whose input was seen before, and whose
	// result would still have been fresh, about.
	Repeated time.Duration
	// StateCopies of run state were made for steps, of StateBytes in all, about.
	StateCopies, StateBytes uint64
	// TelemetryTime that the exporter's calls took, in all, waits included.
	TelemetryTime time.Duration
	// Looked is how many executions were looked at for identical ones in flight;
	// Alike of them began while there was one. Only steps whose inputs are one number or string are.
	Looked, Alike uint64
	// Retries are attempts after the first, and Fallbacks ran when all had failed.
	Retries, Fallbacks uint64
	// Failed executions ended with an error; Bursts are seconds in which at least
	// 10 did, and a quarter of all.
	Failed, Bursts uint64
	// DeclaredSteps is how many steps declare their results, and PoolTypes how many
	// pools there are: now, not counts. Negative: nobody looks.
	DeclaredSteps, PoolTypes int
	// Curve is the miss ratio over the size of a cache, of executions of the last
	// while, cache on or off: 65,536 to 131,072 sampled ones.
	Curve MissCurve
}

// Since returns what came after before. Curve and what is there now are those of s.
func (s Signals) Since(before Signals) Signals {
	s.Executions -= before.Executions
	s.AllocBytes -= before.AllocBytes
	s.SchedulerWait -= before.SchedulerWait
	s.QueueWait -= before.QueueWait
	s.Repeated -= before.Repeated
	s.StateCopies -= before.StateCopies
	s.StateBytes -= before.StateBytes
	s.Retries -= before.Retries
	s.Fallbacks -= before.Fallbacks
	s.TelemetryTime -= before.TelemetryTime
	s.Looked -= before.Looked
	s.Alike -= before.Alike
	s.Failed -= before.Failed
	s.Bursts -= before.Bursts
	return s
}

// AddTo puts the signals into a sample, by the catalog's names. AllocBytes are
// left to who measures the process. Ratios that nothing was seen for are absent.
func (s Signals) AddTo(sample *controller.Sample) {
	for m, v := range map[controller.Metric]float64{
		catalog.Executions:           float64(s.Executions),
		catalog.QueueWaitSeconds:     s.QueueWait.Seconds(),
		catalog.SchedulerWaitSeconds: s.SchedulerWait.Seconds(),
		catalog.StateCopiedBytes:     float64(s.StateBytes),
		catalog.RepeatedSeconds:      s.Repeated.Seconds(),
		catalog.Retries:              float64(s.Retries),
		catalog.Fallbacks:            float64(s.Fallbacks),
		catalog.TelemetrySeconds:     s.TelemetryTime.Seconds(),
		catalog.FailedExecutions:     float64(s.Failed),
		catalog.ErrorBursts:          float64(s.Bursts),
	} {
		sample.Totals[m] = v
	}
	gauge := func(m controller.Metric, ratio float64) {
		sample.Gauges[m] = math.Round(ratio*1e4) / 1e4 // it goes into journals
	}
	if s.DeclaredSteps >= 0 {
		gauge(catalog.DeclaredSteps, float64(s.DeclaredSteps))
	}
	gauge(catalog.PoolTypes, float64(s.PoolTypes))
	if s.StateCopies > 0 {
		gauge(catalog.StateBytes, float64(s.StateBytes)/float64(s.StateCopies))
	}
	if cpu, ok := sample.Totals[controller.CPUSeconds]; ok && sample.Over > 0 {
		gauge(catalog.CPUUtilization, cpu/sample.Over.Seconds()/float64(catalog.Cores()))
	}
	if s.Looked > 0 {
		gauge(catalog.IdenticalInFlightRatio, float64(s.Alike)/float64(s.Looked))
	}
	if r, ok := s.Curve.DuplicateRatio(); ok {
		gauge(catalog.DuplicateInputRatio, r)
		for _, size := range catalog.MissRatioSizes() {
			miss, _ := s.Curve.MissRatio(size)
			gauge(catalog.CacheMissRatio(size), miss)
		}
	}
}

// signals are the executor's.
type signals struct {
	without bool
	start   Signals // what the process had before
	sight   atomic.Pointer[sight]
	bursts  bursts

	mu       sync.Mutex
	declared int              // steps with declared results; guarded by mu
	runtime  []metrics.Sample // guarded by mu
}

// sight is what executions of declared steps are looked at with.
type sight struct {
	ghost    *ghost
	alike    alike
	repeated atomic.Int64 // nanoseconds that repeats took
}

const (
	runtimeAllocs = iota
	runtimeWaits
)

func (s *signals) begin() {
	s.runtime = []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}, {Name: "/sched/latencies:seconds"}}
	s.readRuntime(&s.start)
}

// sightOf returns what to look with, made for the first declared step; nil
// without signals.
func (s *signals) sightOf(c *counters) *sight {
	if s.without {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.declared++
	if s.sight.Load() == nil {
		s.sight.Store(&sight{ghost: newGhost(c.offered)})
	}
	return s.sight.Load()
}

// Signals returns the opportunity signals so far. It takes some 10 µs.
func (ex *Executor) Signals() Signals {
	s, c := &ex.signals, &ex.counters
	out := Signals{
		Executions:    c.begun(),
		QueueWait:     time.Duration(ex.permits.waited.Load()),
		StateCopies:   c.stateCopies.Load(),
		StateBytes:    c.stateBytes.Load(),
		Retries:       c.retries.Load(),
		Fallbacks:     c.fallbacks.Load(),
		PoolTypes:     ex.pools.types(),
		TelemetryTime: ex.telemetry.counts().took,
		Failed:        c.failures(),
		Bursts:        s.bursts.count.Load(),
	}
	s.mu.Lock()
	s.readRuntime(&out)
	out.DeclaredSteps = s.declared
	s.mu.Unlock()
	if s.without {
		out.DeclaredSteps = -1
	}
	out.AllocBytes -= s.start.AllocBytes
	out.SchedulerWait -= s.start.SchedulerWait
	if sight := s.sight.Load(); sight != nil {
		out.Looked, out.Alike = sight.alike.looked.Load(), sight.alike.matched.Load()
		out.Curve = sight.ghost.curve()
		out.Repeated = time.Duration(sight.repeated.Load())
	}
	return out
}

func (s *signals) readRuntime(into *Signals) {
	metrics.Read(s.runtime)
	if v := s.runtime[runtimeAllocs].Value; v.Kind() == metrics.KindUint64 {
		into.AllocBytes = v.Uint64()
	}
	if v := s.runtime[runtimeWaits].Value; v.Kind() == metrics.KindFloat64Histogram {
		h, sum := v.Float64Histogram(), 0.0
		for i, n := range h.Counts {
			low, high := max(h.Buckets[i], 0), h.Buckets[i+1]
			if math.IsInf(high, 1) {
				high = low
			}
			sum += float64(n) * (low + high) / 2
		}
		into.SchedulerWait = time.Duration(sum * 1e9)
	}
}
