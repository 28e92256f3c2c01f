package stats

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// The fifteen p-values of Benjamini and Hochberg's own example (1995, section
// 3.1), of which four stand at 5 %; Bonferroni has three.
func TestDiscoveries_published(t *testing.T) {
	p := []float64{0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1}
	rand.New(rand.NewPCG(1, 0)).Shuffle(len(p), func(i, j int) { p[i], p[j] = p[j], p[i] })
	stand := 0
	for i, s := range Discoveries(p, 0.05) {
		require.Equal(t, p[i] <= 0.0095, s, p[i])
		if s {
			stand++
		}
	}
	require.Equal(t, 4, stand)
	require.Empty(t, Discoveries(nil, 0.05))
}

// A p-value that misses its own line stands when a larger one meets its.
func TestDiscoveries_stepsUp(t *testing.T) {
	require.Equal(t, []bool{true, true, true}, Discoveries([]float64{0.04, 0.049, 0.03}, 0.05))
	require.Equal(t, []bool{false, false, false}, Discoveries([]float64{0.06, 0.051, 0.03}, 0.05))
}

// Of a table with forty true nulls and ten effects, the share of false
// discoveries is q times the share of nulls, on average.
func TestDiscoveries_falseShare(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 0))
	const tables, q = 4000, 0.1
	sum, found := 0.0, 0
	for range tables {
		p := make([]float64, 50)
		for i := range p {
			if p[i] = r.Float64(); i < 10 {
				p[i] *= 0.004
			}
		}
		right, wrong := 0, 0
		for i, s := range Discoveries(p, q) {
			switch {
			case s && i < 10:
				right++
			case s:
				wrong++
			}
		}
		sum += float64(wrong) / max(1, float64(right+wrong))
		found += right
	}
	require.InDelta(t, q*40/50, sum/tables, 0.008)
	require.Greater(t, found, 9*tables)
}
