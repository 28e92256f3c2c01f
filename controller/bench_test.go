package controller_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	. "autotune/controller" //nolint:revive // the tests of a vocabulary read better with it
)

// busy drives a controller by hand into its first trial, with samples as a
// service of 400 requests/s gives them: about fifty latencies a tick.
type busy struct {
	core *Controller
	cmd  Command
	in   Input
	rng  *rand.Rand
}

func newBusy(tb testing.TB, measure time.Duration) *busy {
	space, offered, initial := switches("a", "b", "c", "d", "e", "f")
	c, err := New(Config{
		Space: space, Offered: offered, Policy: &eachOnce{},
		Timing: Timing{Washout: 125 * time.Millisecond, Measure: measure, Tick: 125 * time.Millisecond, BaselineBlocks: 3},
		Guards: []Guard{
			{Metric: ErrorRatio, Limit: 0.5, MinRequests: 20},
			{Metric: LatencyP99, Limit: 5, MinRequests: 200},
			{Metric: MemoryRatio, Limit: 0.95},
			{Metric: OldestInFlight, Limit: 10},
		},
	})
	require.NoError(tb, err)
	b := &busy{core: c, rng: rand.New(rand.NewPCG(1, 1))}
	b.in = Input{At: epochZero, Current: SettingOf(initial), Sample: Sample{
		Totals: map[Metric]float64{Requests: 50, Completions: 50, Errors: 0, CPUSeconds: 0.025, AllocBytes: 5e6},
		Gauges: map[Metric]float64{InFlight: 2, OldestInFlight: 0.01, RSSBytes: 3e7, MemoryRatio: 0.2, GCCPURatio: 0.05},
	}}
	b.sample()
	b.cmd = c.Start()
	// Skip through the baseline in whole blocks, and stop in the first block of a trial.
	for i := 0; b.core.Status().Phase != Trying; i++ {
		require.Less(tb, i, 1000)
		b.step()
		if left := measure - b.cmd.Wait; b.core.Status().Phase == Measuring && left > 0 {
			b.cmd.Wait = measure
		}
	}
	return b
}

func (b *busy) sample() {
	h := &Histogram{}
	for range 50 {
		h.Record(time.Duration(5e5 * (1 + b.rng.ExpFloat64())))
	}
	b.in.Sample.Latency = h
	b.in.Sample.Totals[CPUSeconds] = 0.02 + 0.01*b.rng.Float64()
}

func (b *busy) step() {
	b.in.Sample.Over = b.cmd.Wait
	b.in.At = b.in.At.Add(b.cmd.Wait)
	b.in.Sample.At = b.in.At
	if b.cmd.Apply {
		b.in.Current = b.cmd.Setting
	}
	b.cmd = b.core.Step(b.in)
}

// A tick in the middle of a block is cheap: the tuner is not the overhead.
func TestStep_tickHardlyAllocates(t *testing.T) {
	b := newBusy(t, time.Hour)
	b.step()
	require.Equal(t, Trying, b.core.Status().Phase)
	allocs := testing.AllocsPerRun(100, b.step)
	require.LessOrEqual(t, allocs, 2.0)
	require.Equal(t, Trying, b.core.Status().Phase)
}

// BenchmarkStep_tick is a tick in the middle of a block of very many.
func BenchmarkStep_tick(b *testing.B) {
	s := newBusy(b, 1000*time.Hour)
	b.ReportAllocs()
	for b.Loop() {
		s.step()
	}
	require.Equal(b, Trying, s.core.Status().Phase)
}

// BenchmarkStep_pairEnd is the step that judges a pair, three goals, averaged
// over the pairs of trials without an effect.
func BenchmarkStep_pairEnd(b *testing.B) {
	s := newBusy(b, 2*time.Second)
	var spent time.Duration
	judged := 0
	for b.Loop() {
		for was := judged; judged == was; {
			s.sample()
			began := time.Now()
			s.step()
			took := time.Since(began)
			for _, r := range s.cmd.Records {
				if r.Kind == RecordPair {
					judged++
					spent += took
				}
			}
			if s.core.Status().Phase == Idle {
				s = newBusy(b, 2*time.Second)
			}
		}
	}
	b.ReportMetric(float64(spent.Nanoseconds())/float64(judged), "ns/pair")
}
