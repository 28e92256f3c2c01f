package executor

import (
	"context"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// The semaphore against a model of a few lines, under random actions: who has a
// permit, in which order, and that nobody waits while there is one.
func TestSemaphore_model(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit, open := rapid.IntRange(1, 5).Draw(t, "limit"), false
		s := newSemaphore(limit, open)
		var queue []*waiter // the model: who waits, in order
		used := 0
		grant := func() {
			for len(queue) > 0 && (open || used < limit) {
				used++
				queue = queue[1:]
			}
		}
		var places []*waiter
		t.Repeat(map[string]func(*rapid.T){
			"acquire": func(t *rapid.T) {
				if len(queue) == 0 && (open || used < limit) {
					waited, err := s.acquire(context.Background(), time.Minute)
					require.False(t, waited)
					require.NoError(t, err)
					used++
					return
				}
				w := s.enqueue()
				queue = append(queue, w)
				places = append(places, w)
			},
			"release": func(t *rapid.T) {
				if used == 0 {
					t.Skip("nobody holds a permit")
				}
				s.release()
				used--
				grant()
			},
			"leave": func(t *rapid.T) {
				if len(queue) == 0 {
					t.Skip("nobody waits")
				}
				i := rapid.IntRange(0, len(queue)-1).Draw(t, "who")
				require.True(t, s.leave(queue[i]))
				for j, p := range places {
					if p == queue[i] {
						places = append(places[:j:j], places[j+1:]...)
						break
					}
				}
				queue = append(queue[:i:i], queue[i+1:]...)
				grant()
			},
			"limit": func(t *rapid.T) {
				limit, open = rapid.IntRange(1, 5).Draw(t, "limit"), rapid.IntRange(0, 4).Draw(t, "open") == 0
				s.setLimit(limit, open)
				grant()
			},
			"": func(t *rapid.T) {
				w := s.word.Load()
				require.EqualValues(t, used, usedOf(w))
				require.Equal(t, limit, s.getLimit())
				require.Equal(t, len(queue) > 0, w&queuedBit != 0)
				waiting := 0
				for _, p := range places {
					select {
					case <-p.granted:
					default:
						require.Less(t, waiting, len(queue))
						require.Same(t, queue[waiting], p, "first come, first served")
						waiting++
					}
				}
				require.Equal(t, len(queue), waiting)
			},
		})
	})
}

func TestSemaphore_timeoutAndCancellation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSemaphore(1, false)
		_, err := s.acquire(t.Context(), time.Second)
		require.NoError(t, err)
		begin := time.Now()
		waited, err := s.acquire(t.Context(), time.Second)
		require.True(t, waited)
		require.ErrorIs(t, err, ErrConcurrencyTimeout)
		require.Equal(t, time.Second, time.Since(begin))

		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		_, err = s.acquire(ctx, time.Second)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		s.release()
		require.Zero(t, s.word.Load()&^(uint64(1)<<limitAt), "no permit out, nobody queued")
		require.Panics(t, s.release)
	})
}

// All at once, with limits that move and waiters that give up: nobody is
// forgotten, no permit is lost or doubled.
func TestSemaphore_stress(t *testing.T) {
	const most = 6
	s := newSemaphore(1, false)
	var held, got atomic.Int64
	stop := make(chan struct{})
	mover := newGroup(1, func() {
		r := rand.New(rand.NewPCG(1, 2))
		for {
			select {
			case <-stop:
				return
			default:
				s.setLimit(1+r.IntN(most), false)
				runtime.Gosched()
			}
		}
	})
	var workers sync.WaitGroup
	for i := range 16 {
		workers.Go(func() {
			r := rand.New(rand.NewPCG(3, uint64(i)))
			for range 2000 {
				ctx, cancel := context.WithCancel(context.Background())
				if r.IntN(4) == 0 {
					ctx, cancel = context.WithTimeout(ctx, time.Duration(r.IntN(50))*time.Microsecond)
				}
				_, err := s.acquire(ctx, time.Minute)
				cancel()
				if err != nil {
					continue
				}
				if n := held.Add(1); n > most {
					t.Errorf("%d permits out", n)
				}
				got.Add(1)
				if r.IntN(2) == 0 {
					runtime.Gosched()
				}
				held.Add(-1)
				s.release()
			}
		})
	}
	workers.Wait()
	close(stop)
	mover.Wait()
	require.Greater(t, got.Load(), int64(16*2000/2))
	require.Zero(t, usedOf(s.word.Load()))
	require.Zero(t, s.word.Load()&queuedBit)
}
