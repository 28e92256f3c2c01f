package knobs_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"autotune/knobs"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// database is a driver whose connections can do nothing but be open.
type database struct{ open, ever atomic.Int64 }

func (d *database) Connect(context.Context) (driver.Conn, error) {
	d.open.Add(1)
	d.ever.Add(1)
	return connection{d}, nil
}
func (d *database) Driver() driver.Driver { return nil }

type connection struct{ *database }

var errNothing = errors.New("can do nothing")

func (c connection) Prepare(string) (driver.Stmt, error) { return nil, errNothing }
func (c connection) Begin() (driver.Tx, error)           { return nil, errNothing }
func (c connection) Close() error {
	c.open.Add(-1)
	return nil
}

// atOnce has n connections in use at once, and gives them back.
func atOnce(t *testing.T, db *sql.DB, n int) {
	t.Helper()
	var all []*sql.Conn
	for range n {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		c, err := db.Conn(ctx)
		cancel()
		if err != nil {
			require.ErrorIs(t, err, context.DeadlineExceeded)
			continue
		}
		all = append(all, c)
	}
	for _, c := range all {
		require.NoError(t, c.Close())
	}
}

func TestSQL_poolFollowsItsKnobs(t *testing.T) {
	d := &database{}
	db := sql.OpenDB(d)
	defer db.Close()
	open, idle := knobs.SQLMaxOpen(db, 50), knobs.SQLMaxIdle(db, 2, 50)
	require.Error(t, open.Knob.CheckValue(value(t, open)), "no bound is outside the bounds")
	require.NoError(t, open.Set(8))
	require.InDelta(t, 8, value(t, open), 0)

	atOnce(t, db, 20)
	require.EqualValues(t, 8, d.ever.Load(), "no more than may be open")
	require.EqualValues(t, 2, d.open.Load(), "and two stay")
	require.NoError(t, idle.Set(6))
	require.InDelta(t, 6, value(t, idle), 0)
	atOnce(t, db, 20)
	require.EqualValues(t, 6, d.open.Load())
	require.NoError(t, idle.Set(1))
	require.EqualValues(t, 1, d.open.Load(), "those too many are closed at once")

	life := knobs.SQLLifetime(db, time.Hour, 10*time.Millisecond, 24*time.Hour)
	require.InDelta(t, 3600, value(t, life), 0)
	require.NoError(t, life.Set(0.01))
	require.InDelta(t, 0.01, value(t, life), 0)
	require.Eventually(t, func() bool { return d.open.Load() == 0 }, 10*time.Second, 5*time.Millisecond, "the last one was too old")
}

func TestTransport_keepsAsManyIdleAsItsKnobSays(t *testing.T) {
	var dialed, waiting atomic.Int64
	gate := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		waiting.Add(1)
		<-gate
	}))
	defer server.Close()
	base := &http.Transport{DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
		dialed.Add(1)
		return (&net.Dialer{}).DialContext(ctx, network, addr)
	}}
	transport := knobs.NewTransport(base)
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	burst := func() int64 {
		before := dialed.Load()
		var all sync.WaitGroup
		for range 10 {
			all.Go(func() {
				r, err := client.Get(server.URL)
				if err == nil {
					err = r.Body.Close()
				}
				if err != nil {
					t.Error(err)
				}
			})
		}
		require.Eventually(t, func() bool { return waiting.Load() == 10 }, 10*time.Second, time.Millisecond)
		waiting.Store(0)
		for range 10 {
			gate <- struct{}{}
		}
		all.Wait()
		time.Sleep(50 * time.Millisecond) // connections come back after the answer
		return dialed.Load() - before
	}
	a := transport.IdlePerHost(100)
	require.InDelta(t, http.DefaultMaxIdleConnsPerHost, value(t, a), 0)
	require.EqualValues(t, 10, burst())
	require.EqualValues(t, 8, burst(), "two were kept")
	require.NoError(t, a.Set(10))
	require.InDelta(t, 10, value(t, a), 0)
	burst()
	require.Zero(t, burst(), "all were kept")
	require.Zero(t, base.MaxIdleConnsPerHost, "the owner's own is as it was")
}

// A model of it, under anything: no more are in than may be, nobody waits while
// there is room, and who came first is in first.
func TestSemaphore_model(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		first := rapid.IntRange(1, 4).Draw(rt, "first limit")
		steps := rapid.SliceOfN(rapid.IntRange(0, 15), 1, 40).Draw(rt, "steps")
		problem := ""
		synctest.Test(t, func(*testing.T) { problem = useSemaphore(first, steps) })
		require.Empty(rt, problem)
	})
}

type waiter struct {
	cancel context.CancelFunc
	got    chan error
}

// useSemaphore takes steps, each a kind (of four) and an argument (of four), and
// says what is wrong.
func useSemaphore(limit int, steps []int) (problem string) {
	s := knobs.NewSemaphore(limit)
	var line []waiter
	held := 0
	defer func() {
		for _, w := range line {
			w.cancel()
			if <-w.got == nil {
				held++
			}
		}
		for range held {
			s.Release()
		}
	}()
	for _, step := range steps {
		switch what, arg := step%4, step/4; {
		case what == 0:
			ctx, cancel := context.WithCancel(context.Background())
			w := waiter{cancel, make(chan error, 1)}
			go func() { w.got <- s.Acquire(ctx) }()
			line = append(line, w)
		case what == 1 && held > 0:
			s.Release()
			held--
		case what == 2:
			limit = arg + 1
			s.SetLimit(limit)
		case what == 3 && len(line) > 0:
			i := arg % len(line)
			line[i].cancel()
			if arg > 1 && held > 0 { // at the same moment
				s.Release()
				held--
			}
			if err := <-line[i].got; !errors.Is(err, context.Canceled) {
				return "a canceled one is in"
			}
			line = append(line[:i:i], line[i+1:]...)
		}
		synctest.Wait()
		for i := 0; i < len(line); i++ {
			select {
			case err := <-line[i].got:
				if err != nil || i > 0 || held >= limit {
					return "in out of turn"
				}
				line[i].cancel()
				line, held, i = line[1:], held+1, -1
			default:
				if i == 0 && held < limit {
					return "somebody waits and there is room"
				}
			}
		}
	}
	return ""
}

func TestSemaphore_releaseOfNothingPanics(t *testing.T) {
	require.Panics(t, knobs.NewSemaphore(1).Release)
}

func TestWorkers_asManyAsTheirSize(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var now, most, pieces atomic.Int64
		w := knobs.NewWorkers(3, func(ctx context.Context) {
			n := now.Add(1)
			for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
			}
			select {
			case <-time.After(time.Second):
			case <-ctx.Done():
			}
			pieces.Add(1)
			now.Add(-1)
		})
		a := w.Knob("workers", 16)
		at := func(want int64) {
			time.Sleep(1500 * time.Millisecond)
			require.Equal(t, want, now.Load())
		}
		at(3)
		require.NoError(t, a.Set(8))
		require.InDelta(t, 8, value(t, a), 0)
		at(8)
		require.NoError(t, a.Set(2))
		at(2)
		require.EqualValues(t, 8, most.Load())
		done := pieces.Load()
		w.Close()
		require.Equal(t, done+2, pieces.Load(), "what was in hand was ended, by its context")
		w.SetSize(5)
		at(0)
		w.Close()
	})
}

func TestSemaphore_knob(t *testing.T) {
	s := knobs.NewSemaphore(2)
	a := s.Knob("imports", 64)
	require.NoError(t, a.Set(5))
	require.Equal(t, 5, s.Limit())
	require.InDelta(t, 5, value(t, a), 0)
	require.NoError(t, a.Knob.CheckMove(5, 10))
	require.Error(t, a.Knob.CheckMove(5, 11))
}
