package autotune_test

import (
	"context"
	"math"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"autotune"
	"autotune/controller"
	"autotune/executor"
	"autotune/knobs"
	"autotune/sensors"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// service is a small one in virtual time: each request sleeps for a while that
// its own switches change.
type service struct {
	fast, slow, broken atomic.Bool
	rec                *sensors.Recorder
	stop               context.CancelFunc
	ended              chan struct{}
}

func startService() *service {
	ctx, stop := context.WithCancel(context.Background())
	s := &service{rec: sensors.NewRecorder(), stop: stop, ended: make(chan struct{})}
	go func() {
		defer close(s.ended)
		rng := rand.New(rand.NewPCG(1, 2))
		for ctx.Err() == nil {
			q := s.rec.StartNow()
			d := 2 * math.Exp(0.3*rng.NormFloat64())
			if s.fast.Load() {
				d *= 0.6
			}
			if s.slow.Load() {
				d *= 2
			}
			time.Sleep(time.Duration(d * float64(time.Millisecond)))
			q.End(s.broken.Load())
		}
	}()
	return s
}

func (s *service) close() {
	s.stop()
	<-s.ended
}

// knob is a switch of the service.
func (s *service) knob(name string, b *atomic.Bool) knobs.Actuator {
	return knobs.Actuator{
		Knob: controller.Knob{Name: name, Kind: controller.Switch},
		Get: func() (float64, error) {
			if b.Load() {
				return 1, nil
			}
			return 0, nil
		},
		Set: func(v float64) error { b.Store(v == 1); return nil },
	}
}

func optimization(name string) controller.Optimization {
	return controller.Optimization{Name: name, Why: "test", Switch: name, Equivalence: controller.Exact}
}

// config has short blocks, one goal, and the switches that the test offers.
func (s *service) config(offer ...string) autotune.Config {
	return autotune.Config{
		Executor:      executor.Config{EnableAutomaticOptimization: true},
		Knobs:         []knobs.Actuator{s.knob("fast", &s.fast), s.knob("slow", &s.slow)},
		Optimizations: []controller.Optimization{optimization("fast"), optimization("slow")},
		Offer:         offer, Recorder: s.rec, Seed: 7,
		Goals:  []controller.Goal{{Metric: controller.LatencyP95}},
		Timing: controller.Timing{Washout: 100 * time.Millisecond, Measure: time.Second},
	}
}

// start is Start with the service's end at the end of the test's bubble.
func start(t *testing.T, cfg autotune.Config) *autotune.Autopilot {
	t.Helper()
	pilot, err := autotune.Start(context.Background(), cfg)
	require.NoError(t, err)
	return pilot
}

// finish closes all that the test started.
func finish(t *testing.T, pilot *autotune.Autopilot) {
	t.Helper()
	require.NoError(t, pilot.Close())
	require.NoError(t, pilot.Executor().Close())
}

// until lets virtual time pass until the status is as asked for.
func until(t *testing.T, pilot *autotune.Autopilot, what string, ok func(autotune.Status) bool) autotune.Status {
	t.Helper()
	for range 60_000 {
		if s := pilot.Status(); ok(s) {
			return s
		}
		time.Sleep(50 * time.Millisecond)
	}
	require.Fail(t, "never: "+what, "status %+v", pilot.Status())
	return autotune.Status{}
}
