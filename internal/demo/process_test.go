package demo

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// A load generator that fails says why.
func TestLoadProcess_itsFaultsAreTold(t *testing.T) {
	p, err := startLoad([]string{"sh", "-c", "read line; echo no such workload >&2; exit 3"}, loadLine{Workload: "x"})
	require.NoError(t, err)
	_, err = p.stop()
	require.EqualError(t, err, "load: exit status 3: no such workload")

	_, err = startLoad(nil, loadLine{})
	require.EqualError(t, err, "load: no command to start it with")
}
