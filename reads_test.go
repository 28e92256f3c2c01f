package autotune_test

import (
	"bytes"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"autotune"
	"autotune/controller"
)

// A Get that fails on and on is told, as a warning at once and as one alert soon; and
// again if it fails again after it worked.
func TestAutopilot_saysThatAKnobCannotBeRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := startService()
		defer s.close()
		var out bytes.Buffer
		log := zerolog.New(&out)
		var alerts []autotune.Alert
		var gone atomic.Bool
		cfg := s.config("fast")
		get := cfg.Knobs[0].Get
		cfg.Knobs[0].Get = func() (float64, error) {
			if gone.Load() {
				return 0, errors.New("no such pool")
			}
			return get()
		}
		cfg.Logger, cfg.OnAlert = &log, func(a autotune.Alert) {
			if a.Kind == autotune.AlertKnob { // a setting that does not read back has one of its own
				alerts = append(alerts, a)
			}
		}
		gone.Store(true)
		pilot := start(t, cfg)
		time.Sleep(65 * time.Second)
		synctest.Wait()
		st := pilot.Status()
		require.Equal(t, controller.Starting, st.Phase)
		require.Equal(t, "the setting in force cannot be read: read fast: no such pool", st.Why)
		require.Len(t, alerts, 1)
		require.Equal(t, "read fast: no such pool (8 times in a row)", alerts[0].Message)

		gone.Store(false)
		until(t, pilot, "it begins", func(s autotune.Status) bool { return s.Phase == controller.Measuring })
		gone.Store(true)
		time.Sleep(time.Minute)
		synctest.Wait()
		require.Len(t, alerts, 2)
		gone.Store(false)
		until(t, pilot, "fast is kept", func(s autotune.Status) bool { return s.Safe.On("fast") })
		finish(t, pilot)
		require.Contains(t, out.String(), `{"level":"warn","message":"read the setting in force: read fast: no such pool"}`)
		require.Equal(t, 2, strings.Count(out.String(), `{"level":"warn","message":"read fast: no such pool (8 times in a row)"}`))
		require.Equal(t, 2, strings.Count(out.String(), `{"level":"info","message":"what is in force can be read again"}`))
	})
}

// Without traffic nothing is measured, and the status says what it waits for.
func TestAutopilot_saysThatItWaitsForRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := startService()
		defer s.close()
		cfg := s.config("fast")
		cfg.Recorder = nil // another one than the service's
		pilot := start(t, cfg)
		st := until(t, pilot, "it waits", func(s autotune.Status) bool { return strings.HasPrefix(s.Why, "waiting for requests: 0 of 200 in ") })
		require.Equal(t, controller.Measuring, st.Phase)
		require.Contains(t, st.Why, "; noise, from 22 blocks of the safe setting")
		finish(t, pilot)
	})
}
