package dashboard

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"autotune"
	"autotune/controller"
)

// Streams that tell the same moment share its text; what the autopilot ends with, in
// the same moment, is told anew.
func TestTold_onceAMoment(t *testing.T) {
	var all told
	s := &autotune.Status{Status: controller.Status{At: time.Unix(1, 0), Phase: controller.Idle, PairsLeft: -1}}
	of := func(anew bool) []byte {
		text, err := all.of(s, anew)
		require.NoError(t, err)
		return text
	}
	one := of(false)
	require.Contains(t, string(one), `"phase":"idle"`)
	require.Same(t, &one[0], &of(false)[0])

	s.Phase = controller.Ended
	require.Contains(t, string(of(true)), `"phase":"ended"`)
	s.At, s.Phase = time.Unix(2, 0), controller.Paused
	require.Contains(t, string(of(false)), `"phase":"paused"`)
}
