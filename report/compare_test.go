package report

import (
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// wilson is the interval of a proportion that Newcombe starts from.
func wilson(k, n float64) (p, low, high float64) {
	const z = 1.959964
	p = k / n
	mid := (p + z*z/(2*n)) / (1 + z*z/n)
	half := z / (1 + z*z/n) * math.Sqrt(p*(1-p)/n+z*z/(4*n*n))
	return p, mid - half, mid + half
}

// Newcombe 1998, table II, method 10: the interval of a difference of proportions.
func TestCompare_isNewcombesForProportions(t *testing.T) {
	for _, c := range []struct{ k1, n1, k2, n2, low, high float64 }{
		{56, 70, 48, 80, 0.0524, 0.3339},
		{9, 10, 3, 10, 0.1705, 0.8090},
		{5, 56, 0, 29, -0.0381, 0.1926},
	} {
		row := func(k, n float64) Row {
			r := Row{Scenario: "s", Measure: "m", N: int(n), Level: 0.95, Better: More}
			r.Value, r.Low, r.High = wilson(k, n)
			return r
		}
		d, err := Compare(&Document{Name: "a", Rows: []Row{row(c.k2, c.n2)}}, &Document{Name: "b", Rows: []Row{row(c.k1, c.n1)}})
		require.NoError(t, err)
		require.InDelta(t, c.k1/c.n1-c.k2/c.n2, d.Rows[0].Value, 1e-9)
		require.InDelta(t, c.low, d.Rows[0].Low, 6e-5)
		require.InDelta(t, c.high, d.Rows[0].High, 6e-5)
	}
}

func TestCompare_verdicts(t *testing.T) {
	row := func(better Direction, relative bool, v, half float64) *Document {
		return &Document{Rows: []Row{{Scenario: "s", Measure: "m", N: 10, Value: v, Low: v - half, High: v + half, Level: 0.95, Better: better, Relative: relative}}}
	}
	for _, c := range []struct {
		better   Direction
		relative bool
		a, b     float64
		want     string
	}{
		{Less, false, 10, 5, "better"},
		{Less, false, 5, 10, "worse"},
		{More, false, 5, 10, "better"},
		{More, false, 10, 5, "worse"},
		{"", false, 10, 5, "lower"},
		{"", false, 5, 10, "higher"},
		{Less, false, 5, 5.5, "unclear"},
		{Less, true, -0.5, 4, "worse"},
		{Less, true, 4, 4, "unclear"},
	} {
		half := 1.0
		if c.relative {
			half = 0.3
		}
		d, err := Compare(row(c.better, c.relative, c.a, half), row(c.better, c.relative, c.b, half))
		require.NoError(t, err)
		if len(d.Tables) == 0 {
			require.Equal(t, c.a, c.b, "all are the same")
			continue
		}
		require.Equal(t, c.want, d.Tables[0].Rows[0][3], "%+v", c)
	}
	_, err := Compare(row(Less, false, 1, 1), &Document{})
	require.EqualError(t, err, "compare: no row in common: two reports must share scenario, contender and measure")
}

// A comparison turns around with its two sides, and nothing differs from itself.
func TestCompare_isAntisymmetric(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		draw := func(name string) Row {
			r := Row{Scenario: "s", Measure: "m", N: 5, Level: 0.95, Better: Less}
			r.Value = rapid.Float64Range(-100, 100).Draw(t, name)
			r.Low = r.Value - rapid.Float64Range(0, 50).Draw(t, name+" low")
			r.High = r.Value + rapid.Float64Range(0, 50).Draw(t, name+" high")
			return r
		}
		a, b := &Document{Rows: []Row{draw("a")}}, &Document{Rows: []Row{draw("b")}}
		ab, err := Compare(a, b)
		require.NoError(t, err)
		ba, err := Compare(b, a)
		require.NoError(t, err)
		require.InDelta(t, -ab.Rows[0].Value, ba.Rows[0].Value, 1e-9)
		require.InDelta(t, -ab.Rows[0].Low, ba.Rows[0].High, 1e-9)
		require.InDelta(t, -ab.Rows[0].High, ba.Rows[0].Low, 1e-9)
		aa, err := Compare(a, a)
		require.NoError(t, err)
		require.Contains(t, strings.Join(aa.Summary, " "), "1 unclear")
	})
}
