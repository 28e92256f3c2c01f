package sensors

import (
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"autotune/controller"
)

func TestOptions_check(t *testing.T) {
	_, err := New(Options{HostEvery: -time.Second})
	assert.EqualError(t, err, "sensors: host_every -1s: must not be negative")
	s, err := New(Options{})
	require.NoError(t, err)
	assert.Equal(t, time.Second, s.host.every)
}

func TestSensors_firstReadingOfRatesGivesNone(t *testing.T) {
	s, err := New(Options{Recorder: NewRecorder()})
	require.NoError(t, err)
	defer func() { assert.NoError(t, s.Close()) }()
	now := time.Now()
	first, err := s.Sample(now)
	require.NoError(t, err)
	assert.Zero(t, first.Over)
	for _, m := range []controller.Metric{controller.CPUSeconds, controller.AllocBytes, GCCycles, GCCPUSeconds} {
		assert.NotContains(t, first.Totals, m)
		assert.Equal(t, firstReading, s.Absent()[m])
	}
	assert.Contains(t, first.Totals, controller.Requests, "requests are counted, not read")

	second, err := s.Sample(now.Add(time.Second))
	require.NoError(t, err)
	assert.Equal(t, time.Second, second.Over)
	for _, m := range []controller.Metric{controller.CPUSeconds, controller.AllocBytes, GCCycles, GCCPUSeconds} {
		assert.Contains(t, second.Totals, m)
		assert.NotContains(t, s.Absent(), m)
	}
	assert.NotContains(t, first.Totals, controller.CPUSeconds, "a sample is the caller's")
}

func TestSensors_sampleCoversTimeSinceBegin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rec := NewRecorder()
		s, err := New(Options{Recorder: rec})
		require.NoError(t, err)
		s.Begin(1)
		rec.StartNow().End(false)
		time.Sleep(time.Second)
		a, err := s.Sample(time.Now())
		require.NoError(t, err)
		assert.Equal(t, time.Second, a.Over)
		assert.Contains(t, a.Totals, controller.CPUSeconds, "Begin was the first reading")
		assert.Equal(t, 1.0, a.Totals[controller.Requests])

		// Between the last sample of an epoch and the next epoch a change is made.
		// What it costs, and what comes in meanwhile, is in no sample.
		rec.StartNow().End(true)
		for range 100 {
			sink = make([]byte, 1<<20)
		}
		time.Sleep(time.Minute)
		s.Begin(2)
		time.Sleep(2 * time.Second)
		b, err := s.Sample(time.Now())
		require.NoError(t, err)
		assert.Equal(t, 2*time.Second, b.Over)
		assert.Equal(t, 0.0, b.Totals[controller.Requests])
		assert.Less(t, b.Totals[controller.AllocBytes], 50.0*(1<<20))

		s.Begin(2)
		rec.StartNow().End(false)
		time.Sleep(time.Second)
		c, err := s.Sample(time.Now())
		require.NoError(t, err)
		assert.Equal(t, time.Second, c.Over)
		assert.Equal(t, 1.0, c.Totals[controller.Requests])
	})
}

func TestSensors_timeMustAdvance(t *testing.T) {
	rec := NewRecorder()
	s, err := New(Options{Recorder: rec})
	require.NoError(t, err)
	now := time.Now()
	_, err = s.Sample(now)
	require.NoError(t, err)
	rec.StartNow().End(false)
	for _, bad := range []time.Time{now, now.Add(-time.Second)} {
		_, err = s.Sample(bad)
		require.ErrorIs(t, err, ErrTime)
	}
	got, err := s.Sample(now.Add(time.Second))
	require.NoError(t, err)
	assert.Equal(t, 1.0, got.Totals[controller.Requests], "an error takes nothing")
}

func TestSensors_withoutRecorder(t *testing.T) {
	s, err := New(Options{})
	require.NoError(t, err)
	s.Begin(1)
	got, err := s.Sample(time.Now().Add(time.Second))
	require.NoError(t, err)
	for _, m := range []controller.Metric{controller.Requests, controller.Completions, controller.Errors} {
		assert.NotContains(t, got.Totals, m)
		assert.Equal(t, "no recorder", s.Absent()[m])
	}
	assert.Nil(t, got.Latency)
	assert.NotContains(t, got.Gauges, controller.InFlight)
}

// Every metric is there, or has a reason; the reasons are the caller's copy.
func TestSensors_presentOrExplained(t *testing.T) {
	s, err := New(Options{Recorder: NewRecorder(), HostEvery: time.Nanosecond})
	require.NoError(t, err)
	s.Begin(1)
	for range 3 {
		runtime.GC()
		time.Sleep(30 * time.Millisecond)
		got, err := s.Sample(time.Now())
		require.NoError(t, err)
		absent := s.Absent()
		for _, m := range []controller.Metric{
			controller.Requests, controller.Completions, controller.Errors, controller.CPUSeconds, controller.AllocBytes,
			controller.InFlight, controller.OldestInFlight, controller.RSSBytes, controller.MemoryRatio, controller.GCCPURatio,
			GCCPUSeconds, GCCycles, Goroutines, HeapLiveBytes, MemoryLimitBytes,
			HostCPURatio, HostStealRatio, HostMemoryRatio, ThrottledRatio,
		} {
			v, present := got.Value(m)
			why, explained := absent[m]
			assert.True(t, present != explained, "%s: %v, %q", m, v, why)
			if strings.HasSuffix(string(m), "_ratio") {
				assert.True(t, v >= 0 && v <= 1, "%s: %v", m, v)
			}
		}
		absent[controller.Requests] = "scribble"
		assert.NotContains(t, s.Absent(), controller.Requests)
	}
}

// The parts that a dashboard reads may be read while samples are taken.
func TestSensors_concurrentUse(t *testing.T) {
	rec := NewRecorder()
	s, err := New(Options{Recorder: rec, HostEvery: time.Nanosecond})
	require.NoError(t, err)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 100 {
				s.Absent()
				rec.StartNow().End(false)
			}
		})
	}
	total := 0.0
	for range 20 {
		got, err := s.Sample(time.Now())
		require.NoError(t, err)
		total += got.Totals[controller.Requests]
	}
	wg.Wait()
	got, err := s.Sample(time.Now())
	require.NoError(t, err)
	assert.Equal(t, 400.0, total+got.Totals[controller.Requests])
}
