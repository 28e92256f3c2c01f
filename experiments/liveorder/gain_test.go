package liveorder

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"autotune/catalog"
	"autotune/controller"
	"autotune/experiments/live"
)

// compared is a check whose three goals all changed by so much.
func compared(change float64) []controller.Compared {
	verdict := "unclear"
	switch {
	case change < -0.05:
		verdict = "better"
	case change > 0.05:
		verdict = "worse"
	}
	var out []controller.Compared
	for _, m := range []controller.Metric{controller.LatencyP95, controller.LatencyMean, controller.CPUPerRequest} {
		out = append(out, controller.Compared{Metric: m, Effect: change, Low: change - 0.05, High: change + 0.05, Pairs: 20, Verdict: verdict})
	}
	return out
}

func setting(name string, change float64, switches ...string) Session {
	values := map[string]float64{catalog.CacheSize: 1} // a number that is 1 is no switch
	for _, s := range switches {
		values[s] = 1
	}
	return Session{Plan: Plan{Workload: Everyday, Setting: name, Values: values, Pairs: 20}, Check: compared(change)}
}

func session(a Arm, seed uint64, moves ...Move) Session {
	return Session{
		Plan: Plan{Workload: Everyday, Arm: a, Seconds: 240, Seed: seed}, Moves: append([]Move{{0, []string{}}}, moves...),
		Check: compared(-0.5), AtInitial: len(moves) == 0,
	}
}

func TestGain_isOfAllGoalsTogether(t *testing.T) {
	assert.InDelta(t, math.Log(2), gainOf(compared(-0.5)), 1e-12)
	assert.Negative(t, gainOf(compared(0.2)))
	assert.Zero(t, gainOf(nil))
}

// The bar is the smallest setting that has nine tenths of the largest gain, and there
// is none where nothing is shown to gain.
func TestBar_isTheSmallestThatHasEnough(t *testing.T) {
	cache := setting("cache", -0.49, catalog.EnableCache)
	all := setting("everything", -0.5, catalog.EnableCache, catalog.EnableObjectPool, catalog.EnableStep)
	little := setting("pool", -0.2, catalog.EnableObjectPool)
	b := barOf([]Session{little, all, cache, session(Guide, 1)})
	require.True(t, b.worth())
	assert.Equal(t, "everything", b.best.Plan.Setting)
	assert.Equal(t, []string{catalog.EnableCache}, b.least.Plan.switches())

	assert.False(t, barOf(nil).worth())
	assert.False(t, barOf([]Session{setting("cache", -0.04, catalog.EnableCache)}).worth(), "not shown")
	assert.False(t, barOf([]Session{setting("cache", 0.3, catalog.EnableCache)}).worth())
	mixed := setting("cache", -0.5, catalog.EnableCache)
	mixed.Check[0].Verdict = "worse"
	assert.False(t, barOf([]Session{mixed}).worth(), "one goal pays for it")
}

// A session has the gain from when on it has it for good.
func TestReached_isForGood(t *testing.T) {
	with, without := []string{catalog.EnableCache, catalog.EnableStep}, []string{catalog.EnableStep}
	for name, c := range map[string]struct {
		moves   []Move
		seconds float64
		ok      bool
		gains   int
	}{
		"never":             {nil, 240, false, 0},
		"of something else": {[]Move{{30, without}}, 240, false, 1},
		"once":              {[]Move{{30, without}, {60, with}}, 60, true, 2},
		"given back":        {[]Move{{30, with}, {60, without}}, 240, false, 1},
		"again":             {[]Move{{30, with}, {60, without}, {90, with}}, 90, true, 2},
		"after the end":     {[]Move{{241, with}}, 240, true, 1},
	} {
		s := session(Guide, 1, c.moves...)
		at, ok := s.reached([]string{catalog.EnableCache})
		assert.Equal(t, c.seconds, at, name)
		assert.Equal(t, c.ok, ok, name)
		assert.Equal(t, c.gains, s.gains(), name)
	}
}

// The report says who is sooner, by seed, and times nothing where there is nothing.
func TestDocument_tellsWhoIsSooner(t *testing.T) {
	cache := []string{catalog.EnableCache}
	sessions := []Session{setting("cache", -0.5, catalog.EnableCache), setting("pool", 0, catalog.EnableObjectPool)}
	for seed := range uint64(20) {
		sessions = append(sessions, session(Guide, seed, Move{50 + float64(seed), cache}), session(Chance, seed, Move{150 + float64(seed), cache}), session(Window, seed))
	}
	value := map[string]float64{}
	d := Document(sessions, live.Machine{})
	for _, r := range d.Rows {
		value[r.Contender+": "+r.Measure] = r.Value
		assert.LessOrEqual(t, r.Low, r.Value)
		assert.GreaterOrEqual(t, r.High, r.Value)
		assert.Equal(t, 20, r.N)
	}
	assert.InDelta(t, 59.5, value["guide: "+timeToGain], 1e-9)
	assert.InDelta(t, 159.5, value["random order: "+timeToGain], 1e-9)
	assert.InDelta(t, 240, value["window before/after: "+timeToGain], 1e-9)
	assert.InDelta(t, 100, value["random order: "+sooner], 1e-9)
	assert.InDelta(t, 0, value["window before/after: "+hasGain], 1e-9)
	assert.InDelta(t, 1, value["window before/after: "+atInitial], 1e-9)
	assert.NotContains(t, value, "guide: "+sooner)
	assert.InDelta(t, -50, value["guide: "+endGain], 1e-9)

	sessions[0] = setting("cache", 0, catalog.EnableCache)
	for _, r := range Document(sessions, live.Machine{}).Rows {
		assert.NotContains(t, []string{timeToGain, hasGain, sooner}, r.Measure)
	}
}
