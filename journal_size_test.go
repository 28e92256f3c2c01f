package autotune

import (
	"context"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"autotune/controller"
	"autotune/executor"
	"autotune/journal"
	"autotune/sensors"
)

// What a tick takes in the journal, of a service with a step, 400 requests a
// second whose latencies spread as they do, and every sensor that there is here;
// DESIGN.md says how much, and this holds it to that.
func TestJournal_sizeOfATick(t *testing.T) {
	ctx := context.Background()
	ex, err := executor.New(executor.Config{})
	require.NoError(t, err)
	defer ex.Close()
	step, err := executor.NewStep(ex, executor.StepConfig[int, int]{
		Name: "square", Run: func(_ context.Context, n int) (int, error) { return n * n, nil }, Results: executor.Pure(),
	})
	require.NoError(t, err)
	rec := sensors.NewRecorder()
	s, err := sensors.New(sensors.Options{Recorder: rec})
	require.NoError(t, err)
	defer s.Close()
	target, err := NewTarget(ex, nil, s)
	require.NoError(t, err)
	dir := t.TempDir()
	j, err := journal.Open(dir, journal.Options{})
	require.NoError(t, err)
	rng := rand.New(rand.NewPCG(1, 1))

	const ticks, requests = 40, 100 // four a second
	var before int64
	for i := range ticks + 1 {
		for range requests {
			_, err := step.Run(ctx, rng.IntN(1000))
			require.NoError(t, err)
			took := time.Duration(3e6 * math.Exp(0.6*rng.NormFloat64()))
			rec.Start(time.Now().Add(-took)).End(false)
		}
		sample, err := target.Observe(ctx, 1, 0)
		require.NoError(t, err)
		current, err := target.Current(ctx)
		require.NoError(t, err)
		in := &controller.Input{At: sample.At, Current: current, Sample: sample}
		require.NoError(t, j.Append(controller.Record{At: sample.At, Kind: controller.RecordInput, Input: in}))
		if i == 0 {
			before = size(t, dir) // with the head of the segment
		}
	}
	require.NoError(t, j.Close())
	tick := float64(size(t, dir)-before) / ticks / 1000

	text, err := os.ReadFile("DESIGN.md")
	require.NoError(t, err)
	said := regexp.MustCompile(`journal writes about ([0-9.]+) KB a tick`).FindSubmatch(text)
	require.NotNil(t, said)
	told, err := strconv.ParseFloat(string(said[1]), 64)
	require.NoError(t, err)
	t.Logf("a tick takes %.2f KB of journal, %.0f MB an hour at four a second", tick, tick*4*3600/1000)
	require.InDelta(t, told, tick, 0.25*told, "DESIGN.md and docs/operating.md say otherwise")
}

func size(t *testing.T, dir string) int64 {
	t.Helper()
	segments, err := filepath.Glob(filepath.Join(dir, "*.jsonl"))
	require.NoError(t, err)
	total := int64(0)
	for _, name := range segments {
		info, err := os.Stat(name)
		require.NoError(t, err)
		total += info.Size()
	}
	return total
}
