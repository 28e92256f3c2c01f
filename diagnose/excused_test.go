package diagnose

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"autotune/controller"
	"autotune/journal"
)

// A candidate that the controller excused, because the safe setting was as slow
// right after, is not called the cause; one in another hour is.
func TestHarmCause_excusedByTheSafeSetting(t *testing.T) {
	at := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	f := newFacts("x")
	require.NoError(t, f.take(&journal.Entry{Record: controller.Record{
		At: at.Add(3 * time.Second), Kind: controller.RecordNote,
		Note: "x: the safe setting is as slow (9 of 9 requests slower than 5 ms in the last 0.75 s: e-value 59 reached 20): no strike against the candidate",
	}}))
	require.Equal(t, "not the candidate: without it the service was as slow right after (9 of 9 requests slower than 5 ms in the last 0.75 s: e-value 59 reached 20), so it has bursts of its own",
		f.harmCause(&controller.Trial{Ended: at}, "guard"))
	require.Contains(t, f.harmCause(&controller.Trial{Ended: at.Add(-time.Hour)}, "guard"), "the candidate itself")
}
