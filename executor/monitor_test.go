package executor

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"autotune/controller"
)

func monitorOn(interval time.Duration, threshold float64) Config {
	c := Defaults()
	c.EnablePerformanceMonitoring, c.PerformanceMonitoringInterval, c.PerformanceAlertThreshold = true, interval, threshold
	return c
}

// taken are the alerts that wait.
func taken(ex *Executor) (alerts []Alert) {
	for {
		select {
		case a := <-ex.Alerts():
			alerts = append(alerts, a)
		default:
			return alerts
		}
	}
}

// A step whose every execution takes as long as the test says, 50 ms to 200 ms.
func TestMonitor_alertsOnWhatGotWorse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ex, err := New(monitorOn(10*time.Second, 0.2))
		require.NoError(t, err)
		var fails int
		s := bind(t, ex, StepConfig[time.Duration, int]{Name: "slow", Run: func(_ context.Context, d time.Duration) (int, error) {
			time.Sleep(d)
			if fails > 0 {
				fails--
				return 0, errBroken
			}
			return 0, nil
		}})
		began := time.Now()
		run := func(d time.Duration, until time.Duration) []Alert {
			for time.Since(began) < until {
				_, _ = s.Run(t.Context(), d)
			}
			synctest.Wait()
			return taken(ex)
		}
		ms := time.Millisecond
		require.Empty(t, run(100*ms, 11*time.Second), "the reference")
		require.Empty(t, run(112*ms, 21*time.Second), "12 % is not 20 %")
		require.Empty(t, run(50*ms, 31*time.Second), "better is no alert")
		alerts := run(150*ms, 41*time.Second)
		require.Len(t, alerts, 1)
		a := alerts[0]
		require.Equal(t, "slow", a.Step)
		require.Contains(t, []controller.Metric{controller.LatencyP50, controller.LatencyP95}, a.Metric)
		require.InDelta(t, 0.15, a.Value, 0.006)
		require.InDelta(t, 0.1, a.Reference, 0.004)
		require.Equal(t, 10*time.Second, a.Over)
		require.Contains(t, a.String(), "step slow: latency_p")
		require.Empty(t, run(150*ms, 61*time.Second), "one alert; then it is what is expected")

		require.NoError(t, ex.Update(func(c *Config) { c.PerformanceAlertThreshold = 0.5 }))
		require.Empty(t, run(200*ms, 71*time.Second), "33 % is not 50 %")
		require.NoError(t, ex.Update(func(c *Config) { c.PerformanceAlertThreshold = 0.1 }))
		require.Len(t, run(200*ms, 81*time.Second), 1)

		require.NoError(t, ex.Update(func(c *Config) { c.PerformanceMonitoringInterval = 30 * time.Second }))
		run(100*ms, 111*time.Second)
		require.Empty(t, run(150*ms, 139*time.Second), "the interval is longer")
		require.Len(t, run(150*ms, 142*time.Second), 1)

		run(100*ms, 172*time.Second)
		fails = 100
		alerts = run(100*ms, 202*time.Second)
		require.Len(t, alerts, 1)
		require.Equal(t, controller.ErrorRatio, alerts[0].Metric)
		require.InDelta(t, 0.33, alerts[0].Value, 0.02)

		require.NoError(t, ex.Update(func(c *Config) { c.EnablePerformanceMonitoring = false }))
		require.Nil(t, ex.current.Load().session)
		require.Empty(t, run(time.Second, 300*time.Second), "off")
		require.NoError(t, ex.Update(func(c *Config) { c.EnablePerformanceMonitoring = true }))
		require.Empty(t, run(500*ms, 361*time.Second), "measured anew")
		require.EqualValues(t, 4, ex.Stats().Alerts)
		require.NoError(t, ex.Close())
		_, open := <-ex.Alerts()
		require.False(t, open)
	})
}

// Nobody takes alerts: executions, and Close, go on.
func TestMonitor_alertsBlockNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ex, err := New(monitorOn(time.Minute, 0.2))
		require.NoError(t, err)
		var d time.Duration
		var steps []*Step[int, int]
		for range alertsKept + 10 {
			steps = append(steps, bind(t, ex, StepConfig[int, int]{Run: func(context.Context, int) (int, error) { time.Sleep(d); return 0, nil }}))
		}
		for _, d = range []time.Duration{time.Millisecond, 2 * time.Millisecond} {
			for _, s := range steps {
				for range 2 * leastTimed {
					must(s.Run(t.Context(), 0))(t)
				}
			}
			time.Sleep(time.Minute)
			synctest.Wait()
		}
		require.EqualValues(t, alertsKept+10, ex.Stats().Alerts)
		require.EqualValues(t, 10, ex.Stats().AlertsDropped)
		require.Len(t, taken(ex), alertsKept)
		require.NoError(t, ex.Close())
	})
}

func TestWindow_bucketsAndQuantiles(t *testing.T) {
	for bucket := range buckets {
		require.Equal(t, bucket, bucketOf(uint64(startOf(bucket))))
		require.Equal(t, bucket, bucketOf(uint64(startOf(bucket+1))-1))
	}
	require.Equal(t, buckets-1, bucketOf(math.MaxUint64))
	w := &window{}
	for n := range 1000 {
		w.add(int64(n+1)*1000, 1, n%10 == 0)
	}
	f := w.take()
	require.InDelta(t, 1000, f.total, 0)
	require.InDelta(t, 1000, f.size, 0)
	require.InDelta(t, 100, f.failed, 0)
	for _, q := range []float64{0.01, 0.5, 0.95, 1} {
		require.InEpsilon(t, q*1e-3, f.quantile(q), 0.035)
	}
	require.Zero(t, w.take().total, "taken")
}

// Sampling changes what it costs, not what is seen.
func TestWindow_samplesWithoutBias(t *testing.T) {
	w := &window{}
	const n = 2_000_000
	for i := range n {
		if weight := w.weight(); weight > 0 {
			w.add(int64(1000+i%1000), weight, i%100 == 0)
		}
	}
	timed := w.timed.Load()
	require.Less(t, timed, uint64(n/30))
	f := w.take()
	require.InEpsilon(t, n, f.total, 0.05)
	require.InEpsilon(t, 0.01, f.failed/f.total, 0.3)
	require.InEpsilon(t, 1.5e-6, f.quantile(0.5), 0.02)
	require.Less(t, f.size, float64(timed))
	require.Greater(t, f.size, float64(timed)/2)
}

// No effect raises next to no alerts; twice the latency, or errors of 20 %, are
// noticed. Latencies are log-normal with a wide tail, 200 executions an interval.
func TestMonitor_errorRates(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	fill := func(w *window, factor, failing float64) {
		for range 200 {
			w.add(int64(factor*1e6*math.Exp(r.NormFloat64())), 1, r.Float64() < failing)
		}
	}
	alerts := func(trials int, factor, failing float64) (n int) {
		for range trials {
			w := &watch{window: &window{}}
			fill(w.window, 1, 0.005)
			w.compare(0, time.Now())
			fill(w.window, factor, failing)
			if _, ok := w.compare(0, time.Now()); ok {
				n++
			}
		}
		return n
	}
	// 2 of 1000 are significantly fewer than 1 % (Clopper-Pearson, 99 %: 0.0084).
	require.LessOrEqual(t, alerts(1000, 1, 0.005), 2)
	require.Greater(t, alerts(100, 2.5, 0.005), 90)
	require.Greater(t, alerts(100, 1, 0.20), 90)
}

func BenchmarkMonitor(b *testing.B) {
	b.Run("clock", func(b *testing.B) { // two readings of it
		c := newClock()
		for b.Loop() {
			began := c.NowNano()
			sink = int(c.NowNano() - began)
		}
	})
	b.Run("window", func(b *testing.B) { // of an execution that is timed, without the clock
		w := &window{}
		for i := 0; b.Loop(); i++ {
			if w.weight() == 1 {
				w.add(int64(i&4095), 1, false)
			} else {
				w.timed.Store(0)
			}
		}
	})
}
