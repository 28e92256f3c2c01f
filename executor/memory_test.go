package executor

import (
	"errors"
	"os"
	"runtime/debug"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// fakeMemory is a process with a limit of 1000 bytes.
type fakeMemory struct {
	mu       sync.Mutex
	live     uint64        // in use
	garbage  uint64        // can be collected
	takes    time.Duration // how long that takes
	gc       float64       // the collector's share of the processors
	began    time.Time
	looks    []time.Duration // when it was read, since it began
	released []time.Duration // when memory was returned
}

func (f *fakeMemory) since() time.Duration { return time.Since(f.began).Round(time.Second) }

func (f *fakeMemory) use() memoryUse {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.looks = append(f.looks, f.since())
	at := time.Since(f.began).Seconds()
	bytes := f.live + f.garbage
	return memoryUse{ratio: float64(bytes) / 1000, bytes: bytes, gc: f.gc * at, cpu: at}
}

func (f *fakeMemory) release() {
	time.Sleep(f.takes) // not under the lock: time stands still while another waits for it
	f.mu.Lock()
	defer f.mu.Unlock()
	f.released = append(f.released, f.since())
	f.garbage = 0
}

func startOn(t *testing.T, f *fakeMemory, cfg Config) *Executor {
	t.Helper()
	f.began = time.Now()
	ex, err := New(cfg, func(ex *Executor) { ex.memory.meter = f })
	require.NoError(t, err)
	return ex
}

func memoryOn(interval time.Duration, threshold float64) Config {
	c := Defaults()
	c.EnableMemoryOptimization, c.MemoryCleanupInterval, c.MemoryThreshold = true, interval, threshold
	c.EnableCacheOptimization, c.EnableObjectPool = true, true
	c.ObjectPoolCleanupThreshold = 0 // the pool's own cleanup does nothing
	return c
}

func TestMemory_trimsAboveTheThresholdAtEachInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fakeMemory{live: 400, garbage: 300}
		ex := startOn(t, f, memoryOn(10*time.Second, 0.7))
		p := poolOf(t, ex)
		fill(p, 20)
		var runs int
		s := bind(t, ex, StepConfig[int, int]{Run: counted(&runs), Results: Pure()})
		run := func(n int) {
			for in := range n {
				require.Equal(t, 2*in, must(s.Run(t.Context(), in))(t))
			}
		}
		run(64)
		before, now := ex.Setting(), time.Now()
		until := func(d time.Duration) {
			time.Sleep(d - time.Since(now))
			synctest.Wait()
		}
		until(29 * time.Second)
		require.Equal(t, []time.Duration{10 * time.Second, 20 * time.Second}, f.looks)
		require.Zero(t, ex.Stats().MemoryCleanups, "0.7 is not above 0.7")
		require.Equal(t, 20, p.idle())

		require.NoError(t, ex.Update(func(c *Config) { c.MemoryThreshold = 0.6 }))
		until(30 * time.Second)
		require.EqualValues(t, 1, ex.Stats().MemoryCleanups)
		require.Zero(t, p.idle(), "idle objects are dropped")
		require.EqualValues(t, 32, ex.Stats().CacheEntries, "the half of the results is")
		require.EqualValues(t, 20+32, ex.Stats().Trimmed)
		require.Equal(t, []time.Duration{30 * time.Second}, f.released)
		require.Equal(t, before.With(map[string]float64{"memory_threshold": 0.6}), ex.Setting(), "no knob was moved")
		require.EqualValues(t, 400, f.live+f.garbage)

		run(64)
		require.EqualValues(t, 64, ex.Stats().CacheEntries, "there is room for as much as before")
		until(time.Minute)
		require.EqualValues(t, 64, ex.Stats().CacheEntries, "0.4 is below the threshold")

		require.NoError(t, ex.Update(func(c *Config) { c.MemoryCleanupInterval, c.MemoryThreshold = 40*time.Second, 0 }))
		until(99 * time.Second)
		require.EqualValues(t, 64, ex.Stats().CacheEntries)
		until(100 * time.Second)
		require.EqualValues(t, 32, ex.Stats().CacheEntries, "a longer interval")

		require.NoError(t, ex.Update(func(c *Config) { c.EnableMemoryOptimization = false }))
		looks := len(f.looks)
		until(time.Hour)
		require.Len(t, f.looks, looks, "off looks at nothing")
		require.NoError(t, ex.Close())
	})
}

// Returning memory may take a hundredth of the time.
func TestMemory_returnsSeldomIfThatTakesLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fakeMemory{live: 500, garbage: 400, takes: 300 * time.Millisecond}
		ex := startOn(t, f, memoryOn(time.Second, 0.8))
		for range 100 {
			time.Sleep(time.Second)
			synctest.Wait()
			f.mu.Lock()
			f.garbage = 400
			f.mu.Unlock()
		}
		require.Len(t, f.released, 4, "%v", f.released)
		require.GreaterOrEqual(t, f.released[1]-f.released[0], 30*time.Second)
		require.NoError(t, ex.Close())
	})
}

// What is in use stays above the threshold: collecting again and again would
// bring nothing.
func TestMemory_waitsLongerWhileItBringsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fakeMemory{live: 900}
		ex := startOn(t, f, memoryOn(time.Second, 0.8))
		time.Sleep(64 * time.Second)
		synctest.Wait()
		require.Equal(t, []time.Duration{1 * time.Second, 3 * time.Second, 7 * time.Second, 15 * time.Second, 31 * time.Second, 63 * time.Second}, f.released)
		require.EqualValues(t, 64, ex.Stats().MemoryCleanups, "contents are trimmed all the same")

		f.mu.Lock()
		f.live = 100
		f.mu.Unlock()
		time.Sleep(10 * time.Second)
		f.mu.Lock()
		f.live, f.garbage = 500, 400
		f.mu.Unlock()
		time.Sleep(70 * time.Second)
		synctest.Wait()
		require.Len(t, f.released, 7)
		require.Zero(t, f.garbage)
		require.NoError(t, ex.Close())
	})
}

// Where the collector runs without end, none is forced and everything goes.
func TestMemory_deathSpiral(t *testing.T) {
	for gc, c := range map[float64]struct{ released, entries int }{0.1: {1, 32}, 0.24: {0, 0}, 0.5: {0, 0}} {
		synctest.Test(t, func(t *testing.T) {
			f := &fakeMemory{live: 900, gc: gc}
			ex := startOn(t, f, memoryOn(10*time.Second, 0.8))
			var runs int
			s := bind(t, ex, StepConfig[int, int]{Run: counted(&runs), Results: Pure()})
			for in := range 64 {
				must(s.Run(t.Context(), in))(t)
			}
			time.Sleep(10 * time.Second)
			synctest.Wait()
			require.Len(t, f.released, c.released, "collector at %v", gc)
			require.EqualValues(t, c.entries, ex.Stats().CacheEntries, "collector at %v", gc)
			require.NoError(t, ex.Close())
		})
	}
}

func TestProcessMemory_readsAndReturnsMemory(t *testing.T) {
	m := newProcessMemory()
	m.release()
	before := m.use()
	require.Positive(t, before.bytes)
	require.Positive(t, before.ratio)
	require.Positive(t, before.cpu)
	const size = 64 << 20
	held := make([]byte, size)
	for i := 0; i < size; i += 512 {
		held[i] = 1
	}
	with := m.use()
	require.Greater(t, with.bytes, before.bytes+size/2)
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(2 * size))
	require.Greater(t, m.use().ratio, 0.4, "GOMEMLIMIT is the nearer limit")
	require.NotZero(t, held[0])
	held = nil
	m.release()
	require.Less(t, m.use().bytes, with.bytes-size/2)
	require.Empty(t, held)
}

func TestResidentOwn(t *testing.T) {
	page := uint64(os.Getpagesize())
	for _, c := range []struct {
		statm string
		err   error
		want  uint64
	}{
		{"5000 300 100 10 0 200 0\n", nil, 200 * page},
		{"5000 300 300 10 0 200 0\n", nil, 0},
		{"5000 300 400 10 0 200 0\n", nil, 0},
		{"5000 300", nil, 0},
		{"5000 x 1", nil, 0},
		{"", errors.New("no such file"), 0},
	} {
		got, _ := residentOwn([]byte(c.statm), c.err)
		require.Equal(t, c.want, got, c.statm)
	}
}
