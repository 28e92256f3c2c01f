package executor

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// scratch knows who has it, so that two who do are found out.
type scratch struct {
	taken atomic.Bool
	text  []byte
}

func poolOf(t testing.TB, ex *Executor) *Pool[scratch] {
	t.Helper()
	p, err := NewPool(ex, PoolConfig[scratch]{Reset: func(s *scratch) { s.text = s.text[:0] }})
	require.NoError(t, err)
	return p
}

func poolOn(size int) Config { return Config{EnableObjectPool: true, ObjectPoolMaxSize: size} }

// fill takes n objects and gives them all back.
func fill[T any](p *Pool[T], n int) {
	objects := make([]*T, n)
	for i := range objects {
		objects[i] = p.Get()
	}
	for _, o := range objects {
		p.Put(o)
	}
}

func TestPool_handsOutAgainWhileOn(t *testing.T) {
	ex := start(t, Config{})
	resets := 0
	p, err := NewPool(ex, PoolConfig[bytes.Buffer]{Reset: func(b *bytes.Buffer) { resets++; b.Reset() }})
	require.NoError(t, err)
	first := p.Get()
	first.WriteString("x")
	p.Put(first)
	require.NotSame(t, first, p.Get(), "off: allocated anew")
	require.Zero(t, resets)
	require.Zero(t, ex.Stats().PoolMade)

	require.NoError(t, ex.Apply(poolOn(10)))
	second := p.Get()
	second.WriteString("y")
	p.Put(second)
	require.Same(t, second, p.Get())
	require.Zero(t, second.Len(), "reset")
	p.Put(second)
	require.Equal(t, 2, resets)
	require.EqualValues(t, 1, ex.Stats().PoolMade)
	require.EqualValues(t, 1, ex.Stats().PoolIdle)

	require.NoError(t, ex.Apply(Config{}))
	require.Zero(t, ex.Stats().PoolIdle, "off gives idle objects back")
	require.NotSame(t, second, p.Get())
}

func TestPool_anObjectIsAsNew(t *testing.T) {
	ex := start(t, poolOn(1))
	plain, err := NewPool(ex, PoolConfig[[4]int]{})
	require.NoError(t, err)
	v := plain.Get()
	v[2] = 7
	plain.Put(v)
	require.Same(t, v, plain.Get())
	require.Zero(t, *v, "without a Reset it is set to zero")
	plain.Put(nil)
	require.NotNil(t, plain.Get())

	made := 0
	p, err := NewPool(ex, PoolConfig[int]{New: func() *int { made++; v := 5; return &v }, Reset: func(v *int) { *v = 5 }})
	require.NoError(t, err)
	n := p.Get()
	*n = 6
	p.Put(n)
	require.Equal(t, 5, *p.Get())
	require.Equal(t, 1, made)
}

func TestPool_faults(t *testing.T) {
	_, err := NewPool(nil, PoolConfig[int]{New: func() *int { return new(int) }})
	require.EqualError(t, err, "pool: executor: missing: a pool is part of one\npool: reset: missing: what New makes, only a Reset can make again")
}

func TestPool_aResetThatPanicsLosesTheObject(t *testing.T) {
	ex := start(t, poolOn(4))
	p, err := NewPool(ex, PoolConfig[int]{Reset: func(*int) { panic("reset") }})
	require.NoError(t, err)
	v := p.Get()
	p.Put(v)
	require.Zero(t, p.idle())
	require.Zero(t, p.held.Load())
	require.EqualValues(t, 1, ex.Stats().Panics)
}

// object_pool_max_size counts every idle object, at any size.
func TestPool_holdsNoMoreThanItsSize(t *testing.T) {
	for _, size := range []int{1, 2, 7, 15, 16, 17, 100, 500} {
		ex := start(t, poolOn(size))
		p := poolOf(t, ex)
		fill(p, 600)
		require.Equal(t, size, p.idle(), "all of it is used")
		require.EqualValues(t, size, p.held.Load())
		fill(p, size)
		require.EqualValues(t, 600, ex.Stats().PoolMade, "no object idles while another is made")
	}
	ex := start(t, poolOn(500))
	p := poolOf(t, ex)
	fill(p, 500)
	for _, size := range []int{400, 18, 5, 1} {
		require.NoError(t, ex.Apply(poolOn(size)))
		require.Equal(t, size, p.idle(), "a smaller size drops at once")
		require.EqualValues(t, size, p.held.Load())
		fill(p, 500)
		require.Equal(t, size, p.idle())
	}
	require.NoError(t, ex.Apply(poolOn(50)))
	fill(p, 500)
	require.Equal(t, 50, p.idle(), "a larger one holds more")
}

// With a tenth, a half and all but one of its objects in use: which threshold
// trims, and which does not.
func TestPool_cleansUpBelowTheThreshold(t *testing.T) {
	for _, c := range []struct {
		inUse     int
		threshold float64
		kept      int // idle after the cleanup
	}{
		{1, 0.05, 9},
		{1, 0.5, 0},
		{1, 0.9, 0}, // guide: higher is more aggressive
		{5, 0.5, 5},
		{5, 0.51, 0},
		{5, 0.75, 0},
		{9, 0.75, 1},
		{9, 0.9, 1},
		{9, 1, 0},
		{0, 0, 10}, // 0 never trims
	} {
		synctest.Test(t, func(t *testing.T) {
			cfg := Defaults()
			cfg.EnableObjectPool, cfg.ObjectPoolCleanupThreshold = true, c.threshold
			ex := start(t, cfg)
			p := poolOf(t, ex)
			fill(p, 10)
			for range c.inUse {
				p.Get()
			}
			time.Sleep(poolCleanup - poolLook/2)
			synctest.Wait()
			require.Equal(t, 10-c.inUse, p.idle(), "not before it is due")
			time.Sleep(poolLook)
			synctest.Wait()
			require.Equal(t, c.kept, p.idle(), "%+v", c)
			require.EqualValues(t, c.inUse+c.kept, p.held.Load())
			require.NoError(t, ex.Close())
		})
	}
}

func TestPool_utilizationIsAveragedSinceTheLastCleanup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := poolOn(10)
		cfg.ObjectPoolCleanupThreshold = 0.5
		ex := start(t, cfg)
		p := poolOf(t, ex)
		fill(p, 10)
		hold := func(d time.Duration) {
			objects := make([]*scratch, 10)
			for i := range objects {
				objects[i] = p.Get()
			}
			time.Sleep(d)
			for _, o := range objects {
				p.Put(o)
			}
		}
		hold(2 * poolCleanup / 3) // all in use for two thirds of it
		time.Sleep(poolCleanup/3 + poolLook/2)
		synctest.Wait()
		require.Equal(t, 10, p.idle(), "0.67 is not below 0.5")
		hold(poolCleanup / 3)
		time.Sleep(2*poolCleanup/3 + poolLook/2)
		synctest.Wait()
		require.Zero(t, p.idle(), "0.33 is")
		require.NoError(t, ex.Close())
	})
}

// Objects that were taken while the pool was off, or on before, count once they
// idle; those that never come back count as in use.
func TestPool_countsObjectsFromBefore(t *testing.T) {
	ex := start(t, Config{})
	p := poolOf(t, ex)
	a, b := p.Get(), p.Get()
	require.NoError(t, ex.Apply(poolOn(10)))
	p.Put(a)
	p.look(0)
	require.EqualValues(t, 1, p.held.Load())
	p.Put(b)
	p.look(0)
	require.EqualValues(t, 2, p.held.Load())
	p.Get()
	require.NoError(t, ex.Apply(Config{}))
	require.NoError(t, ex.Apply(poolOn(10)))
	require.Zero(t, p.held.Load())
}

// Sizes and the switch move at a high rate under load: no object has two
// owners, and the bound holds when all is quiet.
func TestPool_movesUnderLoad(t *testing.T) {
	ex := start(t, Config{})
	p := poolOf(t, ex)
	stop := time.Now().Add(300 * time.Millisecond)
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			r := rand.New(rand.NewPCG(1, uint64(i)))
			var mine []*scratch
			for n := 0; time.Now().Before(stop); n++ {
				if len(mine) == 0 || len(mine) < 5 && r.IntN(2) == 0 {
					s := p.Get()
					if !s.taken.CompareAndSwap(false, true) || len(s.text) > 0 {
						t.Error("an object that is not as new")
						return
					}
					s.text = fmt.Append(s.text, i, n)
					mine = append(mine, s)
				} else {
					s := mine[0]
					mine = mine[1:]
					s.taken.Store(false)
					p.Put(s)
				}
			}
		})
	}
	r := rand.New(rand.NewPCG(2, 2))
	for time.Now().Before(stop) {
		cfg := poolOn(1 + r.IntN(40))
		cfg.EnableObjectPool = r.IntN(3) > 0
		require.NoError(t, ex.Apply(cfg))
		if r.IntN(50) == 0 {
			ex.pools.trim(nil, 0)
			time.Sleep(100 * time.Microsecond)
		}
	}
	require.NoError(t, ex.Apply(poolOn(3)))
	all.Wait()
	require.LessOrEqual(t, p.idle(), 3)
	fill(p, 10)
	require.Equal(t, 3, p.idle())
}
