package controller_test

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	. "autotune/controller" //nolint:revive // the tests of a vocabulary read better with it
)

// ticks is a target whose gauge "cost" follows a function of its age, with
// arrivals at a rate of its own.
type ticks struct {
	now  time.Time
	set  Setting
	rng  *rand.Rand
	rate func(age float64) float64
	log  func(age float64, rng *rand.Rand) float64
	load float64 // power by which cost follows arrivals
	x    float64 // effect of the switch
	p99  float64 // seconds; 0: not measured
}

func (p *ticks) Space() Space                             { return Space{Knobs: []Knob{{Name: "x", Kind: Switch}}} }
func (p *ticks) Current(context.Context) (Setting, error) { return p.set, nil }
func (p *ticks) Apply(_ context.Context, s Setting) error { p.set = s; return nil }

func (p *ticks) Observe(_ context.Context, _ uint64, d time.Duration) (Sample, error) {
	p.now = p.now.Add(d)
	age := p.now.Sub(epochZero).Seconds()
	rate := p.rate(age)
	y := p.log(age, p.rng) + p.load*math.Log(rate)
	if p.set.On("x") {
		y += p.x
	}
	gauges := map[Metric]float64{"cost": math.Exp(y)}
	if p.p99 > 0 {
		gauges[LatencyP99] = p.p99
	}
	return Sample{At: p.now, Over: d, Totals: map[Metric]float64{Requests: rate * d.Seconds()}, Gauges: gauges}, nil
}

func steady(rate float64) func(float64) float64 { return func(float64) float64 { return rate } }

func white(sd float64) func(float64, *rand.Rand) float64 {
	return func(_ float64, rng *rand.Rand) float64 { return sd * rng.NormFloat64() }
}

// first runs a fresh controller on the target to its first verdict.
func (p *ticks) first(t testing.TB, cfg Config) (Trial, []string) {
	t.Helper()
	p.now, p.set, p.rng = epochZero, SettingOf(map[string]float64{"x": 0}), rand.New(rand.NewPCG(cfg.Seed, 5))
	cfg.Space, cfg.Policy, cfg.Goals = p.Space(), &eachOnce{}, []Goal{{Metric: "cost"}}
	cfg.Offered = []Optimization{{Name: "x", Why: "test", Switch: "x", Equivalence: Exact}}
	core, err := New(cfg)
	require.NoError(t, err)
	ended := &untilVerdict{Controller: core}
	var trace Trace
	require.NoError(t, Run(context.Background(), p, ended, Loop{Record: &trace}))
	var notes []string
	for _, r := range trace.Records {
		if r.Kind == RecordNote {
			notes = append(notes, r.Note)
		}
	}
	require.NotNil(t, ended.verdict)
	return *ended.verdict, notes
}

// The length of a block is chosen from the baseline, and the reason is recorded.
func TestMeasure_choosesTheBlockLength(t *testing.T) {
	for name, c := range map[string]struct {
		target ticks
		want   time.Duration
		why    string
	}{
		"drift: the shortest, longer ones let more of it in": {
			ticks{rate: steady(400), log: func(age float64, rng *rand.Rand) float64 {
				return 0.5*math.Sin(age/40) + 0.01*rng.NormFloat64()
			}}, 5 * time.Second, "longer ones would not decide much sooner",
		},
		"a wave of two blocks and their washouts: whole waves": {
			ticks{rate: steady(400), log: func(age float64, rng *rand.Rand) float64 {
				return 0.5*math.Sin(2*math.Pi*age/12) + 0.05*rng.NormFloat64()
			}}, 10 * time.Second, "decides much sooner",
		},
		"five requests a second: the time for 200": {
			ticks{rate: steady(5), log: white(0.05)}, 40 * time.Second, "200 requests take that long",
		},
	} {
		t.Run(name, func(t *testing.T) {
			v, notes := c.target.first(t, Config{Seed: 3, Budget: Budget{MaxPairs: 9}})
			require.Equal(t, c.want, v.Measure, "%v", notes)
			require.Equal(t, time.Second, v.Washout)
			require.Contains(t, notes[0], "block length "+c.want.String()+": "+c.why)
		})
	}
	p := ticks{rate: steady(400), log: white(0.2)}
	longer := 0
	for seed := range uint64(100) {
		if v, _ := p.first(t, Config{Seed: seed + 1, Budget: Budget{MaxPairs: 1}}); v.Measure > 5*time.Second {
			longer++
		}
	}
	require.LessOrEqual(t, longer, 10, "white noise: the shortest, but for chance")
	v, notes := p.first(t, Config{Seed: 3, Timing: Timing{Washout: time.Second, Measure: 7 * time.Second}, Budget: Budget{MaxPairs: 9}})
	require.Equal(t, 7*time.Second, v.Measure, "a length that was given is left as it is")
	require.NotContains(t, notes[0], "block length")
}

// A service so slow that its blocks must be nine times as long as those measured:
// its thresholds are not raised by the noise of short blocks, which is three
// times that of its own (0.35 of 0.253 is 0.089, of the own 0.084 it is 0.030).
func TestMeasure_noiseOfBlocksTooLongToMeasure(t *testing.T) {
	p := ticks{rate: steady(400), log: white(0.8), p99: 3}
	var least []float64
	for seed := range uint64(11) {
		v, notes := p.first(t, Config{Seed: seed + 1, Budget: Budget{MaxPairs: 1}})
		require.Equal(t, 45*time.Second, v.Measure, "%v", notes)
		least = append(least, v.Effects[0].MinEffect)
	}
	slices.Sort(least)
	require.Less(t, least[5], 0.05, "%v", least)
}

// Where arrivals are nobody's doing and cost follows them, an effect that would
// drown in the noise of load is seen, and nothing is seen where there is none.
func TestMeasure_takesLoadOut(t *testing.T) {
	bursts := func(seed uint64) func(float64) float64 {
		rng := rand.New(rand.NewPCG(seed, 9))
		return func(float64) float64 { return 400 * math.Exp(0.3*rng.NormFloat64()) }
	}
	n := 300
	if testing.Short() {
		n = 60
	}
	verdicts := func(openLoop bool, effect float64) []Trial {
		out := make([]Trial, n)
		for i := range out {
			p := ticks{rate: bursts(uint64(i)), log: white(0.03), load: 1, x: effect}
			v, _ := p.first(t, Config{Seed: uint64(1 + i), OpenLoop: openLoop, Timing: Timing{Washout: -1, Measure: 5 * time.Second, Tick: 5 * time.Second}})
			out[i] = v
		}
		return out
	}
	plain, adjusted := verdicts(false, -0.1), verdicts(true, -0.1)
	require.Greater(t, count(adjusted, kept), n*95/100, "with load taken out")
	require.Less(t, count(plain, kept), n*70/100, "without")
	require.InDelta(t, 1, adjusted[0].Effects[0].LoadSlope, 0.1)
	require.Zero(t, plain[0].Effects[0].LoadSlope)
	require.Less(t, medianPairs(adjusted), 12)

	nothing := verdicts(true, 0)
	require.LessOrEqual(t, lowerBound(count(nothing, kept), n), 0.025)
	require.LessOrEqual(t, lowerBound(count(nothing, worse), n), 0.025)
}

// Where cost does not follow load it is left alone, but for a fit by chance.
func TestMeasure_leavesAloneWhatLoadDoesNotMove(t *testing.T) {
	adjusted := 0
	for seed := range uint64(200) {
		rng := rand.New(rand.NewPCG(seed, 9))
		p := ticks{rate: func(float64) float64 { return 400 * math.Exp(0.3*rng.NormFloat64()) }, log: white(0.1)}
		v, _ := p.first(t, Config{Seed: seed + 1, OpenLoop: true, Budget: Budget{MaxPairs: 1}, Timing: Timing{Washout: -1, Measure: 5 * time.Second, Tick: 5 * time.Second}})
		if v.Effects[0].LoadSlope != 0 {
			adjusted++
		}
	}
	require.LessOrEqual(t, adjusted, 10)
}
