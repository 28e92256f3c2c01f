package journal

import (
	"math"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"autotune/controller"
)

// tick is what one tick of a block looks like: 400 requests with log-normal
// latencies around 20 ms, a dozen knobs, the usual metrics.
func tick() controller.Record {
	chance := rand.New(rand.NewPCG(3, 5))
	var h, unfinished controller.Histogram
	for range 400 {
		h.Record(time.Duration(20e6 * math.Exp(0.6*chance.NormFloat64())))
	}
	for range 8 {
		unfinished.Record(time.Duration(10e6 * chance.ExpFloat64()))
	}
	setting := map[string]float64{}
	for _, k := range []string{
		"enable_cache", "cache_size", "cache_ttl", "enable_batching", "batch_size", "batch_timeout",
		"enable_object_pool", "gc_percent", "memory_limit", "worker_pool_size", "max_idle_conns", "sampling_rate",
	} {
		setting[k] = float64(chance.IntN(4096))
	}
	return controller.Record{At: start, Kind: controller.RecordInput, Input: &controller.Input{
		At: start, Epoch: 1234, Current: controller.SettingOf(setting), Sample: controller.Sample{
			At: start, Over: 250 * time.Millisecond,
			Totals: map[controller.Metric]float64{
				controller.Requests: 403, controller.Completions: 400, controller.Errors: 1,
				controller.CPUSeconds: 0.1873, controller.AllocBytes: 18_273_512,
			},
			Gauges: map[controller.Metric]float64{
				controller.InFlight: 8, controller.OldestInFlight: 0.0312, controller.RSSBytes: 93_421_568,
				controller.MemoryRatio: 0.18, controller.GCCPURatio: 0.021,
			},
			Latency: &h, Unfinished: &unfinished,
		},
	}}
}

func BenchmarkAppend(b *testing.B) {
	for _, c := range []struct {
		name   string
		record controller.Record
	}{{"coin", controller.Record{At: start, Kind: controller.RecordCoin, Coin: &controller.Coin{Trial: 3, Pair: 9}}}, {"tick", tick()}} {
		b.Run(c.name, func(b *testing.B) {
			j := mustOpen(b, b.TempDir(), Options{})
			require.NoError(b, j.Append(c.record))
			before := j.size
			require.NoError(b, j.Append(c.record))
			size := j.size - before
			b.ReportAllocs()
			for b.Loop() {
				if err := j.Append(c.record); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(size), "bytes/record")
		})
	}
}

func BenchmarkAppendSync(b *testing.B) {
	j := mustOpen(b, b.TempDir(), Options{})
	r := tick()
	for b.Loop() {
		if err := j.Append(r); err != nil {
			b.Fatal(err)
		}
		if err := j.Sync(); err != nil {
			b.Fatal(err)
		}
	}
}

// A full journal of 64 MiB, as a restart and as a replay read it.
func BenchmarkFullJournal(b *testing.B) {
	dir := b.TempDir()
	j := mustOpen(b, dir, Options{})
	r := tick()
	for len(j.segments) < DefaultSegments || !j.full(frameLen+4096) {
		if err := j.Append(r); err != nil {
			b.Fatal(err)
		}
	}
	require.NoError(b, j.Close())
	total := int64(0)
	entries, err := os.ReadDir(dir)
	require.NoError(b, err)
	for _, e := range entries {
		info, err := e.Info()
		require.NoError(b, err)
		total += info.Size()
	}
	b.Run("Open", func(b *testing.B) {
		b.SetBytes(total)
		for b.Loop() {
			j, err := Open(dir, Options{})
			if err != nil {
				b.Fatal(err)
			}
			_ = j.Close()
		}
	})
	b.Run("Read", func(b *testing.B) {
		b.SetBytes(total)
		for b.Loop() {
			for _, err := range Read(dir) {
				if err != nil {
					b.Fatal(err)
				}
			}
		}
	})
}
