package controller_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	. "autotune/controller" //nolint:revive // the tests of a vocabulary read better with it
)

// If the time suffices for what is reserved, every optimization that is offered
// has a trial before it is over, however long the others take and settle; and
// no block outlasts it.
func TestBudget_everyOfferedOptimizationIsTried(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 6).Draw(t, "offered")
		reserved := rapid.IntRange(8, 12).Draw(t, "reserved") // 8 can decide, with wealth for six trials
		names := make([]string, n)
		for i := range names {
			names[i] = fmt.Sprintf("o%d", i)
		}
		space, offered, initial := switches(names...)
		measuring := 26 * time.Second
		needed := time.Duration(0)
		for i := range space.Knobs {
			settle := time.Duration(rapid.IntRange(0, 30).Draw(t, "settle")) * time.Second
			space.Knobs[i].Settle = settle
			// A restore after each trial takes a tick of a second.
			needed += time.Duration(reserved)*2*(max(settle, fast.Washout)+fast.Measure) + 2*time.Second
		}
		until := epochZero.Add(measuring + needed + time.Duration(rapid.IntRange(0, 300).Draw(t, "more"))*time.Second)
		p := newPlant(rapid.Uint64().Draw(t, "seed"), space, initial)
		c, err := New(Config{
			Space: space, Offered: offered, Goals: []Goal{{Metric: "cost"}}, Policy: &eachOnce{}, Timing: fast,
			Budget: Budget{Until: until, ReservedPairs: reserved},
		})
		require.NoError(t, err)
		var trace Trace
		require.NoError(t, Run(context.Background(), p, c, Loop{Record: &trace}))
		tried := map[string]int{}
		for _, v := range trace.Verdicts() {
			tried[v.Optimization]++
			if v.Pairs < 1 || v.Pairs > v.Cap {
				t.Fatalf("%s: %d pairs of %d, %v", v.Optimization, v.Pairs, v.Cap, v.Detail)
			}
		}
		if len(tried) != n {
			t.Fatalf("tried %v of %d", tried, n)
		}
		if p.now.After(until.Add(fast.Tick)) {
			t.Fatalf("ended %v too late", p.now.Sub(until))
		}
	})
}

// A policy that goes on tuning what was tried does not use up what is reserved.
func TestBudget_whatWasTriedDoesNotStarveTheRest(t *testing.T) {
	space := Space{Knobs: []Knob{{Name: "size", Kind: Int, Min: 1, Max: 1000}, {Name: "last", Kind: Switch}}}
	p := newPlant(1, space, map[string]float64{"size": 10, "last": 0})
	c, err := New(Config{
		Space: space, Goals: []Goal{{Metric: "cost"}}, Policy: &eager{}, Timing: fast,
		Offered: []Optimization{
			{Name: "size", Why: "test", Knobs: []string{"size"}, Equivalence: Exact},
			{Name: "last", Why: "test", Switch: "last", Equivalence: Exact},
		},
		Budget: Budget{Until: epochZero.Add(200 * time.Second), ReservedPairs: 10},
	})
	require.NoError(t, err)
	var trace Trace
	require.NoError(t, Run(context.Background(), p, c, Loop{Record: &trace}))
	var last Trial
	for _, v := range trace.Verdicts() {
		if v.Optimization == "last" {
			last = v
		}
	}
	require.GreaterOrEqual(t, last.Cap, 9, "of the 10 reserved, one may go to the restore in between")
}

// eager tunes a number for as long as it may, and then turns to the switch.
type eager struct{ tried int }

func (e *eager) Learn(Trial) { e.tried++ }

func (e *eager) Propose(v View) (Proposal, bool) {
	size := Proposal{Optimization: "size", Move: "size", Change: map[string]float64{"size": float64(20 + e.tried)}, Why: "eager"}
	if v.Blocked[size.BlockKey()] == "" {
		return size, true
	}
	return Proposal{Optimization: "last", Move: MoveOn, Change: map[string]float64{"last": 1}, Why: "last"}, v.Blocked["last"] == ""
}

// deaf proposes the same for ever, whatever is blocked.
type deaf struct{}

func (deaf) Learn(Trial) {}

func (deaf) Propose(View) (Proposal, bool) {
	return Proposal{Optimization: "s", Move: MoveOn, Change: map[string]float64{"s": 1}, Why: "deaf"}, true
}

// A refusal is said once: a session with a policy that does not listen must not
// fill the journal.
func TestPropose_refusesADeafPolicyOnce(t *testing.T) {
	space, offered, initial := switches("s")
	p := newPlant(1, space, initial)
	c, err := New(Config{
		Space: space, Goals: []Goal{{Metric: "cost"}}, Policy: deaf{}, Timing: fast, Offered: offered, Budget: Budget{Until: epochZero.Add(time.Hour)},
	})
	require.NoError(t, err)
	var trace Trace
	require.NoError(t, Run(context.Background(), p, c, Loop{Record: &trace}))
	var refusals []string
	for _, r := range trace.Records {
		if strings.Contains(r.Note, "refused what the policy proposed") {
			refusals = append(refusals, r.Note)
		}
	}
	require.Len(t, refusals, 1, "it was tried, and is cooling down")
}
