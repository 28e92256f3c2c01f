package executor

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"autotune/controller"
)

// Random configurations at a high rate under full load: every execution ends
// with the right answer, those of a step that declares nothing run exactly once
// each, nothing hangs, and what is read back is what was set.
func TestStress_applyUnderLoad(t *testing.T) {
	period := 2 * time.Second
	if testing.Short() {
		period = 300 * time.Millisecond
	}
	ex := start(t, Config{})
	var ran, asked atomic.Int64
	undeclared := bind(t, ex, StepConfig[int, int]{Name: "undeclared", Run: func(_ context.Context, in int) (int, error) {
		ran.Add(1)
		return -in, nil
	}})
	pure := bind(t, ex, StepConfig[int, []int]{
		Name: "pure", Results: Pure(), Copy: func(v []int) []int { return append([]int(nil), v...) }, Attempts: 2,
		Run: func(_ context.Context, in int) ([]int, error) {
			if in%16 == 3 {
				return nil, errBroken
			}
			if in%8 == 0 {
				runtime.Gosched()
			}
			return []int{in}, nil
		},
	})
	bounded := bind(t, ex, StepConfig[string, string]{
		Name: "bounded", Results: FreshFor(time.Millisecond), Timeout: time.Minute,
		Run: func(_ context.Context, in string) (string, error) { return in + "!", nil },
	})
	nested := bind(t, ex, StepConfig[int, int]{Name: "nested", Results: Pure(), Run: func(ctx context.Context, in int) (int, error) {
		out, err := pure.Run(ctx, in*16)
		if err != nil {
			return 0, err
		}
		asked.Add(1)
		v, err := undeclared.Run(ctx, in)
		return out[0] - v, err
	}})

	stop := time.Now().Add(period)
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			r := rand.New(rand.NewPCG(7, uint64(i)))
			for time.Now().Before(stop) {
				in := r.IntN(100)
				ctx, cancel := context.Background(), context.CancelFunc(func() {})
				short := r.IntN(8) == 0
				if short {
					ctx, cancel = context.WithTimeout(ctx, time.Duration(r.IntN(100))*time.Microsecond)
				}
				var err error
				right := true
				switch r.IntN(5) {
				case 0:
					var out int
					before := ran.Load()
					if out, err = undeclared.Run(ctx, in); err == nil {
						asked.Add(1)
						right = out == -in && ran.Load() > before
					} else {
						right = short
					}
				case 1:
					var out []int
					out, err = pure.Run(ctx, in)
					switch {
					case err == nil:
						right = in%16 != 3 && len(out) == 1 && out[0] == in
						if right {
							out[0] = -1
						}
					case errors.Is(err, errBroken):
						right = in%16 == 3
					default:
						right = short
					}
				case 2:
					var out string
					if out, err = bounded.Run(ctx, "a"); err == nil {
						right = out == "a!"
					} else {
						right = short
					}
				case 3:
					var out int
					// Never short: a canceled one may or may not have asked.
					if out, err = nested.Run(context.Background(), in); err == nil {
						right = out == 17*in
					} else {
						right = false
					}
				case 4:
					pure.Invalidate(in)
					nested.Invalidate(in)
				}
				cancel()
				if !right {
					t.Errorf("input %d, short %v: %v", in, short, err)
					return
				}
			}
		})
	}
	applied := 0
	r := rand.New(rand.NewPCG(8, 8))
	for time.Now().Before(stop) {
		cfg := randomConfig(r)
		cfg.CacheSize, cfg.MaxConcurrentExecutions = 1+r.IntN(200), 1+r.IntN(8)
		cfg.ConcurrencyTimeout, cfg.CircuitBreakerFailureThreshold = time.Hour, 1e5 // nothing is rejected
		require.NoError(t, ex.Apply(cfg))
		require.Equal(t, cfg, ex.Config())
		want := controller.SettingOf(settingOf(cfg))
		require.Equal(t, want, ex.Setting())
		applied++
		if r.IntN(10) == 0 {
			time.Sleep(time.Duration(r.IntN(500)) * time.Microsecond)
		}
	}
	all.Wait()
	stats := ex.Stats()
	t.Logf("%d configurations: %+v", applied, stats)
	require.Equal(t, asked.Load(), ran.Load(), "each execution of a step that declares nothing ran once")
	require.Zero(t, stats.InFlight)
	require.Zero(t, stats.Rejected)
	require.Zero(t, stats.Panics)
	// A function with a timeout hands over its result before its permit.
	require.Eventually(t, func() bool { return ex.background.Load() == 0 }, 5*time.Second, time.Millisecond)
	require.Zero(t, usedOf(ex.permits.word.Load()), "every permit came back")
	require.Empty(t, pure.flights.m)
}

func settingOf(cfg Config) map[string]float64 {
	m := map[string]float64{}
	for _, f := range movableFields() {
		m[f.Name] = f.get(&cfg)
	}
	return m
}

// randomConfig is a valid one with each field anywhere in its range, and no
// autopilot.
func randomConfig(r *rand.Rand) Config {
	c := Defaults()
	for _, f := range movableFields() {
		v := f.Min + r.Float64()*(f.Max-f.Min)
		if f.Scale == controller.Log {
			v = f.Min * math.Pow(f.Max/f.Min, r.Float64())
		}
		f.set(&c, f.Clamp(v))
	}
	return c
}
