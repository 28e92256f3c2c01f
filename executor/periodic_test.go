package executor

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestPeriodic_movesWithoutStartingOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		var at []time.Duration
		var mu sync.Mutex // held by the test but while it sleeps
		mu.Lock()
		p := &periodic{act: func() {
			mu.Lock()
			defer mu.Unlock()
			at = append(at, time.Since(began).Round(time.Millisecond))
		}}
		sleep := func(d time.Duration) {
			mu.Unlock()
			time.Sleep(d)
			synctest.Wait()
			mu.Lock()
		}
		p.set(0)
		sleep(time.Hour)
		require.Nil(t, p.moved, "no goroutine while it was never on")

		began = time.Now()
		p.set(10 * time.Second)
		sleep(25 * time.Second)
		require.Equal(t, []time.Duration{10 * time.Second, 20 * time.Second}, at)

		p.set(time.Minute) // 5 s of it have passed
		sleep(50 * time.Second)
		require.Len(t, at, 2)
		sleep(6 * time.Second)
		require.Equal(t, 80*time.Second, at[2])

		p.set(time.Second) // due at 81 s, which is now
		sleep(0)
		require.Equal(t, 81*time.Second, at[3])

		p.set(0)
		sleep(time.Hour)
		require.Len(t, at, 4, "paused")
		began = time.Now()
		p.set(3 * time.Second)
		sleep(4 * time.Second)
		require.Equal(t, 3*time.Second, at[4], "a whole interval after it was resumed")

		for range 4900 { // every millisecond another interval
			p.set(2*time.Second + time.Duration(len(at)%2))
			p.set(2 * time.Second)
			sleep(time.Millisecond)
		}
		require.Len(t, at, 7, "at 5 and 7 s: %v", at)
		p.stop()
	})
}

func TestPeriodic_stopsWhatNeverRan(*testing.T) {
	(&periodic{}).stop()
}
