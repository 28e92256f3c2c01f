package sensors

import (
	"math"
	"os"
	"path/filepath"
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
	assert.EqualValues(t, 8<<30, f.memoryLimit, "it can be changed while the service runs")
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

// burn uses CPU time for about d.
func burn(d time.Duration) {
	for start := time.Now(); time.Since(start) < d; {
		for range 1000 {
			sinkInt++
		}
	}
}

var sinkInt int

func TestProcess_cpuIsWhatWasUsed(t *testing.T) {
	p := newProcess()
	defer func() { assert.NoError(t, p.close()) }()
	var drop reading
	p.read(&drop)
	burn(50 * time.Millisecond)
	r := newReading()
	p.read(&r)
	// The machine may have taken the processor away for part of the time.
	assert.Greater(t, r.totals[controller.CPUSeconds], 0.005)
	assert.Less(t, r.totals[controller.CPUSeconds], 5.0)
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

func TestRSS_statm(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the file is Linux's")
	}
	for name, c := range map[string]struct {
		text string
		want float64
		err  string
	}{
		"usual":        {"5000 123 100 10 0 200 0\n", 123 * float64(os.Getpagesize()), ""},
		"short":        {"5000\n", 0, "two fields"},
		"empty":        {"", 0, "two fields"},
		"not a number": {"1 x 2\n", 0, "number of pages"},
	} {
		path := filepath.Join(t.TempDir(), "statm")
		require.NoError(t, os.WriteFile(path, []byte(c.text), 0o600))
		r := openRSS(path)
		got, err := r.bytes()
		if c.err != "" {
			assert.ErrorContains(t, err, c.err, name)
		} else {
			require.NoError(t, err, name)
			assert.Equal(t, c.want, got, name)
		}
		assert.NoError(t, r.close())
	}
	r := openRSS(filepath.Join(t.TempDir(), "none"))
	_, err := r.bytes()
	assert.ErrorIs(t, err, os.ErrNotExist)
	assert.NoError(t, r.close())
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
	go func() { defer close(done); burn(100 * time.Millisecond) }()
	<-done
	idle, _ := ThreadCPU()
	burn(30 * time.Millisecond)
	after, _ := ThreadCPU()
	assert.Less(t, idle-before, 0.05, "another thread's work does not count")
	assert.Greater(t, after-idle, 0.002)
}
