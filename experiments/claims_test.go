package experiments

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
)

// The short form of every experiment, and all that it claims.
func TestExperiments_claimsHold(t *testing.T) {
	if testing.Short() || raceEnabled {
		t.Skip("statistics race nothing, and take their time")
	}
	for _, e := range All() {
		t.Run(e.Name, func(t *testing.T) {
			report, err := Run(t.Context(), e, Options{Out: t.TempDir(), Seed: 1, Workers: 2, Short: true})
			if errors.Is(err, ErrNoData) {
				t.Skip(err)
			}
			require.NoError(t, err)
			require.NotEmpty(t, report.Claims)
			for _, c := range report.Claims {
				t.Logf("%v: %s: %s", c.Holds, c.Text, c.Figure)
				require.True(t, c.Holds, "%s: %s", c.Text, c.Figure)
			}
		})
	}
}
