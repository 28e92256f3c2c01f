package executor

import (
	"context"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"autotune/catalog"
	"autotune/controller"
)

func ok[In any](context.Context, In) (int, error) { return 1, nil }

func alwaysFails(context.Context, int) (int, error) { return 0, errBroken }

// Only executions with an identity feed the ghost cache, with the cache on or
// off: those of a step that declares its results, with an input that == can tell.
func TestSignals_duplicatesOfDeclaredSteps(t *testing.T) {
	for name, cfg := range map[string]Config{
		"baseline": {}, "cache": {EnableCacheOptimization: true}, "sharing": {EnableStepOptimization: true},
	} {
		t.Run(name, func(t *testing.T) {
			ex := start(t, cfg)
			undeclared := bind(t, ex, StepConfig[int, int]{Run: ok[int]})
			must(undeclared.Run(t.Context(), 1))(t)
			_, known := ex.Signals().Curve.DuplicateRatio()
			require.False(t, known, "nothing was declared")

			pure := bind(t, ex, StepConfig[float64, int]{Run: ok[float64], Results: Pure()})
			other := bind(t, ex, StepConfig[float64, int]{Run: ok[float64], Results: Pure()})
			for _, in := range []float64{1, 2, 3, 1, 2} {
				must(undeclared.Run(t.Context(), 1))(t)
				must(pure.Run(t.Context(), in))(t)
			}
			must(other.Run(t.Context(), 1))(t) // the same input of another step is another
			c := ex.Signals().Curve
			require.InDelta(t, 6, c.Executions, 0)
			again, known := c.DuplicateRatio()
			require.True(t, known)
			require.InDelta(t, 2.0/6, again, 1e-12)
			for size, miss := range map[int]float64{0: 1, 2: 1, 3: 4.0 / 6, 1000: 4.0 / 6} {
				got, _ := c.MissRatio(size)
				require.InDelta(t, miss, got, 1e-12, "size %d", size)
			}
		})
	}
}

// A repeat that comes when the result would be too old is no opportunity.
func TestSignals_duplicatesThatAreTooOld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ex := start(t, Config{})
		s := bind(t, ex, StepConfig[int, int]{Run: ok[int], Results: FreshFor(time.Second)})
		for range 9 { // of three, the first computes and two repeat it
			must(s.Run(t.Context(), 1))(t)
			time.Sleep(400 * time.Millisecond)
		}
		again, _ := ex.Signals().Curve.DuplicateRatio()
		require.InDelta(t, 6.0/9, again, 1e-12)
	})
}

// What repeats took is timed, whichever way an input is identified; what a failed
// attempt leads to, copies of run state and pools are counted.
func TestSignals_whatRepeatsTook(t *testing.T) {
	for name, cfg := range map[string]StepConfig[int, int]{"hashed": {}, "with a key": {Key: strconv.Itoa}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ex := start(t, Config{})
				cfg.Results = Pure()
				cfg.Run = func(_ context.Context, in int) (int, error) {
					time.Sleep(time.Duration(in) * time.Millisecond)
					return in, nil
				}
				s := bind(t, ex, cfg)
				const n = 32 * 200
				for i := range n {
					must(s.Run(t.Context(), 1+i%4))(t)
				}
				got := ex.Signals()
				require.Equal(t, 1, got.DeclaredSteps)
				require.InEpsilon(t, n*2.5e-3, got.Repeated.Seconds(), 0.15)
			})
		})
	}
}

func TestSignals_attemptsThatFail(t *testing.T) {
	ex := start(t, Config{})
	s := bind(t, ex, StepConfig[int, int]{Run: alwaysFails, Attempts: 3, Fallback: func(context.Context, int, error) (int, error) { return 1, nil }})
	must(s.Run(t.Context(), 1))(t)
	got := ex.Signals()
	require.EqualValues(t, 2, got.Retries)
	require.EqualValues(t, 1, got.Fallbacks)
	require.Zero(t, got.Failed)
}

// A Key is called for one execution in 32, and may panic.
func TestSignals_stepsWithAKey(t *testing.T) {
	ex := start(t, Config{})
	keys := 0
	s := bind(t, ex, StepConfig[int, int]{Run: ok[int], Results: Pure(), Key: func(in int) string {
		if keys++; keys == 1 {
			panic("no key")
		}
		return strconv.Itoa(in)
	}})
	const n = 32 * 400
	for i := range n {
		must(s.Run(t.Context(), i%10))(t)
	}
	require.InDelta(t, 400, keys, 100)
	c := ex.Signals().Curve
	require.InDelta(t, float64(32*(keys-1)), c.Executions, 0)
	again, _ := c.DuplicateRatio()
	require.InDelta(t, 1-10/float64(keys-1), again, 1e-9)
}

func TestSignals_identicalInFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ex := start(t, Config{})
		s := bind(t, ex, StepConfig[int, int]{Results: Pure(), Run: func(context.Context, int) (int, error) {
			time.Sleep(time.Second)
			panic("ends too")
		}})
		for range 2 {
			for _, in := range []int{1, 1, 1, 2} {
				go s.Run(t.Context(), in)
			}
			time.Sleep(2 * time.Second)
			_, err := s.Run(t.Context(), 1) // alone
			require.Error(t, err)
		}
		got := ex.Signals()
		require.EqualValues(t, 10, got.Looked)
		require.EqualValues(t, 4, got.Alike)
	})
}

func TestSignals_queueWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ex := start(t, Config{EnableConcurrencyOptimization: true, MaxConcurrentExecutions: 1})
		s := bind(t, ex, StepConfig[int, int]{Run: func(context.Context, int) (int, error) {
			time.Sleep(time.Second)
			return 1, nil
		}})
		for i := range 3 {
			go s.Run(t.Context(), i)
		}
		time.Sleep(time.Minute)
		require.Equal(t, (1+2)*time.Second, ex.Signals().QueueWait)
	})
}

func TestSignals_errorBursts(t *testing.T) {
	for name, c := range map[string]struct {
		failures, successes int
		every               time.Duration
		bursts              uint64
	}{
		"a burst":                  {20, 0, time.Millisecond, 1},
		"three seconds of it":      {300, 300, 10 * time.Millisecond, 3},
		"few":                      {9, 0, time.Millisecond, 0},
		"many among many more":     {100, 400, time.Millisecond, 0},
		"many, far from another":   {100, 0, 200 * time.Millisecond, 0},
		"just enough among others": {10, 30, time.Millisecond, 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ex := start(t, Config{})
				good, bad := bind(t, ex, StepConfig[int, int]{Run: ok[int]}), bind(t, ex, StepConfig[int, int]{Run: alwaysFails})
				each := c.successes / max(c.failures, 1)
				for range c.failures {
					for range each {
						must(good.Run(t.Context(), 1))(t)
					}
					_, err := bad.Run(t.Context(), 1)
					require.Error(t, err)
					time.Sleep(c.every)
				}
				got := ex.Signals()
				require.EqualValues(t, c.failures, got.Failed)
				require.Equal(t, c.bursts, got.Bursts)
			})
		})
	}
}

func TestSignals_ofTheProcess(t *testing.T) {
	ex := start(t, Config{})
	s := bind(t, ex, StepConfig[int, []byte]{Run: func(_ context.Context, n int) ([]byte, error) { return make([]byte, n), nil }})
	before := ex.Signals()
	for range 10 {
		must(s.Run(t.Context(), 1<<20))(t)
	}
	got := ex.Signals().Since(before)
	require.EqualValues(t, 10, got.Executions)
	require.InDelta(t, 10<<20, float64(got.AllocBytes), 1<<20)
	done := newGroup(200, func() { // more than there are processors
		for end := time.Now().Add(2 * time.Millisecond); time.Now().Before(end); {
		}
	})
	done.Wait()
	require.Positive(t, ex.Signals().Since(before).SchedulerWait)
}

// What a policy finds in a sample, and that what is not known is absent.
func TestSignals_inASample(t *testing.T) {
	ex := start(t, Config{})
	empty := controller.Sample{Totals: map[controller.Metric]float64{}, Gauges: map[controller.Metric]float64{}}
	ex.Signals().AddTo(&empty)
	require.Equal(t, map[controller.Metric]float64{catalog.DeclaredSteps: 0, catalog.PoolTypes: 0}, empty.Gauges)
	require.Contains(t, empty.Totals, catalog.QueueWaitSeconds)

	s := bind(t, ex, StepConfig[int, int]{Run: ok[int], Results: Pure()})
	for i := range 3000 {
		must(s.Run(t.Context(), i%1000))(t)
	}
	sample := controller.Sample{Totals: map[controller.Metric]float64{}, Gauges: map[controller.Metric]float64{}}
	ex.Signals().AddTo(&sample)
	require.InDelta(t, 3000, sample.Totals[catalog.Executions], 0)
	for m, want := range map[controller.Metric]float64{
		catalog.DuplicateInputRatio: 2.0 / 3, catalog.IdenticalInFlightRatio: 0,
		catalog.CacheMissRatio(256): 1, catalog.CacheMissRatio(4096): 1.0 / 3, catalog.CacheMissRatio(16384): 1.0 / 3,
	} {
		v, known := sample.Value(m)
		require.True(t, known, m)
		require.InDelta(t, want, v, 0.1, m) // sampled, if 3000 executions take less than 0.15 s
	}
}

type mixedInput struct {
	A int8
	_ int16
	B string
	C [2]float32
	D bool
}

// Signals add no allocation, whatever the input.
func TestSignals_doNotAllocate(t *testing.T) {
	ex := start(t, Config{})
	measure[int](t, ex, func(i int) int { return i })
	measure[string](t, ex, func(i int) string { return inputText[i&1023] })
	measure[mixedInput](t, ex, func(i int) mixedInput { return mixedInput{A: int8(i), B: inputText[i&1023]} })
	measure[[3]uint16](t, ex, func(i int) [3]uint16 { return [3]uint16{uint16(i), 1, 2} })
}

var inputText = func() (s [1024]string) {
	for i := range s {
		s[i] = "customer/" + strconv.Itoa(i)
	}
	return s
}()

func measure[In any](t *testing.T, ex *Executor, input func(int) In) {
	t.Helper()
	s := bind(t, ex, StepConfig[In, int]{Run: ok[In], Results: Pure()})
	ctx, i := context.Background(), 0
	require.Zero(t, testing.AllocsPerRun(20_000, func() {
		i++
		_, _ = s.Run(ctx, input(i))
	}))
}

func TestSignals_without(t *testing.T) {
	ex, err := New(Config{}, WithoutSignals())
	require.NoError(t, err)
	defer ex.Close()
	s := bind(t, ex, StepConfig[int, int]{Run: ok[int], Results: Pure()})
	for range 10 {
		must(s.Run(t.Context(), 1))(t)
	}
	got := ex.Signals()
	require.EqualValues(t, 10, got.Executions)
	require.Zero(t, got.Looked)
	_, known := got.Curve.MissRatio(1)
	require.False(t, known)
}

// Executions, snapshots and configurations at once: for the race detector, and
// what began ended.
func TestSignals_underLoad(t *testing.T) {
	ex := start(t, Config{})
	s := bind(t, ex, StepConfig[int, int]{Run: func(_ context.Context, in int) (int, error) {
		if in%7 == 0 {
			return 0, errBroken
		}
		return in, nil
	}, Results: Pure()})
	const each, n = 3000, 8
	running := newGroup(n, func() {
		for i := range each {
			_, _ = s.Run(context.Background(), i%50)
		}
	})
	for i := range 50 {
		require.NoError(t, ex.Apply(Config{EnableCacheOptimization: i%2 == 0, EnableStepOptimization: i%3 == 0}))
		ex.Signals()
	}
	running.Wait()
	got := ex.Signals()
	require.InDelta(t, n*each, got.Curve.Executions, 0)
	require.LessOrEqual(t, got.Alike, got.Looked)
	for i := range ex.signals.sight.Load().alike.words {
		require.Zero(t, ex.signals.sight.Load().alike.words[i].Load()&countMask)
	}
}
