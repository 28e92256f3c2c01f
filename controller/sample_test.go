package controller_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	. "autotune/controller" //nolint:revive // the tests of a vocabulary read better with it
)

func sampleOf(over time.Duration, requests, gauge float64, latencies ...time.Duration) *Sample {
	s := &Sample{
		At: epochZero.Add(over), Over: over, Latency: &Histogram{},
		Totals: map[Metric]float64{Requests: requests, CPUSeconds: requests / 100},
		Gauges: map[Metric]float64{"g": gauge},
	}
	for _, d := range latencies {
		s.Latency.Record(d)
	}
	return s
}

// Totals add, gauges are averaged over time, ratios are of the whole.
func TestSample_mergesTotalsGaugesAndLatencies(t *testing.T) {
	var b Sample
	b.Merge(sampleOf(time.Second, 100, 1, time.Millisecond))
	b.Merge(sampleOf(3*time.Second, 500, 5, 9*time.Millisecond, 9*time.Millisecond))
	for m, want := range map[Metric]float64{
		Requests: 600, CPUSeconds: 6, "g": 4, CPUPerRequest: 0.01, "requests_per_second": 150,
	} {
		v, ok := b.Value(m)
		require.True(t, ok, m)
		require.InEpsilon(t, want, v, 1e-12, m)
	}
	require.Equal(t, 4*time.Second, b.Over)
	require.EqualValues(t, 3, b.Latency.Count())
	b.Reset()
	require.Zero(t, b.Over)
	_, ok := b.Value(Requests)
	require.False(t, ok)
}

// Merging keeps nothing of what it was given: a target may use it again.
func TestSample_mergeKeepsNoReference(t *testing.T) {
	var b Sample
	o := sampleOf(time.Second, 100, 1, time.Millisecond)
	b.Merge(o)
	o.Totals[Requests], o.Gauges["g"] = 7, 7
	o.Latency.Reset()
	require.Equal(t, 100.0, b.Totals[Requests])
	require.Equal(t, 1.0, b.Gauges["g"])
	require.EqualValues(t, 1, b.Latency.Count())
}

// A metric that was not measured is absent, never zero.
func TestSample_absentIsNotZero(t *testing.T) {
	empty := &Sample{Totals: map[Metric]float64{Errors: 3, CPUSeconds: 1}, Over: time.Second}
	for _, m := range []Metric{
		LatencyP50, LatencyP95, LatencyP99, LatencyMean, ErrorRatio, CompletionRatio, CPUPerRequest, "nothing",
		"nothing_per_second", "nothing_per_request",
	} {
		_, ok := empty.Value(m)
		require.False(t, ok, m)
	}
	zero := &Sample{Totals: map[Metric]float64{Requests: 0, Completions: 0, Errors: 0}}
	_, ok := zero.Value(ErrorRatio)
	require.False(t, ok, "a ratio over nothing")
}

// A stall is seen: what is unfinished counts at its age.
func TestSample_unfinishedCountsAtItsAge(t *testing.T) {
	s := sampleOf(time.Second, 100, 1)
	for range 90 {
		s.Latency.Record(time.Millisecond)
	}
	s.Unfinished = &Histogram{}
	for range 10 {
		s.Unfinished.Record(900 * time.Millisecond)
	}
	p95, ok := s.Value(LatencyP95)
	require.True(t, ok)
	require.InDelta(t, 0.9, p95, 0.9/64)
	mean, _ := s.Value(LatencyMean)
	require.InEpsilon(t, 0.0909, mean, 1e-6)
	next := sampleOf(time.Second, 100, 1, time.Millisecond)
	s.Merge(next)
	require.Nil(t, s.Unfinished, "only those at the end are unfinished")
}

// Latencies that were measured win over a gauge of the same name, which serves
// targets that measure none.
func TestSample_latencyMayBeAGauge(t *testing.T) {
	for _, m := range []Metric{LatencyP50, LatencyP95, LatencyP99, LatencyMean} {
		var b Sample
		b.Merge(&Sample{Over: time.Second, Gauges: map[Metric]float64{m: 0.2}})
		v, ok := b.Value(m)
		require.True(t, ok, m)
		require.Equal(t, 0.2, v, m)
		b.Merge(sampleOf(time.Second, 1, 1, time.Millisecond))
		v, ok = b.Value(m)
		require.True(t, ok, m)
		require.InEpsilon(t, 0.001, v, 1.0/64, m)
	}
}

// A trace keeps what a target said, not what it says later with the same maps.
func TestTrace_keepsCopiesOfSamples(t *testing.T) {
	s := sampleOf(time.Second, 100, 1, time.Millisecond)
	var trace Trace
	in := Input{Sample: *s}
	require.NoError(t, trace.Append(Record{Kind: RecordInput, Input: &in}))
	s.Totals[Requests], s.Gauges["g"] = 7, 7
	s.Latency.Reset()
	got := trace.Records[0].Input.Sample
	require.Equal(t, 100.0, got.Totals[Requests])
	require.Equal(t, 1.0, got.Gauges["g"])
	require.EqualValues(t, 1, got.Latency.Count())
}
