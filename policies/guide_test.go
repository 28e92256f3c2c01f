package policies

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"autotune/controller"
)

// plant is a service in virtual time whose cost depends on what is in force.
type plant struct {
	space  controller.Space
	now    time.Time
	set    controller.Setting
	rng    *rand.Rand
	cost   func(s controller.Setting, age time.Duration) float64 // log
	start  time.Time
	audits []controller.Trial
}

func (p *plant) Space() controller.Space { return p.space }

func (p *plant) Current(context.Context) (controller.Setting, error) { return p.set, nil }

func (p *plant) Apply(_ context.Context, s controller.Setting) error {
	p.set = s
	return nil
}

func (p *plant) Observe(_ context.Context, _ uint64, d time.Duration) (controller.Sample, error) {
	p.now = p.now.Add(d)
	y := p.cost(p.set, p.now.Sub(p.start)) + 0.03*p.rng.NormFloat64()
	return controller.Sample{
		At: p.now, Over: d, Totals: map[controller.Metric]float64{controller.Requests: 1e6},
		Gauges: map[controller.Metric]float64{"cost": math.Exp(y)},
	}, nil
}

var dawn = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// cacheLike has a switch with a size, and two more switches.
func cacheLike() (controller.Space, []controller.Optimization, map[string]float64) {
	space := controller.Space{Knobs: []controller.Knob{
		{Name: "enable_cache_optimization", Kind: controller.Switch},
		{Name: "cache_size", Kind: controller.Int, Min: 1, Max: 1 << 20, Scale: controller.Log, MaxMove: 4, Needs: "enable_cache_optimization"},
		{Name: "cache_ttl", Kind: controller.Duration, Min: 1, Max: 1e6, Scale: controller.Log, Period: time.Hour, Needs: "enable_cache_optimization"},
		{Name: "useless", Kind: controller.Switch},
		{Name: "harmful", Kind: controller.Switch},
	}}
	offered := []controller.Optimization{
		{Name: "harmful", Switch: "harmful", Equivalence: controller.Exact},
		{Name: "useless", Switch: "useless", Equivalence: controller.Exact},
		{
			Name: "enable_cache_optimization", Switch: "enable_cache_optimization", Equivalence: controller.Exact,
			Knobs: []string{"cache_size", "cache_ttl"}, Start: map[string]float64{"cache_size": 1024, "cache_ttl": 60},
		},
	}
	return space, offered, map[string]float64{
		"enable_cache_optimization": 0, "cache_size": 256, "cache_ttl": 3600, "useless": 0, "harmful": 0,
	}
}

// run lets the shipped controller follow a policy for so long.
func run(t *testing.T, p controller.Policy, seed uint64, d time.Duration, cost func(controller.Setting, time.Duration) float64) (*plant, []controller.Trial) {
	t.Helper()
	space, offered, initial := cacheLike()
	target := &plant{space: space, now: dawn, start: dawn, set: controller.SettingOf(initial), rng: rand.New(rand.NewPCG(seed, 1)), cost: cost}
	core, err := controller.New(controller.Config{
		Space: space, Offered: offered, Goals: []controller.Goal{{Metric: "cost"}}, Policy: p, Seed: seed,
		Timing: controller.Timing{Washout: time.Second, Measure: 5 * time.Second, Tick: 5 * time.Second},
		Budget: controller.Budget{MaxPairs: 40, Until: dawn.Add(d)},
	})
	require.NoError(t, err)
	var trace controller.Trace
	require.NoError(t, controller.Run(context.Background(), target, core, controller.Loop{Record: &trace}))
	target.audits = trace.Audits()
	return target, trace.Verdicts()
}

// costs: the cache saves, most at 8192 entries; harmful costs.
func costs(s controller.Setting, _ time.Duration) float64 {
	y := 0.0
	if s.On("enable_cache_optimization") {
		size, _ := s.Get("cache_size")
		y -= 0.6 - 0.1*math.Abs(math.Log2(size/8192))
	}
	if s.On("harmful") {
		y += 0.5
	}
	return y
}

func TestGuide_findsTheSwitchAndThenItsNumber(t *testing.T) {
	for seed := range uint64(5) {
		p, err := NewGuide("high-frequency")
		require.NoError(t, err)
		target, trials := run(t, p, seed+1, 2*time.Hour, costs)
		require.Equal(t, "enable_cache_optimization", trials[0].Optimization, "the guide's order for the workload comes first")
		require.Equal(t, "harmful", trials[1].Optimization, "the rest as offered")
		require.Equal(t, "useless", trials[2].Optimization)
		require.True(t, target.set.On("enable_cache_optimization"))
		require.False(t, target.set.On("harmful"))
		size, _ := target.set.Get("cache_size")
		require.InDelta(t, math.Log2(8192), math.Log2(size), 1, "seed %d: %v", seed, target.set)
		ttl, _ := target.set.Get("cache_ttl")
		require.InDelta(t, 3600, ttl, 0, "what acts every hour is never moved")
		for _, v := range trials[3:] {
			require.NotContains(t, v.Change, "cache_ttl")
		}
	}
}

func TestGuide_turnsOffWhatTurnedBad(t *testing.T) {
	p, err := NewGuide("")
	require.NoError(t, err)
	target, _ := run(t, p, 3, 8*time.Hour, func(s controller.Setting, age time.Duration) float64 {
		y := costs(s, age)
		if age > time.Hour && s.On("enable_cache_optimization") {
			y += 1.0 // it stopped paying
		}
		return y
	})
	require.False(t, target.set.On("enable_cache_optimization"))
	i := slices.IndexFunc(target.audits, func(a controller.Trial) bool { return a.Outcome == controller.Kept })
	require.GreaterOrEqual(t, i, 0, "an audit finds it first")
	require.Equal(t, controller.MoveOff, target.audits[i].Move)
	require.WithinDuration(t, dawn.Add(time.Hour), target.audits[i].Ended, 90*time.Minute)
}

func TestGuide_goesQuietWhenNothingHelps(t *testing.T) {
	const runs = 12
	kept := 0
	for seed := range uint64(runs) {
		p, err := NewGuide("")
		require.NoError(t, err)
		_, trials := run(t, p, 4+seed, 6*time.Hour, func(controller.Setting, time.Duration) float64 { return 0 })
		pairs := 0
		for _, v := range trials {
			if v.Outcome == controller.Kept {
				kept++
			}
			pairs += v.Pairs
		}
		exposed := float64(pairs) * 6 / (6 * 3600) // candidate blocks of 6 s over 6 h
		require.Less(t, exposed, 0.12, "the cool-down keeps a flat service mostly alone")
	}
	// A run may expect 0.25 false keeps and a thousandth for each of its some 30
	// trials: 3.4 in all of them, and more than 8 once in a hundred times.
	require.LessOrEqual(t, kept, 8)
}

func TestGuide_waitsWithNumbersUntilAllWereTried(t *testing.T) {
	p, err := NewGuide("high-frequency")
	require.NoError(t, err)
	space, offered, initial := cacheLike()
	initial["enable_cache_optimization"] = 1
	v := controller.View{Space: space, Offered: offered, Safe: controller.SettingOf(initial), Blocked: map[string]string{}}
	proposal := func() controller.Proposal {
		got, ok := p.Propose(v)
		require.True(t, ok)
		return got
	}
	require.Equal(t, "harmful", proposal().Optimization)
	v.Blocked["harmful"], v.Blocked["useless"] = "cooling down", "pinned"
	require.Equal(t, map[string]float64{"cache_size": 512}, proposal().Change)
	v.Blocked["cache_size=512"] = "cooling down"
	require.Equal(t, map[string]float64{"cache_size": 128}, proposal().Change)
	v.Blocked["cache_size=128"] = "cooling down"
	require.Equal(t, map[string]float64{"cache_size": 362}, proposal().Change, "then finer")
	v.Blocked["cache_size=362"], v.Blocked["cache_size=181"] = "cooling down", "cooling down"
	require.Equal(t, controller.MoveOff, proposal().Move)
	v.Blocked["enable_cache_optimization=0"] = "cooling down"
	require.Equal(t, map[string]float64{"cache_ttl": 60}, proposal().Change, "what no trial can judge comes last, and the controller makes advice of it")
	v.Blocked["cache_ttl=60"] = "advised, never tried"
	_, ok := p.Propose(v)
	require.False(t, ok)
}

// Propose changes nothing: asked again with the same view it answers the same,
// whatever was learned before, and what it proposes is offered and not blocked.
func TestGuide_proposeIsPure(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, err := NewGuide(rapid.SampledFrom([]string{"", "high-frequency", "cpu-intensive", "low-latency"}).Draw(t, "workload"))
		if err != nil {
			t.Fatal(err)
		}
		space, offered, values := cacheLike()
		for range rapid.IntRange(0, 30).Draw(t, "steps") {
			for _, k := range []string{"enable_cache_optimization", "useless", "harmful"} {
				values[k] = float64(rapid.IntRange(0, 1).Draw(t, k))
			}
			values["cache_size"] = float64(rapid.IntRange(1, 1<<20).Draw(t, "size"))
			v := controller.View{Space: space, Offered: offered, Safe: controller.SettingOf(values), Blocked: map[string]string{}}
			for _, o := range offered {
				if rapid.Bool().Draw(t, "blocked") {
					v.Blocked[o.Name] = "cooling down"
				}
			}
			first, ok := p.Propose(v)
			again, okAgain := p.Propose(v)
			if ok != okAgain || first.BlockKey() != again.BlockKey() || first.Why != again.Why {
				t.Fatalf("asked twice: %v %v", first, again)
			}
			if !ok {
				continue
			}
			if v.Blocked[first.BlockKey()] != "" {
				t.Fatalf("blocked: %v", first)
			}
			to := v.Safe.With(first.Change)
			if to.Equal(v.Safe) || space.CheckSetting(to) != nil {
				t.Fatalf("not a move: %v", first)
			}
			p.Learn(controller.Trial{
				Optimization: first.Optimization, Move: first.Move, Change: first.Change, From: v.Safe, To: to,
				Outcome: controller.Outcome(rapid.IntRange(1, 5).Draw(t, "outcome")),
				Reason:  controller.Reason(rapid.IntRange(1, int(controller.Degradation)).Draw(t, "reason")),
			})
		}
	})
}

// What an audit rolled back is not tried again at once: a number goes on in the
// direction that was just shown better, and its way back is cooling down.
func TestGuide_learnsARollback(t *testing.T) {
	p, err := NewGuide("")
	require.NoError(t, err)
	up := controller.Trial{
		ID: 1, Optimization: "enable_cache_optimization", Move: "cache_size 512 -> 1024", Change: map[string]float64{"cache_size": 1024},
		From: controller.SettingOf(map[string]float64{"cache_size": 512}), Outcome: controller.Kept, Reason: controller.Better,
	}
	p.Learn(up)
	p.Learn(controller.Trial{
		ID: 2, Audit: 1, Optimization: up.Optimization, Move: "cache_size 1024 -> 512", Change: map[string]float64{"cache_size": 512},
		From: controller.SettingOf(up.Change), Outcome: controller.Kept, Reason: controller.Better,
	})
	space, offered, initial := cacheLike()
	initial["enable_cache_optimization"], initial["cache_size"] = 1, 512
	v := controller.View{
		Space: space, Offered: offered, Safe: controller.SettingOf(initial),
		Blocked: map[string]string{"harmful": "cooling down", "useless": "cooling down", "cache_size=1024": "cooling down"},
	}
	var tried []float64
	for {
		got, ok := p.Propose(v)
		if !ok || got.Move == controller.MoveOff {
			break
		}
		tried = append(tried, got.Change["cache_size"])
		v.Blocked[got.BlockKey()] = "cooling down"
	}
	require.Equal(t, []float64{256, 362}, tried)
}

// A restart knows which way a kept number went: its trials are remembered in brief.
func TestGuide_learnsTheDirectionOfABriefTrial(t *testing.T) {
	p, err := NewGuide("")
	require.NoError(t, err)
	p.Learn(controller.Trial{
		Optimization: "enable_cache_optimization", Move: "cache_size 512 -> 256", Change: map[string]float64{"cache_size": 256},
		From: controller.SettingOf(map[string]float64{"cache_size": 512}), Outcome: controller.Kept, Reason: controller.Better,
	})
	space, offered, initial := cacheLike()
	initial["enable_cache_optimization"] = 1
	got, ok := p.Propose(controller.View{
		Space: space, Offered: offered, Safe: controller.SettingOf(initial),
		Blocked: map[string]string{"harmful": "cooling down", "useless": "cooling down"},
	})
	require.True(t, ok)
	require.Equal(t, map[string]float64{"cache_size": 128}, got.Change, "on in the direction that paid")
}

func TestNamed(t *testing.T) {
	for _, name := range Names() {
		p, err := Named(name, "")
		require.NoError(t, err)
		require.NotNil(t, p)
	}
	_, err := Named("oracle", "")
	require.EqualError(t, err, `policy "oracle": must be one of guide, static`)
	_, err = Named("guide", "fast")
	require.ErrorContains(t, err, `workload "fast": must be one of`)
	p, err := Named("static", "")
	require.NoError(t, err)
	_, ok := p.Propose(controller.View{})
	require.False(t, ok)
	require.True(t, strings.HasPrefix(Names()[0], "g"))
}
