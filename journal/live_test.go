package journal

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Readers take no lock: while segments come and go, what they see is a run of
// whole records without a hole, and it ends no earlier than it ended before.
func TestRead_whileAWriterIsLive(t *testing.T) {
	dir := t.TempDir()
	j := mustOpen(t, dir, Options{SegmentBytes: 2048, Segments: 3})
	require.NoError(t, j.Append(state(1)))
	stop := make(chan struct{})
	var readers sync.WaitGroup
	for range 2 {
		readers.Go(func() {
			var seen, reads uint64
			for {
				select {
				case <-stop:
					t.Logf("%d reads", reads)
					return
				default:
				}
				var last, n uint64
				for e, err := range Read(dir) {
					if !assert.NoError(t, err) {
						return
					}
					last = e.Seq
					n++
				}
				assert.GreaterOrEqual(t, last, seen)
				assert.NotZero(t, n)
				seen = last
				reads++
			}
		})
	}
	for i := range 2000 {
		require.NoError(t, j.Append(note(i)))
		if i%500 == 0 {
			require.NoError(t, j.Sync())
		}
	}
	close(stop)
	readers.Wait()
}

func TestJournal_concurrentUse(t *testing.T) {
	dir := t.TempDir()
	j := mustOpen(t, dir, Options{SegmentBytes: 4096, Segments: 1000})
	var all sync.WaitGroup
	for w := range 4 {
		all.Go(func() {
			for i := range 100 {
				assert.NoError(t, j.Append(note(w*1000+i)))
				assert.NoError(t, j.Append(state(i)))
				if i%25 == 0 {
					assert.NoError(t, j.Sync())
				}
				assert.NotNil(t, j.State())
			}
		})
	}
	all.Wait()
	require.NoError(t, j.Close())
	assert.Len(t, readAll(t, dir), 800)
}
