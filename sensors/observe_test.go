package sensors_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"autotune/controller"
	"autotune/sensors"
)

func TestObserve_whatFails(t *testing.T) {
	broken := errors.New("broken")
	gone, leave := context.WithCancel(t.Context())
	leave()
	for name, c := range map[string]struct {
		ctx    context.Context
		err    error
		failed float64
	}{
		"fine":               {t.Context(), nil, 0},
		"broken":             {t.Context(), broken, 1},
		"the caller gave up": {gone, fmt.Errorf("query: %w", context.Canceled), 0},
		"broken, and gone":   {gone, broken, 1},
		"canceled by itself": {t.Context(), context.Canceled, 1},
		"too late":           {t.Context(), context.DeadlineExceeded, 1},
	} {
		rec := sensors.NewRecorder()
		v, err := sensors.Observe(c.ctx, rec, func(context.Context) (int, error) { return 7, c.err })
		require.Equal(t, 7, v, name)
		require.Equal(t, c.err, err, name)
		var s controller.Sample
		rec.Take(time.Now(), &s)
		require.InDelta(t, 1, s.Totals[controller.Requests], 0, name)
		require.InDelta(t, c.failed, s.Totals[controller.Errors], 0, name)
	}
}

func TestObserve_panicGoesOnAndCounts(t *testing.T) {
	rec := sensors.NewRecorder()
	require.PanicsWithValue(t, "no", func() {
		_, _ = sensors.Observe(t.Context(), rec, func(context.Context) (int, error) { panic("no") })
	})
	var s controller.Sample
	rec.Take(time.Now(), &s)
	require.InDelta(t, 1, s.Totals[controller.Errors], 0)
	require.InDelta(t, 0, s.Gauges[controller.InFlight], 0)
}

// Work that comes from a queue, not from a server.
func ExampleObserve() {
	rec := sensors.NewRecorder()
	rows, err := sensors.Observe(context.Background(), rec, func(context.Context) (int, error) { return 12, nil })
	fmt.Println(rows, err)
	// Output: 12 <nil>
}
