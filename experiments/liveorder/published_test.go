package liveorder

import (
	"encoding/csv"
	"os"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The published report has what the README says of it: the guide is sooner than a
// random order in all of the interval, of rivals' rules one is sooner and keeps
// nearly everything, and the other finds it less often.
func TestPublished_isAsTold(t *testing.T) {
	f, err := os.Open("../../docs/live-order.csv")
	require.NoError(t, err)
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	require.NoError(t, err)
	value, low, n := map[string]float64{}, map[string]float64{}, map[string]string{}
	for _, r := range rows[1:] {
		key := r[1] + " " + r[2] + ": " + r[3]
		value[key], err = strconv.ParseFloat(r[5], 64)
		require.NoError(t, err)
		low[key], err = strconv.ParseFloat(r[6], 64)
		require.NoError(t, err)
		n[key] = r[4]
	}
	for key, told := range map[string]float64{
		"everyday guide: " + timeToGain:               58,
		"everyday guide: " + hasGain:                  0.95,
		"everyday random order: " + timeToGain:        240,
		"everyday random order: " + hasGain:           0.25,
		"everyday Welch 10 v 10: " + timeToGain:       25,
		"everyday Welch 10 v 10: " + hasGain:          0.75,
		"everyday window before/after: " + timeToGain: 3,
		"everyday window before/after: " + turnedOn:   10,
		"everyday guide: " + turnedOn:                 1,
		"cpu-intensive guide: " + atInitial:           1,
	} {
		assert.Equal(t, "20", n[key], key)
		rounded := 0.5
		if told <= 1 { // a share
			rounded = 0.005
		}
		assert.InDelta(t, told, value[key], rounded, key)
	}
	assert.Greater(t, low["everyday random order: "+sooner], 100.0)
}
