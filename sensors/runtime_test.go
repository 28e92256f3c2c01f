package sensors

import (
	"math"
	"runtime"
	"runtime/debug"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"autotune/controller"
)

var sink []byte

func TestRuntime_facts(t *testing.T) {
	f := newRuntimeFacts()
	first := newReading()
	f.read(&first)
	for _, m := range []controller.Metric{controller.AllocBytes, GCCycles, GCCPUSeconds} {
		assert.NotContains(t, first.totals, m, "the first reading of a rate gives no value")
		assert.Equal(t, firstReading, first.absent[m])
	}

	const size, times = 1 << 20, 50
	for range times {
		sink = make([]byte, size)
	}
	runtime.GC()
	second := newReading()
	f.read(&second)
	assert.InDelta(t, size*times, second.totals[controller.AllocBytes], size)
	assert.GreaterOrEqual(t, second.totals[GCCycles], 1.0)
	assert.Greater(t, second.totals[GCCPUSeconds], 0.0)
	assert.GreaterOrEqual(t, second.gauges[Goroutines], 1.0)
	assert.GreaterOrEqual(t, second.gauges[HeapLiveBytes], float64(size))
	share := second.gauges[controller.GCCPURatio]
	assert.True(t, share > 0 && share <= 1, "%v", share)

	third := newReading()
	f.read(&third)
	if third.totals[GCCycles] == 0 {
		assert.Equal(t, share, third.gauges[controller.GCCPURatio], "stands until the next collection ends")
	}
	assert.Empty(t, third.absent)
}

func TestRuntime_namesAreKnown(t *testing.T) {
	f := newRuntimeFacts()
	r := newReading()
	f.read(&r)
	for m, why := range r.absent {
		assert.NotContains(t, why, "does not have", m)
	}
	f.samples[goroutines].Name = "/no/such:thing"
	r = newReading()
	f.read(&r)
	assert.NotContains(t, r.gauges, Goroutines)
	assert.Equal(t, "the runtime does not have /sched/goroutines:goroutines", r.absent[Goroutines])
}

func TestRuntime_memoryLimit(t *testing.T) {
	was := debug.SetMemoryLimit(-1)
	defer debug.SetMemoryLimit(was)
	f := newRuntimeFacts()
	r := newReading()
	debug.SetMemoryLimit(math.MaxInt64)
	f.read(&r)
	assert.Zero(t, f.memoryLimit, "none is set")
	debug.SetMemoryLimit(8 << 30)
	f.read(&r)
	assert.Equal(t, uint64(8<<30), f.memoryLimit, "it can be changed while the service runs")
}

func TestCPUShare_standsBetweenCollections(t *testing.T) {
	var c cpuShare
	_, ok := c.step(1, 10)
	assert.False(t, ok)
	_, ok = c.step(1, 10)
	assert.False(t, ok, "no collection has ended")
	share, ok := c.step(2, 14)
	assert.True(t, ok)
	assert.Equal(t, 0.25, share)
	share, _ = c.step(2, 14)
	assert.Equal(t, 0.25, share)
	share, _ = c.step(2, 18)
	assert.Equal(t, 0.0, share)
	share, _ = c.step(9, 19) // estimates may not fit each other
	assert.Equal(t, 1.0, share)
	share, _ = c.step(9, 15)
	assert.Equal(t, 1.0, share, "time went back: that says nothing")
	share, _ = c.step(9.5, 16)
	assert.Equal(t, 0.5, share, "and is taken up from there")
}

func TestCounter_firstAndBackwards(t *testing.T) {
	var c counter
	const m controller.Metric = "m"
	for _, x := range []struct {
		value float64
		want  any
		why   string
	}{
		{5, nil, firstReading}, {7, 2.0, ""}, {7, 0.0, ""}, {3, nil, "the counter went back"}, {4, 1.0, ""},
	} {
		r := newReading()
		c.total(&r, m, x.value)
		if x.want == nil {
			assert.NotContains(t, r.totals, m)
		} else {
			assert.Equal(t, x.want, r.totals[m])
		}
		assert.Equal(t, x.why, r.absent[m])
	}
}

// burn does a fixed piece of work, of some 30 ms.
func burn() {
	for range 20_000_000 {
		sinkInt++
	}
}

var sinkInt int

func TestProcess_cpuIsWhatWasUsed(t *testing.T) {
	p := newProcess()
	defer func() { assert.NoError(t, p.close()) }()
	var drop reading
	p.read(&drop)
	start := time.Now()
	burn()
	r := newReading()
	p.read(&r)
	assert.Greater(t, r.totals[controller.CPUSeconds], 0.002)
	assert.LessOrEqual(t, r.totals[controller.CPUSeconds], float64(runtime.NumCPU())*(time.Since(start).Seconds()+0.1))
	assert.Greater(t, r.gauges[controller.RSSBytes], 1e6)
}

func TestProcess_closed(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("nothing is open")
	}
	p := newProcess()
	require.NoError(t, p.close())
	require.NoError(t, p.close())
	r := newReading()
	p.read(&r)
	assert.Contains(t, r.absent[controller.RSSBytes], "closed")
}

func TestThreadCPU_isOfThisThread(t *testing.T) {
	if runtime.GOOS != "linux" {
		_, ok := ThreadCPU()
		assert.False(t, ok)
		return
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	before, ok := ThreadCPU()
	require.True(t, ok)
	done := make(chan struct{})
	go func() { defer close(done); burn() }()
	<-done
	idle, _ := ThreadCPU()
	burn()
	after, _ := ThreadCPU()
	assert.Greater(t, after-idle, 0.002)
	assert.Less(t, idle-before, (after-idle)/2, "another thread's work does not count")
}
