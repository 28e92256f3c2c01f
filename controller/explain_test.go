package controller_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	. "autotune/controller" //nolint:revive // the tests of a vocabulary read better with it
)

// picky tries one switch, and says why it does not try the others.
type picky struct{ only string }

func (p picky) Propose(v View) (Proposal, bool) {
	for _, o := range v.Offered {
		if o.Name == p.only && !v.Safe.On(o.Switch) && v.Blocked[o.Name] == "" {
			return Proposal{Optimization: o.Name, Move: MoveOn, Change: map[string]float64{o.Switch: 1}, Why: "it is the one", Basis: &Basis{Workload: "busy", Share: 0.5}}, true
		}
	}
	return Proposal{}, false
}

func (picky) Learn(Trial) {}

func (p picky) Skipped(v View) []Skip {
	var out []Skip
	for _, o := range v.Offered {
		if o.Name != p.only {
			out = append(out, Skip{o.Name, "there is nothing to act on"})
		}
	}
	return out
}

func (p picky) Outlook(View) Outlook {
	return Outlook{Workload: "busy", Prospects: []Prospect{{Optimization: p.only, Share: 0.5}}}
}

// What a policy does not want is told once, with the reason, and no time is kept for
// it; the basis of what it wants is kept with the trial, and what the trial showed.
func TestExplainer(t *testing.T) {
	space, offered, initial := switches("good", "idle", "still")
	p := newPlant(1, space, initial)
	p.effect = func(s Setting, _ time.Duration) float64 {
		if s.On("good") {
			return -0.5
		}
		return 0
	}
	c, err := New(Config{
		Space: space, Offered: offered, Goals: []Goal{{Metric: "cost"}}, Policy: picky{"good"}, Timing: fast,
		Budget: Budget{Until: epochZero.Add(90 * time.Second)},
	})
	require.NoError(t, err)
	trace := &Trace{}
	require.NoError(t, Run(context.Background(), p, c, Loop{Record: trace}))
	var told []string
	for _, r := range trace.Records {
		if strings.HasPrefix(r.Note, "not tried") {
			told = append(told, r.Note)
		}
	}
	require.Equal(t, []string{"not tried: idle: there is nothing to act on", "not tried: still: there is nothing to act on"}, told)
	require.Equal(t, "there is nothing to act on", c.Status().Blocked["idle"])
	require.Equal(t, "busy", c.Status().Outlook.Workload)
	require.True(t, c.Status().Outlook.At.After(epochZero))
	first := trace.Verdicts()[0]
	require.Equal(t, &Basis{Workload: "busy", Share: 0.5}, first.Basis)
	require.Contains(t, first.CapWhy, "x 0 pairs", "no time is kept for the others")
	brief := c.State().Trials[0]
	require.Empty(t, brief.Effects)
	require.Equal(t, first.Intervals(), brief.Shown)
	require.Equal(t, first.Intervals(), brief.Intervals())
	require.Negative(t, brief.Shown[0].High, "less is better")
	require.Less(t, brief.Shown[0].Low, brief.Shown[0].Mid())
}
