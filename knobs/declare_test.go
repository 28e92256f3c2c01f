package knobs_test

import (
	"database/sql"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/time/rate"

	"autotune/controller"
	"autotune/knobs"
)

// Each declaration moves what it is of, reads it back, and keeps its bounds.
func TestDeclarations(t *testing.T) {
	var (
		on      atomic.Bool
		batch   atomic.Int64
		wide    atomic.Uint32
		level   = 0.5
		linger  = time.Second
		codec   = 1
		limiter = rate.NewLimiter(100, 10)
	)
	for _, c := range []struct {
		a       knobs.Actuator
		to      float64
		now     func() any
		want    any
		outside float64
	}{
		{knobs.Bool("compress", on.Load, on.Store), 1, func() any { return on.Load() }, true, 2},
		{knobs.Int("batch", "rows", 1, 1000, batch.Load, batch.Store).Log(2), 64, func() any { return batch.Load() }, int64(64), 1001},
		{knobs.Int("wide", "bytes", 0, 1<<31, wide.Load, wide.Store), 1 << 31, func() any { return wide.Load() }, uint32(1 << 31), 1 << 32},
		{knobs.Float("level", "ratio", 0, 1, func() float64 { return level }, func(v float64) { level = v }), 0.75, func() any { return level }, 0.75, 1.5},
		{
			knobs.Duration("linger", 0, time.Minute, func() time.Duration { return linger }, func(d time.Duration) { linger = d }),
			0.1, func() any { return linger }, 100 * time.Millisecond, 61,
		},
		{knobs.Enum("codec", 3, func() int { return codec }, func(i int) { codec = i }), 2, func() any { return codec }, 2, 0.5},
		{knobs.RateLimit("calls", limiter, 1, 1e4), 250, func() any { return limiter.Limit() }, rate.Limit(250), 0},
		{knobs.RateBurst("burst", limiter, 100), 20, func() any { return limiter.Burst() }, 20, 0},
	} {
		require.NoError(t, c.a.Check(), c.a.Knob.Name)
		require.NoError(t, c.a.Set(c.to))
		require.Equal(t, c.want, c.now(), c.a.Knob.Name)
		require.InDelta(t, c.to, value(t, c.a), 0, c.a.Knob.Name)
		require.NoError(t, c.a.Knob.CheckValue(c.to))
		require.Error(t, c.a.Knob.CheckValue(c.outside), c.a.Knob.Name)
		o := c.a.Optimization()
		require.NoError(t, o.Check(controller.Space{Knobs: []controller.Knob{c.a.Knob}}), c.a.Knob.Name)
	}
}

func TestActuator_logAndWith(t *testing.T) {
	var n atomic.Int64
	a := knobs.Int("n", "", 1, 100, n.Load, n.Store)
	b := a.Log(3).With(func(k *controller.Knob) { k.Settle = time.Second })
	require.Equal(t, controller.Log, b.Knob.Scale)
	require.InDelta(t, 3, b.Knob.MaxMove, 0)
	require.Equal(t, time.Second, b.Knob.Settle)
	require.Zero(t, a.Knob.Settle, "the first is as it was")
}

// A service's numbers as knobs, in a line each.
func Example() {
	var batch atomic.Int64
	var compress atomic.Bool
	batch.Store(100)
	for _, a := range []knobs.Actuator{
		knobs.Int("batch", "rows", 1, 1000, batch.Load, batch.Store).Log(2),
		knobs.Bool("compress", compress.Load, compress.Store),
		knobs.GCPercent(),
	} {
		fmt.Println(a.Knob.Name, a.Knob.Kind, a.Check())
	}
	// Output:
	// batch int <nil>
	// compress switch <nil>
	// gc_percent int <nil>
}

// What a constructor was not given is refused before it is called, by the name that it
// has there.
func TestConstructors_refuseNil(t *testing.T) {
	var (
		n       atomic.Int64
		on      atomic.Bool
		limiter *rate.Limiter
		pool    *sql.DB
		sem     *knobs.Semaphore
		workers *knobs.Workers
		client  *knobs.Transport
	)
	for _, c := range []struct {
		a    knobs.Actuator
		want string
	}{
		{knobs.Bool("on", on.Load, nil), "knob on: set is nil: a knob must be read back, and set"},
		{knobs.Bool("on", nil, on.Store), "knob on: get is nil: a knob must be read back, and set"},
		{knobs.Int("batch", "rows", 1, 9, n.Load, nil), "knob batch: set is nil: a knob must be read back, and set"},
		{knobs.Int("batch", "rows", 1, 9, nil, n.Store).Log(2), "knob batch: get is nil: a knob must be read back, and set"},
		{knobs.Float("level", "", 0, 1, nil, nil), "knob level: get is nil: a knob must be read back, and set\nknob level: set is nil: a knob must be read back, and set"},
		{knobs.Duration("linger", 0, 1, nil, func(time.Duration) {}), "knob linger: get is nil: a knob must be read back, and set"},
		{knobs.Enum("codec", 2, func() int { return 0 }, nil), "knob codec: set is nil: a knob must be read back, and set"},
		{knobs.RateLimit("calls", limiter, 1, 9), "knob calls: limiter is nil: a knob must be read back, and set"},
		{knobs.RateBurst("burst", limiter, 9), "knob burst: limiter is nil: a knob must be read back, and set"},
		{knobs.SQLMaxOpen(pool, 9), "knob sql_max_open: db is nil: a knob must be read back, and set"},
		{knobs.SQLMaxIdle(pool, 2, 9), "knob sql_max_idle: db is nil: a knob must be read back, and set"},
		{knobs.SQLLifetime(pool, 2, 1, 9), "knob sql_lifetime: db is nil: a knob must be read back, and set"},
		{sem.Knob("permits", 9), "knob permits: semaphore is nil: a knob must be read back, and set"},
		{workers.Knob("workers", 9), "knob workers: workers is nil: a knob must be read back, and set"},
		{client.IdlePerHost(9), "knob http_idle_per_host: transport is nil: a knob must be read back, and set"},
	} {
		require.EqualError(t, c.a.Check(), c.want)
	}
}
