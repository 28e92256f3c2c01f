package plant

import (
	"container/list"
	"context"
	"encoding/json"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"autotune/controller"
	"autotune/simulate/traces"
)

var ctx = context.Background()

// anySetting moves some knobs of a space anywhere within their bounds.
func anySetting(t *rapid.T, space controller.Space, from controller.Setting) controller.Setting {
	change := map[string]float64{}
	for range rapid.IntRange(1, 6).Draw(t, "moves") {
		k := space.Knobs[rapid.IntRange(0, len(space.Knobs)-1).Draw(t, "knob")]
		if k.Kind == controller.Switch {
			change[k.Name] = float64(rapid.IntRange(0, 1).Draw(t, "on"))
			continue
		}
		change[k.Name] = k.Clamp(k.Min + (min(k.Max, k.Min+100)-k.Min)*rapid.Float64Range(0, 1).Draw(t, "value"))
	}
	return from.With(change)
}

// Whatever is asked of it and however it is set: no request is lost or doubled,
// and nothing holds more than it may.
func TestService_conservesRequests(t *testing.T) {
	all := Scenarios()
	rapid.Check(t, func(t *rapid.T) {
		scenario := all[rapid.IntRange(0, len(all)-1).Draw(t, "scenario")]
		s, err := scenario.Start(rapid.Uint64().Draw(t, "seed"))
		require.NoError(t, err)
		for epoch := range rapid.IntRange(1, 12).Draw(t, "epochs") {
			require.NoError(t, s.Apply(ctx, anySetting(t, s.Space(), s.Setting())))
			_, err := s.Observe(ctx, uint64(epoch), time.Duration(rapid.IntRange(1, 3000).Draw(t, "ms"))*time.Millisecond)
			require.NoError(t, err)
			check(t, s)
		}
	})
}

func check(t require.TestingT, s *Service) {
	c := s.Counts()
	require.Equal(t, c.Arrived, c.Done+c.Failed+c.Rejected+uint64(c.InFlight), "%+v", c)
	inFlight, permits, leaders, scratch, free := 0, 0, 0, 0, 0
	for i := range s.requests {
		r := &s.requests[i]
		switch {
		case r.stage == unused:
			free++
			require.False(t, r.permit || r.leads || r.scratch, "%+v", r)
			continue
		case r.stage < collects:
			inFlight++
		}
		for _, f := range []struct {
			has bool
			of  *int
		}{{r.permit, &permits}, {r.leads, &leaders}, {r.scratch, &scratch}} {
			if f.has {
				*f.of++
			}
		}
	}
	require.Equal(t, c.InFlight, inFlight)
	require.Equal(t, s.permits.held, permits)
	require.LessOrEqual(t, len(s.flights), leaders)
	require.Equal(t, s.pool.inUse, scratch)
	require.LessOrEqual(t, s.cores.busy, s.cores.n)
	require.True(t, s.cores.ready.n == 0 || s.cores.busy == s.cores.n, "somebody waits and a core is idle")
	require.True(t, s.permits.line.n == 0 || s.on.limited && s.permits.held >= s.on.permits, "somebody waits and a permit is free")
	require.LessOrEqual(t, s.inQueue(), s.on.patience)
	require.LessOrEqual(t, s.cache.len(), s.on.cacheSize)
	require.InDelta(t, 0, s.pinned-float64(scratch)*217e3, 1)
	if s.on.pool {
		require.LessOrEqual(t, s.pool.idle, s.on.poolSize)
	} else {
		require.Zero(t, s.pool.idle)
	}
}

// The same seed gives the same bytes; another gives others.
func TestService_sameSeedSameBytes(t *testing.T) {
	run := func(seed uint64) string {
		s, err := mustNamed(t, "outage").Start(seed)
		require.NoError(t, err)
		var out []byte
		for i := range 30 {
			require.NoError(t, s.Apply(ctx, s.initial.With(map[string]float64{
				"enable_circuit_breaker": float64(i / 10 % 2), "enable_cache_optimization": float64(i / 5 % 2),
			})))
			sample, err := s.Observe(ctx, uint64(i/5), time.Second)
			require.NoError(t, err)
			line, err := json.Marshal(sample)
			require.NoError(t, err)
			out = append(out, line...)
		}
		line, err := json.Marshal(s.Score())
		require.NoError(t, err)
		return string(append(out, line...))
	}
	require.Equal(t, run(1), run(1))
	require.NotEqual(t, run(1), run(2))
}

func mustNamed(t testing.TB, name string) Scenario {
	s, err := Named(name)
	require.NoError(t, err)
	return s
}

// An untuned run costs exactly what its twin does.
func TestScore_ofAnUntunedRunHasNoExcess(t *testing.T) {
	s, err := mustNamed(t, "everyday").Start(3)
	require.NoError(t, err)
	s.cfg.Horizon = time.Minute
	for range 60 {
		_, err := s.Observe(ctx, 1, time.Second)
		require.NoError(t, err)
	}
	score := s.Score()
	require.Zero(t, score.Whole.LatencyExcess)
	require.Zero(t, score.Whole.CPUExcess)
	require.Positive(t, score.Thirds[2].Requests)
	require.InDelta(t, score.Whole.CPUSeconds, score.Thirds[0].CPUSeconds+score.Thirds[1].CPUSeconds+score.Thirds[2].CPUSeconds, 1e-9)

	require.NoError(t, s.Apply(ctx, s.Setting().With(map[string]float64{"enable_cache_optimization": 1})))
	_, err = s.Observe(ctx, 2, time.Minute)
	require.NoError(t, err)
	require.Negative(t, s.Score().Whole.LatencyExcess)
	require.Negative(t, s.Score().Whole.CPUExcess)
}

// The same on what real services were asked for: the cache is LRU to the last miss.
func TestMissRatio_onRealTraces(t *testing.T) {
	data := os.Getenv("AUTOTUNE_DATA")
	if data == "" {
		t.Skip("AUTOTUNE_DATA is not set: no real traces to read")
	}
	files, err := filepath.Glob(filepath.Join(data, "cache_traces", "*.trace.*"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, path := range files {
		keys, err := traces.OpenKeys(path)
		require.NoError(t, err)
		keys = keys[:min(len(keys), 300_000)]
		for _, size := range []int{100, 1000, 10_000} {
			require.Equal(t, exactMissRatio(keys, size), MissRatio(keys, size), "%s, %d entries", path, size)
		}
		t.Logf("%s: %.4f missed by 1000 entries", filepath.Base(path), MissRatio(keys, 1000))
	}
}

// And by requests: recorded keys through the whole service, one at a time and
// never stale, miss as often.
func TestService_missesAsLRUDoes(t *testing.T) {
	next := Zipf(1.1, 8, 5000)(rand.New(rand.NewPCG(1, 1)))
	keys := make([]uint64, 50_000)
	for i := range keys {
		keys[i] = next()
	}
	s := mustNamed(t, "memory-constrained")
	s.Config.Arrivals, s.Config.Cores = Poisson(10), 1
	s.Config.Heap.Limit = 0
	s.Config.Initial["cache_size"], s.Config.Initial["cache_ttl"] = 700, 1e6
	s, err := s.WithKeys(keys)
	require.NoError(t, err)
	service, err := s.Start(1)
	require.NoError(t, err)
	for service.Counts().Hits+service.Counts().Misses < 45_000 {
		_, err := service.Observe(ctx, 1, time.Minute)
		require.NoError(t, err)
	}
	c := service.Counts()
	seen := int(c.Hits + c.Misses)
	require.LessOrEqual(t, seen, len(keys))
	// Two that overlap may both miss, where one after the other would not.
	require.InDelta(t, exactMissRatio(keys[:seen], 700), float64(c.Misses)/float64(seen), 0.001)
}

func exactMissRatio(keys []uint64, size int) float64 {
	l, misses := listLRU{list.New(), map[uint64]*list.Element{}, size}, 0
	for _, k := range keys {
		if l.misses(k) {
			misses++
		}
	}
	return float64(misses) / float64(len(keys))
}

// listLRU is the policy as the textbook has it.
type listLRU struct {
	order *list.List
	at    map[uint64]*list.Element
	size  int
}

func (l *listLRU) misses(key uint64) bool {
	if e, ok := l.at[key]; ok {
		l.order.MoveToFront(e)
		return false
	}
	l.at[key] = l.order.PushFront(key)
	if len(l.at) > l.size {
		delete(l.at, l.order.Remove(l.order.Back()).(uint64))
	}
	return true
}

func TestMissRatio_isThatOfExactLRU(t *testing.T) {
	next := Zipf(1.1, 8, 5000)(rand.New(rand.NewPCG(1, 1)))
	keys := make([]uint64, 100_000)
	for i := range keys {
		keys[i] = next()
	}
	for _, size := range []int{1, 7, 100, 1000, 5000} {
		require.Equal(t, exactMissRatio(keys, size), MissRatio(keys, size), "size %d", size)
	}
	require.Equal(t, 1.0, MissRatio(keys, 0))
	require.Zero(t, MissRatio(nil, 10))
}
