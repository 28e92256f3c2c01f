package history

import (
	"testing"

	"github.com/stretchr/testify/require"

	"autotune/controller"
	"autotune/journal"
)

// What was offered and not tried has the latest reason that the journal has.
func TestRead_whyNotTried(t *testing.T) {
	h := newHistory("j")
	note := func(text string) controller.Record { return controller.Record{Kind: controller.RecordNote, Note: text} }
	for _, r := range []controller.Record{
		{Kind: controller.RecordSession, Session: &controller.Session{
			Space:   controller.Space{Knobs: []controller.Knob{{Name: "open", Kind: controller.Int, Min: 1, Max: 64}}},
			Offered: []controller.Optimization{{Name: "cache"}, {Name: "rare"}, {Name: "open", Knobs: []string{"open"}}, {Name: "later"}},
			Goals:   []controller.Goal{{Metric: "cost"}},
		}},
		{Kind: controller.RecordState, State: &controller.State{Safe: controller.SettingOf(map[string]float64{"open": 0})}},
		note("not tried: cache: too early to say"),
		note("advised, never tried: rare (it may help): rare acts every 1h0m0s, and a block lasts 5s"),
		note("not tried: cache: 2 % of executions repeat an input"),
	} {
		require.NoError(t, h.take(&journal.Entry{Record: r}))
	}
	var known [][]string
	for _, row := range h.untriedTable().Rows {
		known = append(known, []string{row[0], row[2]})
	}
	require.Equal(t, [][]string{
		{"cache", "2 % of executions repeat an input"},
		{"rare", "advised, never tried (it may help): rare acts every 1h0m0s, and a block lasts 5s"},
		{"open", "reads 0, outside 1..64: set a value within them to have it tried"},
		{"later", "no trial in this journal"},
	}, known)
}
