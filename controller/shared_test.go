package controller_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	. "autotune/controller" //nolint:revive // the tests of a vocabulary read better with it
)

// handed are trials that somebody was given, and what they were then.
type handed struct{ trials, then []Trial }

func hand(t []Trial) handed { return handed{t, slices.Clone(t)} }

// keepsViews tries what is not blocked, and keeps all that it was shown.
type keepsViews struct{ shown []handed }

func (k *keepsViews) Propose(v View) (Proposal, bool) {
	k.shown = append(k.shown, hand(v.Trials))
	for _, o := range v.Offered {
		if !v.Safe.On(o.Switch) && v.Blocked[o.Name] == "" {
			return Proposal{Optimization: o.Name, Move: MoveOn, Change: map[string]float64{o.Switch: 1}, Why: "it is off"}, true
		}
	}
	return Proposal{}, false
}

func (*keepsViews) Learn(Trial) {}

// The trials in views, states and records are shared with those that come after them.
// None changes afterwards, also where more are remembered than fit; and who appends to
// them, as to what is its own, writes over nobody's.
func TestTrials_sharedAndNeverWrittenAgain(t *testing.T) {
	var names []string
	for i := range 100 {
		names = append(names, fmt.Sprintf("s%02d", i))
	}
	space, offered, initial := switches(names...)
	policy := &keepsViews{}
	c, err := New(Config{
		Space: space, Offered: offered, Goals: []Goal{{Metric: "cost"}}, Policy: policy, Timing: fast,
		Budget: Budget{MaxPairs: 2, Until: epochZero.Add(25 * time.Minute)},
	})
	require.NoError(t, err)
	var all []handed
	trace := &Trace{}
	require.NoError(t, Run(t.Context(), newPlant(1, space, initial), c, Loop{Record: trace, Stepped: func(_ Input, cmd Command) {
		for _, r := range cmd.Records {
			if r.State != nil {
				all = append(all, hand(r.State.Trials))
			}
		}
		if len(cmd.Records) > 0 {
			state := c.State()
			all = append(all, hand(state.Trials))
			_ = append(state.Trials, Trial{ID: -1}) // lost, which is the point
		}
	}}))
	require.Greater(t, len(trace.Verdicts()), 100)
	all = append(all, policy.shown...)
	most := 0
	for _, h := range all {
		require.Equal(t, h.then, h.trials)
		require.Equal(t, len(h.trials), cap(h.trials), "who appends must get a copy")
		most = max(most, len(h.trials))
	}
	require.Equal(t, 64, most)
	last := c.State().Trials
	for i, v := range trace.Verdicts()[len(trace.Verdicts())-len(last):] {
		require.Equal(t, v.ID, last[i].ID)
	}
}
