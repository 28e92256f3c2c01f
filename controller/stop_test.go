package controller_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	. "autotune/controller" //nolint:revive // the tests of a vocabulary read better with it
)

// When its context ends, Run asks to stop on every tick, and not only once.
func TestRun_endsAfterItsContext(t *testing.T) {
	for _, after := range []int{1, 3, 60, 200} {
		space, offered, initial := switches("gain")
		p := newPlant(1, space, initial)
		c, err := New(Config{Space: space, Offered: offered, Goals: []Goal{{Metric: "cost"}}, Policy: &eachOnce{}, Timing: fast})
		require.NoError(t, err)
		ctx, cancel := context.WithCancel(context.Background())
		steps := 0
		stepped := func(Input, Command) {
			steps++
			if steps == after {
				cancel()
			}
			require.Less(t, steps, after+50, "the loop never ends")
		}
		require.ErrorIs(t, Run(ctx, p, c, Loop{Stepped: stepped}), context.Canceled)
		require.Equal(t, "gain=0", p.set.String())
	}
}

// A restore that cannot be applied is asked for more and more rarely: the loop
// neither spins nor gives up.
func TestRestore_waitsBetweenAttempts(t *testing.T) {
	space, offered, initial := switches("gain")
	p := newPlant(1, space, initial)
	broken := 0
	p.fail = func(s Setting) error {
		if s.On("gain") || broken >= 40 {
			return nil
		}
		broken++
		return errBroken
	}
	c, err := New(Config{
		Space: space, Offered: offered, Goals: []Goal{{Metric: "cost"}}, Policy: &eachOnce{}, Timing: fast,
		Guards: []Guard{{Metric: "cost", Limit: 10}}, Budget: Budget{Until: epochZero.Add(time.Hour)},
	})
	require.NoError(t, err)
	p.effect = func(s Setting, _ time.Duration) float64 {
		if s.On("gain") {
			return 5
		}
		return 0
	}
	var from time.Time
	var took time.Duration
	steps := 0
	require.NoError(t, Run(context.Background(), p, c, Loop{Stepped: func(in Input, _ Command) {
		if steps++; in.ApplyErr != "" && from.IsZero() {
			from = in.At
		}
		if in.ApplyErr != "" {
			took = in.At.Sub(from)
		}
		require.Less(t, steps, 20_000)
	}}))
	require.Equal(t, 40, broken)
	require.Greater(t, took, time.Minute)
	require.Equal(t, "gain=0", p.set.String())
}
