package sensors

import (
	"math"
	"runtime/metrics"

	"autotune/controller"
)

// The runtime's own facts, through runtime/metrics: 0.4 µs for all of them.
// runtime.ReadMemStats would stop the world to tell the same.
//
// The runtime accounts for processor time at the end of each collection only.
// So the garbage collector's share is that of the last stretch between the ends
// of two collections, and stands until the next ends. Total time there is what
// the runtime could have used, idle or not, hence idle time is taken off.
// Idle processors that help with marking count as work of the collector: they
// burn what others on the machine could use.

const (
	allocBytes = iota
	gcCycles
	goroutines
	heapLive
	memoryLimit
	gcSeconds
	idleSeconds
	allSeconds
)

var runtimeNames = [...]string{
	allocBytes:  "/gc/heap/allocs:bytes",
	gcCycles:    "/gc/cycles/total:gc-cycles",
	goroutines:  "/sched/goroutines:goroutines",
	heapLive:    "/gc/heap/live:bytes",
	memoryLimit: "/gc/gomemlimit:bytes",
	gcSeconds:   "/cpu/classes/gc/total:cpu-seconds",
	idleSeconds: "/cpu/classes/idle:cpu-seconds",
	allSeconds:  "/cpu/classes/total:cpu-seconds",
}

// runtimeFacts reads the Go runtime.
type runtimeFacts struct {
	samples              []metrics.Sample
	alloc, cycles, gcCPU counter
	share                cpuShare
	// memoryLimit is GOMEMLIMIT in bytes as of the last reading; 0: none is set.
	memoryLimit uint64
}

func newRuntimeFacts() *runtimeFacts {
	f := &runtimeFacts{samples: make([]metrics.Sample, len(runtimeNames))}
	for i, name := range runtimeNames {
		f.samples[i].Name = name
	}
	return f
}

func (f *runtimeFacts) read(r *reading) {
	metrics.Read(f.samples)
	if v, ok := f.value(allocBytes, r, controller.AllocBytes); ok {
		f.alloc.total(r, controller.AllocBytes, v)
	}
	if v, ok := f.value(gcCycles, r, GCCycles); ok {
		f.cycles.total(r, GCCycles, v)
	}
	if v, ok := f.value(goroutines, r, Goroutines); ok {
		r.gauge(Goroutines, v)
	}
	if v, ok := f.value(heapLive, r, HeapLiveBytes); ok {
		if v > 0 {
			r.gauge(HeapLiveBytes, v)
		} else {
			r.missing("no collection yet", HeapLiveBytes)
		}
	}
	f.memoryLimit = 0
	if v := f.samples[memoryLimit].Value; v.Kind() == metrics.KindUint64 && v.Uint64() < math.MaxInt64 {
		f.memoryLimit = v.Uint64()
	}
	f.readCPU(r)
}

func (f *runtimeFacts) readCPU(r *reading) {
	gc, ok := f.value(gcSeconds, r, GCCPUSeconds, controller.GCCPURatio)
	if !ok {
		return
	}
	f.gcCPU.total(r, GCCPUSeconds, gc)
	idle, okIdle := f.value(idleSeconds, r, controller.GCCPURatio)
	all, okAll := f.value(allSeconds, r, controller.GCCPURatio)
	if !okIdle || !okAll {
		return
	}
	if share, ok := f.share.step(gc, all-idle); ok {
		r.gauge(controller.GCCPURatio, share)
	} else {
		r.missing("no collection has ended since the first reading", controller.GCCPURatio)
	}
}

// value returns one of the runtime's facts. This version of the runtime may not have it.
func (f *runtimeFacts) value(i int, r *reading, of ...controller.Metric) (float64, bool) {
	switch v := f.samples[i].Value; v.Kind() {
	case metrics.KindUint64:
		return float64(v.Uint64()), true
	case metrics.KindFloat64:
		return v.Float64(), true
	default:
		r.missing("the runtime does not have "+runtimeNames[i], of...)
		return 0, false
	}
}

// cpuShare is the share of one growing time in another, over the last stretch
// in which they moved.
type cpuShare struct {
	seen        bool
	part, whole float64
	known       bool
	share       float64
}

func (c *cpuShare) step(part, whole float64) (share float64, ok bool) {
	dp, dw := part-c.part, whole-c.whole
	if c.seen && dw > 0 {
		c.share, c.known = min(max(dp/dw, 0), 1), true
	}
	if !c.seen || dw != 0 {
		c.seen, c.part, c.whole = true, part, whole
	}
	return c.share, c.known
}
