package controller_test

import (
	"context"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	. "autotune/controller" //nolint:revive // the tests of a vocabulary read better with it
)

// cleaner is a service that a cleanup at an interval makes cheaper for a while.
// The interval is a knob of its own, which the owner moves to later at a time.
type cleaner struct {
	now, on time.Time // on: when it was switched on
	set     Setting
	rng     *rand.Rand
	later   float64
	at      time.Time
}

func (*cleaner) Space() Space {
	return Space{Knobs: []Knob{
		{Name: "clean", Kind: Switch, PeriodOf: "interval", Defers: true},
		{Name: "interval", Kind: Duration, Min: 1, Max: 3600, Scale: Log, Period: 5 * time.Minute, Needs: "clean"},
	}}
}

func (c *cleaner) Current(context.Context) (Setting, error) {
	if c.later > 0 && !c.now.Before(c.at) {
		c.set, c.later = c.set.With(map[string]float64{"interval": c.later}), 0
	}
	return c.set, nil
}

func (c *cleaner) Apply(_ context.Context, s Setting) error {
	if s.On("clean") && !c.set.On("clean") {
		c.on = c.now
	}
	c.set = s
	return nil
}

func (c *cleaner) Observe(_ context.Context, _ uint64, d time.Duration) (Sample, error) {
	c.now = c.now.Add(d)
	cost := d.Seconds() * math.Exp(0.03*c.rng.NormFloat64())
	interval, _ := c.set.Get("interval")
	if c.set.On("clean") && c.now.Sub(c.on).Seconds() >= interval { // the last cleanup helps until the next
		cost *= 0.6
	}
	return Sample{At: c.now, Over: d, Totals: map[Metric]float64{Requests: 400 * d.Seconds(), CPUSeconds: cost}}, nil
}

// whileOff proposes one switch on, and off.
type whileOff struct{}

func (whileOff) Learn(Trial) {}
func (whileOff) Propose(v View) (Proposal, bool) {
	p := Proposal{Optimization: "clean", Move: MoveOn, Change: map[string]float64{"clean": 1}, Why: "cleaning helps"}
	if v.Safe.On("clean") {
		p.Move, p.Change = MoveOff, map[string]float64{"clean": 0}
	}
	return p, v.Blocked[p.BlockKey()] == ""
}

func (c *cleaner) run(t *testing.T, initial map[string]float64, d time.Duration) (*Controller, *Trace) {
	t.Helper()
	c.now, c.set, c.rng = epochZero, SettingOf(initial), rand.New(rand.NewPCG(3, 5))
	core, err := New(Config{
		Space: c.Space(), Policy: whileOff{}, Goals: []Goal{{Metric: CPUPerRequest}}, Seed: 5,
		Offered: []Optimization{{Name: "clean", Why: "cleaning helps", Switch: "clean", Knobs: []string{"interval"}, Equivalence: Exact}},
		Timing:  Timing{Washout: time.Second, Measure: 5 * time.Second, Tick: time.Second},
		Budget:  Budget{Until: epochZero.Add(d)}, Alert: Alert{Interval: -1},
	})
	require.NoError(t, err)
	trace := &Trace{}
	require.NoError(t, Run(context.Background(), c, core, Loop{Record: trace}))
	return core, trace
}

func notes(trace *Trace) string {
	var all []string
	for _, r := range trace.Records {
		if r.Kind == RecordNote {
			all = append(all, r.Note)
		}
	}
	return strings.Join(all, "\n")
}

// A switch whose only effect comes at an interval gets blocks with two of them, in
// which the effect shows, instead of short ones that would call it useless.
func TestPeriod_blocksLongEnoughForTheInterval(t *testing.T) {
	for interval, pair := range map[float64]time.Duration{
		1:  2 * (1 + 20 + 10) * time.Second, // that of any knob that puts work off
		10: 2 * (1 + 20 + 10) * time.Second,
		30: 2 * (1 + 60 + 10) * time.Second,
	} {
		_, trace := (&cleaner{}).run(t, map[string]float64{"clean": 0, "interval": interval}, 2*time.Hour)
		first := trace.Verdicts()[0]
		require.Equal(t, Kept, first.Outcome, "every %v s: %s", interval, first.Detail)
		require.InDelta(t, float64(pair), float64(first.Ended.Sub(first.Started))/float64(first.Pairs), float64(3*time.Second), "every %v s", interval)
		require.NotContains(t, notes(trace), "never tried")
	}
}

// One that acts more rarely is not tried, either way, and that is said once, with
// what to do; until its owner does that.
func TestPeriod_tooRareIsAdvised(t *testing.T) {
	const why = "clean acts every 5m0s (interval), and a block of it may last 1m0s: set interval to 30s or less to have it tried, or judge it yourself"
	core, trace := (&cleaner{}).run(t, map[string]float64{"clean": 0, "interval": 300}, time.Hour)
	require.Empty(t, trace.Verdicts())
	require.Equal(t, 1, strings.Count(notes(trace), "advised, never tried: clean (cleaning helps): "+why))
	require.Equal(t, why, core.Status().Blocked["clean"])

	_, trace = (&cleaner{}).run(t, map[string]float64{"clean": 1, "interval": 300}, time.Hour)
	require.Empty(t, trace.Verdicts())
	require.Equal(t, 1, strings.Count(notes(trace), "advised, never tried: clean off (cleaning helps): "+why))

	_, trace = (&cleaner{later: 10, at: epochZero.Add(time.Hour)}).run(t, map[string]float64{"clean": 0, "interval": 300}, 3*time.Hour)
	require.NotEmpty(t, trace.Verdicts(), "the owner has shortened it")
	require.Equal(t, Kept, trace.Verdicts()[0].Outcome)
	require.True(t, trace.Verdicts()[0].Started.After(epochZero.Add(time.Hour)))
}

func TestSpace_periodOf(t *testing.T) {
	s := Space{Knobs: []Knob{{Name: "a", Kind: Switch, PeriodOf: "b"}, {Name: "b", Kind: Int, Max: 1}}}
	require.EqualError(t, s.Check(), `knob a: period_of "b": must name a duration of the same space`)
}
