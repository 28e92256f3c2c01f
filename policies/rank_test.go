package policies

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"autotune/catalog"
	"autotune/controller"
)

// ranked is a service at 400 requests/s whose requests take a millisecond, with
// everything of the catalog offered.
func ranked(with map[controller.Metric]float64) controller.View {
	w := theCatalog()
	v := controller.View{
		At: dawn, Space: w.Space, Offered: w.Offered, Safe: controller.SettingOf(w.Initial), Blocked: map[string]string{},
		Planning: controller.Planning{Alpha: 0.02, MaxPairs: 120, Noise: map[controller.Metric]float64{controller.LatencyP95: 0.15, controller.CPUPerRequest: 0.05}, Pair: map[string]time.Duration{}},
		Baseline: &controller.Sample{
			Over: time.Minute, Gauges: map[controller.Metric]float64{controller.LatencyMean: 0.001, controller.LatencyP95: 0.02},
			Totals: map[controller.Metric]float64{controller.Requests: 24_000, controller.Completions: 24_000, catalog.Executions: 24_000, controller.CPUSeconds: 12},
		},
	}
	for _, o := range v.Offered {
		v.Planning.Pair[o.Name] = 12 * time.Second
	}
	v.Planning.Pair[catalog.EnableTelemetry] = time.Minute
	for name, value := range with {
		v.Baseline.Gauges[name] = value
	}
	return v
}

// proposals are what is proposed first, second and so on, if each is blocked then.
func proposals(g *Guide, v controller.View) (names []string, all []controller.Proposal) {
	for {
		p, ok := g.Propose(v)
		if !ok {
			return names, all
		}
		v.Blocked[p.BlockKey()] = "tried"
		names, all = append(names, p.Optimization), append(all, p)
	}
}

// everything is measured of a service, and there is nothing to gain.
func nothing() map[controller.Metric]float64 {
	return map[controller.Metric]float64{
		catalog.DuplicateInputRatio: 0, catalog.IdenticalInFlightRatio: 0, catalog.PoolTypes: 0, catalog.StateCopiedBytes: 0, controller.MemoryRatio: 0.2,
		catalog.TelemetrySeconds: 0, catalog.SchedulerWaitSeconds: 1, catalog.Retries: 0,
	}
}

func with(base, more map[controller.Metric]float64) map[controller.Metric]float64 {
	for k, v := range more {
		base[k] = v
	}
	return base
}

func TestGuide_ranksByGainAMinute(t *testing.T) {
	all := with(nothing(), map[controller.Metric]float64{
		catalog.DuplicateInputRatio: 0.6, catalog.CacheMissRatio(4096): 0.4, catalog.RepeatedSeconds: 3, // an eighth of the time
		catalog.PoolTypes: 1, controller.GCCPURatio: 0.15, catalog.TelemetrySeconds: 2.4, // a fifth of the CPU time, but blocks are long
	})
	g, err := NewGuide("")
	require.NoError(t, err)
	names, tried := proposals(g, ranked(all))
	require.Equal(t, []string{catalog.EnableObjectPool, catalog.EnableCache, catalog.EnableTelemetry}, names)
	require.Equal(t, "garbage collection takes 15 % of CPU time, at 0 B allocated an execution: up to 15 % to gain, in about 8 pairs of blocks, 1m36s", tried[0].Why)
	require.Equal(t, &controller.Basis{Share: 0.15}, tried[0].Basis)
	require.Equal(t, map[string]float64{catalog.EnableObjectPool: 1, catalog.ObjectPoolMaxSize: 500}, tried[0].Change, "the band of the load")

	// The owner's word makes another likelihood of the same signals.
	g, err = NewGuide("high-frequency")
	require.NoError(t, err)
	names, tried = proposals(g, ranked(all))
	require.Equal(t, []string{catalog.EnableCache, catalog.EnableObjectPool, catalog.EnableTelemetry}, names)
	require.Equal(t, "high-frequency", tried[0].Basis.Workload)
	require.Equal(t, 2000.0, tried[2].Change[catalog.TelemetryBatchSize], "the workload's value")

	skipped := map[string]string{}
	for _, s := range g.Skipped(ranked(all)) {
		skipped[s.Optimization] = s.Why
	}
	require.Equal(t, map[string]string{
		catalog.EnableContext:        "nothing to act on: no run state is copied",
		catalog.EnableMemory:         "nothing to act on: memory is at 20 % of its limit, and cleanup begins at 60 % or more",
		catalog.EnableConcurrency:    "nothing to act on: waiting for a processor takes 4.2 % of the time of requests, and up to 50 % is ordinary",
		catalog.EnableMonitoring:     "nothing to act on: it makes nothing faster: it tells when something got slower",
		catalog.EnableErrorHandling:  "nothing to act on: 0.00 % of executions have an attempt that fails",
		catalog.EnableCircuitBreaker: "nothing to act on: 0.00 % of executions have an attempt that fails",
		catalog.EnableStep:           "nothing to act on: 0.0 % of executions begin while an identical one is in flight",
		catalog.EnableAlgorithm:      "there is nothing to gain while enable_cache_optimization is off",
	}, skipped)
}

// The outlook says for people what the ranking knows, in its order.
func TestGuide_outlook(t *testing.T) {
	g, err := NewGuide("")
	require.NoError(t, err)
	v := ranked(with(nothing(), map[controller.Metric]float64{
		catalog.DuplicateInputRatio: 0.6, catalog.CacheMissRatio(4096): 0.4, catalog.RepeatedSeconds: 12, // half of the time
	}))
	out := g.Outlook(v)
	require.Equal(t, "high-frequency", out.Workload)
	require.Contains(t, out.Why, "repeats take 50 % of the time of requests")
	require.Len(t, out.Prospects, len(v.Offered))
	first := out.Prospects[0]
	require.Equal(t, catalog.EnableCache, first.Optimization)
	require.Contains(t, first.Signal, "repeat an input, which takes 50 % of the time of requests")
	require.Empty(t, first.Skip)
	require.Positive(t, first.Likelihood)
	require.GreaterOrEqual(t, first.Pairs, 8.0)
	require.InDelta(t, 12*first.Pairs, first.Seconds, 12)
	named, err := NewGuide("low-latency")
	require.NoError(t, err)
	require.Regexp(t, "^low-latency, as its owner says; by its signs: high-frequency, as ", named.Outlook(v).Why)
	for _, p := range out.Prospects {
		if p.Optimization == catalog.EnableMonitoring {
			require.Equal(t, "nothing to act on: it makes nothing faster: it tells when something got slower", p.Skip)
		}
	}
}

func TestGuide_isQuietWhereThereIsNothing(t *testing.T) {
	for _, workload := range []string{"", "high-frequency", "low-latency"} {
		g, err := NewGuide(workload)
		require.NoError(t, err)
		names, _ := proposals(g, ranked(nothing()))
		require.Empty(t, names)
		require.Len(t, g.Skipped(ranked(nothing())), len(theCatalog().Offered), "each with its reason")
	}
}

// Without signals the order is the guide's, and nothing is left out but for low latency.
func TestGuide_withoutSignals(t *testing.T) {
	v := ranked(nil)
	v.Baseline = nil
	v.Offered = v.Offered[:0:0]
	for _, o := range theCatalog().Offered {
		if o.Name != catalog.EnableMonitoring {
			v.Offered = append(v.Offered, o)
		}
	}
	for _, workload := range []string{"", "high-allocation", "cpu-intensive"} {
		g, err := NewGuide(workload)
		require.NoError(t, err)
		v.Blocked = map[string]string{}
		names, tried := proposals(g, v)
		order, err := catalog.Order(workload)
		require.NoError(t, err)
		want := order[:0:0]
		for _, name := range order {
			if name != catalog.EnableAlgorithm { // the cache is off
				want = append(want, name)
			}
		}
		require.Equal(t, want, names)
		require.Nil(t, tried[0].Basis)
		require.Equal(t, v.Offered[0].Why != "", tried[0].Why != "")
	}
	g, err := NewGuide("low-latency")
	require.NoError(t, err)
	v.Blocked = map[string]string{}
	names, _ := proposals(g, v)
	require.Empty(t, names)
}

// One signal that is not measured does not stand in the way of the others.
func TestGuide_unknownSignalsAreNoZero(t *testing.T) {
	some := nothing()
	delete(some, catalog.DuplicateInputRatio)
	g, err := NewGuide("")
	require.NoError(t, err)
	names, tried := proposals(g, ranked(some))
	require.Equal(t, []string{catalog.EnableCache}, names)
	require.Equal(t, tried[0].Why, catalogWhy(catalog.EnableCache))
}

func catalogWhy(name string) string {
	for _, o := range catalog.Optimizations() {
		if o.Name == name {
			return o.Why
		}
	}
	return ""
}

// Low latency begins with no change: only what much speaks for is tried.
func TestGuide_lowLatencyNeedsAStrongSignal(t *testing.T) {
	g, err := NewGuide("low-latency")
	require.NoError(t, err)
	weak := with(nothing(), map[controller.Metric]float64{catalog.TelemetrySeconds: 1.2, catalog.PoolTypes: 1, controller.GCCPURatio: 0.2})
	names, _ := proposals(g, ranked(weak))
	require.Empty(t, names)
	strong := with(weak, map[controller.Metric]float64{catalog.Retries: 1200})
	names, _ = proposals(g, ranked(strong))
	require.Equal(t, []string{catalog.EnableErrorHandling, catalog.EnableCircuitBreaker}, names)
}

// What the catalog does not know is tried after what it knows, in the order given.
func TestGuide_ownKnobsAreTriedAsOffered(t *testing.T) {
	v := ranked(with(nothing(), map[controller.Metric]float64{catalog.PoolTypes: 1, controller.GCCPURatio: 0.2}))
	for _, name := range []string{"zeta", "alpha"} {
		v.Space.Knobs = append(v.Space.Knobs, controller.Knob{Name: name, Kind: controller.Switch})
		v.Offered = append([]controller.Optimization{{Name: name, Switch: name, Why: "mine", Equivalence: controller.Exact}}, v.Offered...)
	}
	g, err := NewGuide("")
	require.NoError(t, err)
	names, _ := proposals(g, v)
	require.Equal(t, []string{catalog.EnableObjectPool, "alpha", "zeta"}, names)
}

// A number is moved on while a step of it gains as much as one of which nothing is
// known may; else those come first.
func TestGuide_ownNumbersTakeTurnsWhereAStepGainsLittle(t *testing.T) {
	v := controller.View{At: dawn.Add(time.Minute), Blocked: map[string]string{}}
	for _, name := range []string{"first", "second"} {
		v.Space.Knobs = append(v.Space.Knobs, controller.Knob{Name: name, Kind: controller.Int, Min: 1, Max: 1000, Scale: controller.Log, MaxMove: 4})
		v.Offered = append(v.Offered, controller.Optimization{Name: name, Knobs: []string{name}, Equivalence: controller.Exact})
	}
	v.Safe = controller.SettingOf(map[string]float64{"first": 200, "second": 100})
	trial := func(of string, outcome controller.Outcome, reason controller.Reason, effect float64) controller.Trial {
		out := moved(100, 200, outcome, reason, effect-0.02, effect+0.02)
		out.Optimization, out.Change, out.From = of, map[string]float64{of: 200}, controller.SettingOf(map[string]float64{of: 100})
		return out
	}
	little := trial("first", controller.Kept, controller.Better, -0.05)
	none := trial("second", controller.Inconclusive, controller.NoEffect, 0)
	for name, c := range map[string]struct {
		trials []controller.Trial
		want   string
	}{
		"nothing is known of any": {nil, "first"},
		"a large gain: go on":     {[]controller.Trial{trial("first", controller.Kept, controller.Better, -0.3)}, "first"},
		"a small gain":            {[]controller.Trial{little}, "second"},
		"then back to it":         {[]controller.Trial{little, none}, "first"},
	} {
		t.Run(name, func(t *testing.T) {
			g, err := NewGuide("")
			require.NoError(t, err)
			for _, trial := range c.trials {
				g.Learn(trial)
			}
			p, ok := g.Propose(v)
			require.True(t, ok)
			require.Equal(t, c.want, p.Optimization)
		})
	}
}

// A trial that failed is not repeated while the service is the same, and is as soon as
// its signal is clearly stronger; noise does not wake it. After a restart it knows.
func TestGuide_wakesWhenTheSignalChanges(t *testing.T) {
	pool := func(gc float64) controller.View {
		v := ranked(with(nothing(), map[controller.Metric]float64{catalog.PoolTypes: 1, controller.GCCPURatio: gc}))
		v.At = dawn.Add(time.Hour)
		return v
	}
	g, err := NewGuide("")
	require.NoError(t, err)
	p, ok := g.Propose(pool(0.12))
	require.True(t, ok)
	failed := controller.Trial{
		Optimization: p.Optimization, Move: p.Move, Change: p.Change, Basis: p.Basis, Started: dawn, Ended: dawn.Add(2 * time.Minute),
		Outcome: controller.Inconclusive, Reason: controller.NoEffect,
	}
	again, err := NewGuide("")
	require.NoError(t, err)
	for _, g := range []*Guide{g, again} {
		g.Learn(failed)
		_, ok = g.Propose(pool(0.12))
		require.False(t, ok, "the same service")
		_, ok = g.Propose(pool(0.17))
		require.False(t, ok, "noise")
		p, ok = g.Propose(pool(0.19))
		require.True(t, ok, "a stronger signal")
		require.Equal(t, catalog.EnableObjectPool, p.Optimization)
		_, ok = g.Propose(pool(0.21)) // and as high-allocation, another workload
		require.True(t, ok)
		later := pool(0.12)
		later.At = failed.Ended.Add(rest * 2 * time.Minute)
		_, ok = g.Propose(later)
		require.True(t, ok, "after a long rest")
	}
}

// A number is moved only where a signal does not rule it out.
func TestGuide_movesNumbersThatActOnSomething(t *testing.T) {
	v := ranked(with(nothing(), map[controller.Metric]float64{
		catalog.DuplicateInputRatio: 0.6, catalog.RepeatedSeconds: 1,
		catalog.CacheMissRatio(256): 0.9, catalog.CacheMissRatio(1024): 0.6, catalog.CacheMissRatio(4096): 0.4, catalog.CacheMissRatio(16384): 0.4,
	}))
	cache := func(size float64) []controller.Proposal {
		v.Blocked = map[string]string{}
		v.Safe = v.Safe.With(map[string]float64{catalog.EnableCache: 1, catalog.CacheSize: size})
		var out []controller.Proposal
		g, err := NewGuide("")
		require.NoError(t, err)
		_, all := proposals(g, v)
		for _, p := range all {
			if _, ok := p.Change[catalog.CacheSize]; ok {
				out = append(out, p)
			}
		}
		return out
	}
	up := cache(1024)
	require.Equal(t, 2048.0, up[0].Change[catalog.CacheSize])
	require.Equal(t, "enable_cache_optimization is on; look for a better cache_size: a cache of 1024 entries misses 60 %, one of 2048 50 %", up[0].Why)
	require.Empty(t, cache(4096), "the curve is flat from here on, and a smaller one misses more")
}

func TestNewInOrder_looksAtNothing(t *testing.T) {
	g := NewInOrder("by hand", []string{catalog.EnableTelemetry, catalog.EnableCache})
	require.Equal(t, "by hand", g.String())
	names, _ := proposals(g, ranked(nothing()))
	require.Equal(t, []string{catalog.EnableTelemetry, catalog.EnableCache, catalog.EnableObjectPool}, names[:3])
	require.Len(t, names, len(theCatalog().Offered))
	require.Empty(t, g.Skipped(ranked(nothing())))
}
