package live

import (
	"encoding/csv"
	"os"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"autotune/catalog"
)

// The published table is whole, and has what the README says of it.
func TestPublished_isWholeAndAsTold(t *testing.T) {
	f, err := os.Open("../../docs/effects.csv")
	require.NoError(t, err)
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	require.NoError(t, err)
	assert.Len(t, rows, 1+len(Rows())*len(Workloads())*len(Goals()))
	change, verdict := map[string]float64{}, map[string]string{}
	for _, r := range rows[1:] {
		key := r[0] + " " + r[1] + " " + r[2]
		change[key], err = strconv.ParseFloat(r[4], 64)
		require.NoError(t, err)
		verdict[key] = r[7]
	}
	assert.Len(t, change, len(rows)-1, "no cell twice")
	for key, told := range map[string]float64{
		catalog.EnableCache + " high-frequency latency_p95_seconds":           -0.55,
		catalog.EnableCache + " high-frequency cpu_seconds_per_request":       -0.71,
		catalog.EnableCircuitBreaker + " low-latency latency_p95_seconds":     -0.28,
		catalog.EnableTelemetry + " low-latency alloc_bytes_per_request":      -0.10,
		catalog.EnableObjectPool + " high-allocation alloc_bytes_per_request": -0.69,
		catalog.EnableContext + " large-context alloc_bytes_per_request":      -0.36,
	} {
		assert.InDelta(t, told, change[key], 0.0051, key)
		assert.Equal(t, "better", verdict[key], key)
	}
}
