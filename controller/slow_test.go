package controller_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	. "autotune/controller" //nolint:revive // the tests of a vocabulary read better with it
)

// slowRun is what one trial on a service of requests came to.
type slowRun struct {
	verdict Trial
	blocks  int           // of the candidate, that began
	inForce time.Duration // of the last of them
}

// slowTrials runs n services until their first trial ended.
func slowTrials(t testing.TB, n int, timing Timing, service func(rng *rand.Rand) *requests) []slowRun {
	out := make([]slowRun, n)
	var wg sync.WaitGroup
	workers := runtime.GOMAXPROCS(0)
	for w := range workers {
		wg.Go(func() {
			for i := w; i < n; i += workers {
				out[i] = slowTrial(t, uint64(100+i), timing, service)
			}
		})
	}
	wg.Wait()
	return out
}

func slowTrial(t testing.TB, seed uint64, timing Timing, service func(rng *rand.Rand) *requests) slowRun {
	return slowTrialOf(t, slowConfig(seed, timing), service)
}

func slowConfig(seed uint64, timing Timing) Config {
	return Config{
		Space: requestSpace, Offered: requestOffered, Goals: []Goal{{Metric: LatencyP95}}, Policy: &eachOnce{},
		Seed: seed, Timing: timing, Budget: Budget{MaxPairs: 40},
	}
}

func slowTrialOf(t testing.TB, cfg Config, service func(rng *rand.Rand) *requests) slowRun {
	r := service(rand.New(rand.NewPCG(cfg.Seed, 5)))
	r.rng, r.set = rand.New(rand.NewPCG(cfg.Seed, 6)), SettingOf(requestInitial)
	c, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	core := &untilVerdict{Controller: c}
	var run slowRun
	loop := Loop{Stepped: func(_ Input, cmd Command) {
		switch {
		case core.verdict != nil:
			run.inForce = r.now - r.since
		case cmd.Apply && cmd.Setting.On("x"):
			run.blocks++
		}
	}}
	if err := Run(context.Background(), r, core, loop); err != nil || core.verdict == nil {
		t.Fatal(err, "no verdict")
	}
	run.verdict = *core.verdict
	return run
}

// The guard's two promises, by the tail of the latencies: what it must not do, on
// a service that drifts, bursts and stalls by itself, and what it must find. Shares
// are of the candidate's blocks. The full table is in DESIGN.md.
func TestSlowGuard_findsHarmAndLeavesTheRest(t *testing.T) {
	n := 12
	if testing.Short() || raceEnabled {
		n = 6
	}
	long := Timing{BaselineBlocks: 4} // 1 s + 5 s
	short := Timing{Washout: 250 * time.Millisecond, Measure: time.Second, BaselineBlocks: 16}
	for _, tail := range []struct {
		name string
		tail func(*rand.Rand) float64
		slow time.Duration // at most until all of a 3x regression is found at 50/s
	}{
		{"lognormal", lognormalTail(0.6), 2500 * time.Millisecond},
		{"pareto", paretoTail, 3 * time.Second},
		{"bimodal", bimodalTail, 2500 * time.Millisecond},
	} {
		blocks, aborts := 0, 0
		for _, w := range worlds {
			for _, c := range []struct {
				rate   float64
				timing Timing
				n      int
			}{{50, long, n}, {500, short, n / 6}} {
				for _, g := range slowTrials(t, c.n, c.timing, func(rng *rand.Rand) *requests {
					r := &requests{rate: c.rate, tail: tail.tail}
					w.set(rng, r)
					return r
				}) {
					blocks += g.blocks
					if g.verdict.Reason == GuardTripped {
						aborts++
						t.Logf("%s, %s: %s", tail.name, w.name, g.verdict.Detail)
					}
				}
			}
		}
		t.Logf("%s: %d false aborts in %d blocks (at most %.2f%% with 99%% confidence)", tail.name, aborts, blocks, 100*upperBound(aborts, blocks))
		require.LessOrEqual(t, lowerBound(aborts, blocks), 0.001, "%s: false aborts", tail.name)

		for _, c := range []struct {
			rate   float64
			timing Timing
			within time.Duration
		}{{50, long, tail.slow}, {500, long, 1500 * time.Millisecond}, {500, short, 750 * time.Millisecond}} {
			for _, g := range slowTrials(t, max(n/6, 3), c.timing, func(*rand.Rand) *requests {
				return &requests{rate: c.rate, tail: tail.tail, effect: times(3)}
			}) {
				require.Equal(t, GuardTripped, g.verdict.Reason, "%s, %v/s: %s", tail.name, c.rate, g.verdict.Detail)
				require.Equal(t, 1, g.blocks, "%s, %v/s: in the first block", tail.name, c.rate)
				washout := max(c.timing.Washout, 0)
				if washout == 0 {
					washout = time.Second
				}
				require.LessOrEqual(t, g.inForce-washout, c.within, "%s, %v/s: %s", tail.name, c.rate, g.verdict.Detail)
			}
		}
	}
}

// worlds are services on which nothing is the candidate's doing.
var worlds = []struct {
	name string
	set  func(*rand.Rand, *requests)
}{
	{"still", func(*rand.Rand, *requests) {}},
	{"drift", func(rng *rand.Rand, r *requests) { r.level = wander(rng, 0.5, 5*time.Minute) }},
	{"fast drift", func(rng *rand.Rand, r *requests) { r.level = wander(rng, 0.2, 30*time.Second) }},
	{"bursts", func(rng *rand.Rand, r *requests) { r.level = wander(rng, 0.2, 500*time.Millisecond) }},
	{"ramp", func(_ *rand.Rand, r *requests) {
		r.level = func(age time.Duration) float64 { return age.Minutes() / 10 }
	}},
	{"step of 20 %", func(rng *rand.Rand, r *requests) {
		at := time.Duration(40+60*rng.Float64()) * time.Second
		r.level = func(age time.Duration) float64 {
			if age < at {
				return 0
			}
			return math.Log(1.2)
		}
	}},
	{"stalls", func(rng *rand.Rand, r *requests) { // of half a second, once a minute
		const every, lasts = time.Minute, 500 * time.Millisecond
		off := time.Duration(rng.Float64() * float64(every))
		r.stall = func(age time.Duration) (from, to time.Duration) {
			from = (age+every-off)/every*every - every + off
			if from+lasts < age {
				from += every
			}
			return from, from + lasts
		}
	}},
}

func times(factor float64) func(time.Duration) (float64, float64) {
	return func(time.Duration) (float64, float64) { return math.Log(factor), 0 }
}

// one runs a single trial at 500/s, with long blocks.
func one(t *testing.T, timing Timing, effect func(since time.Duration) (latency, fail float64)) slowRun {
	timing.BaselineBlocks = 4
	return slowTrial(t, 1, timing, func(*rand.Rand) *requests {
		return &requests{rate: 500, tail: lognormalTail(0.6), effect: effect}
	})
}

// A service whose own bursts last as long as the guard takes. What the safe setting
// does in them is learned before the first trial already: without that 22 of these
// first trials are false aborts, and with it 12. It goes on with the next trials,
// and the limits stay those of the bursts: what is worse than any trips at once.
func TestSlowGuard_learnsOfBursts(t *testing.T) {
	const n = 24
	aborts := 0
	for _, g := range slowTrials(t, n, Timing{Washout: time.Second, Measure: 5 * time.Second}, func(rng *rand.Rand) *requests {
		off := time.Duration(rng.Float64() * float64(17*time.Second))
		return &requests{rate: 100, tail: lognormalTail(0.6), level: func(age time.Duration) float64 {
			if (age+off)%(17*time.Second) < 3*time.Second {
				return math.Log(4)
			}
			return 0
		}}
	}) {
		if g.verdict.Reason == GuardTripped {
			aborts++
			t.Log(g.verdict.Detail)
		}
	}
	require.LessOrEqual(t, aborts, 16)

	g := slowTrial(t, 1, Timing{Washout: time.Second, Measure: 5 * time.Second}, func(*rand.Rand) *requests {
		return &requests{rate: 100, tail: lognormalTail(0.6), effect: times(1e3), level: func(age time.Duration) float64 {
			if age%(17*time.Second) < 3*time.Second {
				return math.Log(4)
			}
			return 0
		}}
	})
	require.Equal(t, GuardTripped, g.verdict.Reason, "worse than any burst: "+g.verdict.Detail)
	require.Equal(t, 1, g.blocks)
}

func TestSlowGuard_saysWhatItSaw(t *testing.T) {
	g := one(t, Timing{}, times(4))
	require.Equal(t, "575 of 756 requests slower than 26.5 ms in the last 1.5 s: e-value 3519 reached 1000", g.verdict.Detail)
	g = one(t, Timing{}, func(time.Duration) (float64, float64) { return 0, 0.6 })
	require.Contains(t, g.verdict.Detail, "failed or slower than")
}

// A request that is in flight and late is one bet, not one more in every tick.
func TestSlowGuard_countsARequestOnce(t *testing.T) {
	g := one(t, Timing{}, times(1e6)) // no request ever ends
	require.Equal(t, GuardTripped, g.verdict.Reason)
	var slow, all, limit int
	_, err := fmt.Sscanf(g.verdict.Detail, "%d of %d requests slower than %d", &slow, &all, &limit)
	require.NoError(t, err)
	require.Equal(t, slow, all)
	started := 500 * 1.5
	require.InDelta(t, started, all, 5*math.Sqrt(started))
	// And one that ends late was counted while it was late.
	g = one(t, Timing{}, func(time.Duration) (float64, float64) { return math.Log(20), 0 })
	_, err = fmt.Sscanf(g.verdict.Detail, "%d of %d requests slower than %d", &slow, &all, &limit)
	require.NoError(t, err)
	require.LessOrEqual(t, float64(all), started+5*math.Sqrt(started))
}

// The washout is for what is slow only at first. But it may last long, and
// nothing may work in it.
func TestSlowGuard_washout(t *testing.T) {
	timing := Timing{Washout: 10 * time.Second, Measure: 5 * time.Second, Tick: 250 * time.Millisecond}
	settles := func(factor float64) slowRun {
		return one(t, timing, func(since time.Duration) (float64, float64) {
			if since < 8*time.Second {
				return math.Log(factor), 0
			}
			return 0, 0
		})
	}
	g := settles(4)
	require.NotEqual(t, GuardTripped, g.verdict.Reason, g.verdict.Detail)
	g = settles(100)
	require.Equal(t, GuardTripped, g.verdict.Reason)
	require.Equal(t, 1, g.blocks)
	require.LessOrEqual(t, g.inForce, 3*time.Second)
}

func TestSlowGuard_off(t *testing.T) {
	g := one(t, Timing{}, times(4))
	require.Equal(t, GuardTripped, g.verdict.Reason)
	cfg := slowConfig(1, Timing{BaselineBlocks: 4})
	cfg.SlowGuard = -1
	g = slowTrialOf(t, cfg, func(*rand.Rand) *requests {
		return &requests{rate: 500, tail: lognormalTail(0.6), effect: times(4)}
	})
	require.Equal(t, Worse, g.verdict.Reason, g.verdict.Detail)
}

// slowRunOf runs to the end of ten minutes, by default on a policy that never
// gives up.
func slowRunOf(t *testing.T, seed uint64, r *requests, change func(*Config, *Loop)) (*Trace, Config, State) {
	r.rng, r.set, r.rate, r.tail = rand.New(rand.NewPCG(3, 6)), SettingOf(requestInitial), 200, lognormalTail(0.6)
	cfg := slowConfig(seed, Timing{BaselineBlocks: 4})
	cfg.Policy = always{}
	cfg.Budget.Until = epochZero.Add(10 * time.Minute)
	var trace Trace
	loop := Loop{Record: &trace, Inputs: true}
	if change != nil {
		change(&cfg, &loop)
	}
	c, err := New(cfg)
	require.NoError(t, err)
	require.NoError(t, Run(context.Background(), r, c, loop))
	return &trace, cfg, c.State()
}

// A candidate that is slow twice is quarantined. One in whose block the world got
// slow, and stayed so, is not to blame: the noise is measured anew.
func TestSlowGuard_controlTellsWhoIsToBlame(t *testing.T) {
	trace, _, state := slowRunOf(t, 2, &requests{effect: times(4)}, nil)
	require.Len(t, trace.Verdicts(), 2)
	require.Contains(t, state.Memory["x"].Quarantined, "2 times in a row")

	r := &requests{}
	slow := false
	r.level = func(time.Duration) float64 {
		if slow = slow || r.set.On("x"); slow {
			return math.Log(4)
		}
		return 0
	}
	trace, _, state = slowRunOf(t, 2, r, nil)
	verdicts := trace.Verdicts()
	require.Equal(t, Aborted, verdicts[0].Outcome)
	require.Zero(t, state.Memory["x"].Strikes)
	excused, measured := false, 0
	for _, rec := range trace.Records {
		excused = excused || strings.Contains(rec.Note, "no strike")
		if rec.Kind == RecordPhase && rec.Phase.Phase == Measuring {
			measured++
		}
	}
	require.True(t, excused)
	require.Equal(t, 2, measured)
	for _, v := range verdicts[1:] {
		require.NotEqual(t, Aborted, v.Outcome, "the limits are those of the world as it is now: %s", v.Detail)
	}
}

// What the guard knows comes from the inputs alone: fed again, through a journal,
// they give the same records.
func TestSlowGuard_replays(t *testing.T) {
	trace, cfg, _ := slowRunOf(t, 2, &requests{effect: times(4)}, nil)
	core, err := New(cfg)
	require.NoError(t, err)
	now := core.Start().Records
	var then []Record
	var last Setting
	for _, rec := range trace.Records {
		if rec.Kind != RecordInput {
			then = append(then, rec)
			continue
		}
		text, err := json.Marshal(rec.Input)
		require.NoError(t, err)
		var in Input
		require.NoError(t, json.Unmarshal(text, &in))
		if in.Same {
			in.Same, in.Current = false, last
		}
		last = in.Current
		now = append(now, core.Step(in).Records...)
	}
	a, err := json.Marshal(then)
	require.NoError(t, err)
	b, err := json.Marshal(now)
	require.NoError(t, err)
	require.Equal(t, string(a), string(b))
	require.Contains(t, string(a), "requests slower than")
}

// A limit from a handful of requests, or of a moment, means nothing: until the
// safe setting was seen for 5 s and 200 requests, the guard does not know it.
func TestSlowGuard_waitsUntilItKnowsTheSafeSetting(t *testing.T) {
	for _, c := range []struct {
		rate   float64
		blocks int
		trips  bool
	}{
		{30, 5, false},  // with a block of the trial 6 s, 180 requests
		{500, 3, false}, // 4 s, 2000 requests
		{30, 16, true},
		{500, 6, true},
	} {
		timing := Timing{Washout: 250 * time.Millisecond, Measure: time.Second, MinRequests: -1, BaselineBlocks: c.blocks}
		for seed := range uint64(4) {
			g := slowTrial(t, seed, timing, func(*rand.Rand) *requests {
				return &requests{rate: c.rate, tail: lognormalTail(0.6), effect: times(50)}
			})
			first := g.verdict.Reason == GuardTripped && g.blocks == 1
			require.Equal(t, c.trips, first, "%v/s, %d blocks of the safe setting: %s", c.rate, c.blocks, g.verdict.Detail)
		}
	}
}

// Services on which the limits themselves are in doubt.
func TestSlowGuard_oddServices(t *testing.T) {
	hits := func(share float64) func(*rand.Rand) float64 { // a cache: one in fifty of the time
		return func(rng *rand.Rand) float64 {
			y := math.Exp(0.2 * rng.NormFloat64())
			if rng.Float64() < share {
				return y / 50
			}
			return y
		}
	}
	for name, c := range map[string]struct {
		tail  func(*rand.Rand) float64
		fails float64 // of all requests, under either setting
	}{
		"a cache that answers about half":  {hits(0.52), 0},
		"a cache that answers most":        {hits(0.97), 0},
		"a third of all requests fails":    {lognormalTail(0.6), 0.35},
		"one in twenty fails":              {lognormalTail(0.6), 0.05},
		"every request takes as long":      {func(*rand.Rand) float64 { return 1 }, 0},
		"requests that outlast the blocks": {func(rng *rand.Rand) float64 { return 100 * math.Exp(0.6*rng.NormFloat64()) }, 0},
	} {
		for _, g := range slowTrials(t, 2, Timing{Washout: time.Second, Measure: 5 * time.Second, BaselineBlocks: 4}, func(*rand.Rand) *requests {
			return &requests{rate: 500, tail: c.tail, fails: c.fails}
		}) {
			require.NotEqual(t, GuardTripped, g.verdict.Reason, "%s: %s", name, g.verdict.Detail)
		}
	}
}

// While nothing is tried the world may change: the limits follow it.
func TestSlowGuard_learnsWhileNothingIsTried(t *testing.T) {
	getsSlow := func(age time.Duration) float64 {
		if age < 40*time.Second {
			return 0
		}
		return math.Log(4)
	}
	for seed := range uint64(6) { // the candidate goes first in some
		r := &requests{level: getsSlow}
		trace, _, _ := slowRunOf(t, seed, r, func(cfg *Config, loop *Loop) {
			asked := Ask(0)
			loop.Ask = func() Ask {
				was := asked
				if asked = Resume; r.now > 30*time.Second && r.now < 70*time.Second {
					asked = Pause
				}
				if asked == was {
					return 0
				}
				return asked
			}
		})
		for _, v := range trace.Verdicts() {
			require.NotEqual(t, GuardTripped, v.Reason, "paused: %s", v.Detail)
		}

		r = &requests{level: getsSlow}
		trace, _, _ = slowRunOf(t, seed, r, func(cfg *Config, _ *Loop) { cfg.Policy = &late{wait: 5} })
		require.NotEmpty(t, trace.Verdicts())
		for _, v := range trace.Verdicts() {
			require.NotEqual(t, GuardTripped, v.Reason, "idle: %s", v.Detail)
		}
	}
}

// late lets a few turns pass before it proposes.
type late struct {
	always
	wait int
}

func (l *late) Propose(v View) (Proposal, bool) {
	if l.wait > 0 {
		l.wait--
		return Proposal{}, false
	}
	return l.always.Propose(v)
}

// Where more than one request in a hundred fails, the p99 is no time to wait for.
func TestMeasure_washoutOfAServiceThatFails(t *testing.T) {
	g := slowTrial(t, 1, Timing{BaselineBlocks: 4}, func(*rand.Rand) *requests {
		return &requests{rate: 100, tail: lognormalTail(0.6), fails: 0.03}
	})
	require.Equal(t, time.Second, g.verdict.Washout)
}

// A service whose level doubles and halves within seconds looks, for as long as
// the guard takes, like a harmful candidate. The limits widen until the safe
// setting trips them no more, and harmless candidates do no more either. Without
// that one block in 27 is a false abort, and may be a strike.
func TestSlowGuard_learnsThatBurstsAreUsual(t *testing.T) {
	n := 8
	if testing.Short() || raceEnabled {
		n = 2
	}
	var names []string
	for i := range 24 {
		names = append(names, fmt.Sprintf("o%d", i))
	}
	space, offered, initial := switches(names...)
	blocks, aborts := make([]int, n), make([]int, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(uint64(i), 5))
			r := &requests{rng: rng, rate: 300, tail: lognormalTail(0.5), level: wander(rng, 0.4, 5*time.Second), set: SettingOf(initial)}
			cfg := slowConfig(uint64(i), Timing{Washout: 250 * time.Millisecond, Measure: 5 * time.Second})
			cfg.Space, cfg.Offered, cfg.Goals = space, offered, []Goal{{Metric: LatencyP50}}
			cfg.Budget, cfg.Alert = Budget{MaxPairs: 12, Until: epochZero.Add(time.Hour)}, Alert{Interval: -1}
			c, err := New(cfg)
			if err != nil {
				t.Error(err)
				return
			}
			var trace Trace
			if err := Run(t.Context(), r, c, Loop{Record: &trace}); err != nil {
				t.Error(err)
			}
			for _, v := range trace.Verdicts() {
				blocks[i] += v.Pairs
				if v.Reason == GuardTripped {
					aborts[i]++
				}
			}
		})
	}
	wg.Wait()
	all, wrong := 0, 0
	for i := range n {
		all, wrong = all+blocks[i], wrong+aborts[i]
	}
	t.Logf("%d candidate blocks, %d false aborts (%.2f%%): %v", all, wrong, 100*float64(wrong)/float64(all), aborts)
	require.LessOrEqual(t, float64(wrong)/float64(all), 0.015)
}
