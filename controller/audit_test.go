package controller_test

import (
	"context"
	"math"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	. "autotune/controller" //nolint:revive // the tests of a vocabulary read better with it
)

// nothing is a policy that proposes nothing and remembers what it learned.
type nothing struct{ learned []Trial }

func (n *nothing) Learn(t Trial)                 { n.learned = append(n.learned, t) }
func (n *nothing) Propose(View) (Proposal, bool) { return Proposal{}, false }

// measured is a moment after the noise is known, in runs with fast blocks.
var measured = epochZero.Add(27 * time.Second)

const fastLength = 1100 * time.Millisecond // of a block

// keptAlready is the state of an earlier run that turned x on for a goal, with
// its first audit still to come.
func keptAlready(goal Metric) *State {
	off := SettingOf(map[string]float64{"x": 0})
	return &State{
		Version: StateVersion, Initial: off, Safe: off.With(map[string]float64{"x": 1}), Wealth: 0.25, NextTrial: 2, Proven: true,
		Keeps: []Keep{{
			Trial: 1, Optimization: "x", Move: MoveOn, Key: "x", Was: map[string]float64{"x": 0}, Is: map[string]float64{"x": 1},
			For: goal, Since: measured, Due: measured.Add(4 * fastLength),
		}},
	}
}

// course is what became of one kept change in so many audits.
type course struct {
	audits, pairs int
	back          bool // rolled back, by the last audit
	length        time.Duration
}

// audits lets a kept switch be audited n times. Its harm, in log units, begins
// after so many audits.
func audits(t testing.TB, seed uint64, n int, pairNoise, harm float64, after int) course {
	space, offered, initial := switches("x")
	g := &gauges{
		now: epochZero, set: SettingOf(initial), space: space, goals: []Goal{{Metric: "first"}}, effect: []float64{0},
		next: []func() float64{pairSD(pairNoise)(rand.New(rand.NewPCG(seed, 9)))}, sample: Sample{Gauges: map[Metric]float64{}},
	}
	if after == 0 {
		g.effect[0] = harm
	}
	c, err := New(Config{
		Space: space, Offered: offered, Goals: g.goals, Policy: &nothing{}, Seed: seed, Timing: fast,
		State: keptAlready("first"), Alert: Alert{Interval: -1},
	})
	if err != nil {
		t.Fatal(err)
	}
	var out course
	ask := Ask(0)
	err = Run(context.Background(), g, c, Loop{Ask: func() Ask { return ask }, Stepped: func(_ Input, cmd Command) {
		for _, r := range cmd.Records {
			if r.Kind != RecordVerdict || r.Trial.Audit == 0 || ask != 0 {
				continue
			}
			out.audits++
			out.pairs += r.Trial.Pairs
			out.length = r.At.Sub(measured)
			if out.audits == after {
				g.effect[0] = harm
			}
			if out.back = r.Trial.Outcome == Kept; out.back || out.audits == n {
				ask = Stop
			}
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func courses(t testing.TB, runs, n int, pairNoise, harm float64, after int) []course {
	out := make([]course, runs)
	var wg sync.WaitGroup
	workers := runtime.GOMAXPROCS(0)
	for w := range workers {
		wg.Go(func() {
			for i := w; i < runs; i += workers {
				out[i] = audits(t, uint64(5000+i), n, pairNoise, harm, after)
			}
		})
	}
	wg.Wait()
	return out
}

// What audits promise, through the whole controller, at pair noise 0.15: a
// change without effect is rolled back in at most 1 % of audits, with old values
// in force in about 1.5 % of blocks; a harm of 10 % is found in 95 % by the eight
// audits of the ladder's first 512 block lengths; a change that was good for four
// audits and then is worse by 10 % in 99 % by the twentieth. With 99 % confidence.
func TestAudit_ratesAreThosePromised(t *testing.T) {
	runs := 1500
	if testing.Short() || raceEnabled {
		runs = 60
	}
	sum := func(all []course) (back, audits, pairs int, length time.Duration) {
		for _, c := range all {
			if c.back {
				back++
			}
			audits += c.audits
			pairs += c.pairs
			length += c.length
		}
		return back, audits, pairs, length
	}
	report := func(what string, all []course) (back, audits int) {
		back, audits, pairs, length := sum(all)
		t.Logf("%-34s %5d runs: rolled back %5.1f%%, %.2f%% of audits, %.1f pairs an audit, old in %.2f%% of blocks", what, len(all),
			100*float64(back)/float64(len(all)), 100*float64(back)/float64(audits), float64(pairs)/float64(audits),
			100*float64(pairs)*float64(fastLength)/float64(length))
		return back, audits
	}
	flat := courses(t, runs, 20, 0.15, 0, 0)
	back, n := report("no effect, 20 audits", flat)
	require.LessOrEqual(t, lowerBound(back, n), 0.01, "false rollbacks")
	_, _, pairs, length := sum(flat)
	require.Less(t, float64(pairs)*float64(fastLength)/float64(length), 0.02, "exposure")

	harm := courses(t, runs, 8, 0.15, math.Log(1.1), 0)
	back, _ = report("+10 % from the start, 8 audits", harm)
	require.GreaterOrEqual(t, upperBound(back, len(harm)), 0.95, "found")

	turned := courses(t, runs, 20, 0.15, math.Log(1.1), 4)
	back, _ = report("+10 % after 4 audits, 20 audits", turned)
	require.GreaterOrEqual(t, upperBound(back, len(turned)), 0.99, "found")

	if runs > 1000 {
		back, n, _, _ = sum(flat)
		require.LessOrEqual(t, upperBound(back, n), 0.01, "false rollbacks")
		back, _, _, _ = sum(harm)
		require.GreaterOrEqual(t, lowerBound(back, len(harm)), 0.95)
		back, _, _, _ = sum(turned)
		require.GreaterOrEqual(t, lowerBound(back, len(turned)), 0.99)
	}
}

// Audits at 4, 8, 16 ... 512 block lengths after the keep, and every 512 then.
func TestAudit_ladder(t *testing.T) {
	space, offered, initial := switches("x")
	p := newPlant(3, space, initial)
	p.effect = on("x", -0.3)
	learned := &nothing{}
	state := keptAlready("cost")
	c, err := New(Config{
		Space: space, Offered: offered, Goals: []Goal{{Metric: "cost"}}, Policy: learned, Timing: fast,
		State: state, Alert: Alert{Interval: -1}, Budget: Budget{Until: epochZero.Add(1700 * fastLength)},
	})
	require.NoError(t, err)
	var trace Trace
	require.NoError(t, Run(context.Background(), p, c, Loop{Record: &trace}))
	var at []float64
	for _, a := range trace.Audits() {
		require.Equal(t, 1, a.Audit)
		require.Equal(t, Holds, a.Reason, a.Detail)
		require.Equal(t, 2, a.Pairs)
		at = append(at, math.Floor(float64(a.Started.Sub(measured))/float64(fastLength)))
	}
	// The first two last as long as they are apart, and there is a rest in between.
	require.InDeltaSlice(t, []float64{4, 8 + 5, 16 + 6, 32, 64, 128, 256, 512, 1024, 1536}, at, 3)
	require.True(t, p.set.On("x"))
	require.Empty(t, learned.learned, "what changed nothing teaches nothing")
	final := c.State()
	require.InDelta(t, 0.25, final.Wealth, 1e-12, "audits pay nothing")
	require.Empty(t, final.Memory)
	require.Len(t, final.Keeps, 1)
	require.Equal(t, 10, final.Keeps[0].Audits)
	require.Equal(t, []AuditStatus{{
		Trial: 1, Optimization: "x", Move: MoveOn, Done: 10, Evidence: final.Keeps[0].Evidence, Due: final.Keeps[0].Due,
	}}, c.Status().Audits)
	require.Empty(t, c.Status().Ended)
}
