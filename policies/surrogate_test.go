package policies

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"autotune/controller"
)

func switches(names ...string) controller.Space {
	var s controller.Space
	for _, name := range names {
		s.Knobs = append(s.Knobs, controller.Knob{Name: name, Kind: controller.Switch})
	}
	return s
}

// taught is a process that saw effects of y exactly, from one setting to another.
func taught(t *testing.T, space controller.Space, y func([]float64) float64, moves ...[2][]float64) *surrogate {
	t.Helper()
	m := &surrogate{space: space}
	for _, v := range moves {
		m.add(sight{from: v[0], to: v[1], effect: y(v[1]) - y(v[0]), sd: 0.005})
	}
	require.True(t, m.fit())
	return m
}

func expect(m *surrogate, from, to []float64, era float64) (mean, sd float64) {
	here := m.standAt(from)
	return here.expect(to, era)
}

func TestSurrogate_expectsWhatItSawAndKnowsLittleElse(t *testing.T) {
	space := switches("a", "b", "c")
	y := func(x []float64) float64 { return 0.3*x[0] - 0.2*x[1] }
	off := []float64{0, 0, 0}
	m := taught(t, space, y, [2][]float64{off, {1, 0, 0}}, [2][]float64{off, {0, 1, 0}})

	mean, sd := expect(m, off, []float64{1, 0, 0}, 0)
	require.InDelta(t, 0.3, mean, 0.02)
	require.Less(t, sd, 0.02)
	mean, sd = expect(m, []float64{1, 0, 0}, off, 0)
	require.InDelta(t, -0.3, mean, 0.02, "the way back")
	require.Less(t, sd, 0.02)
	mean, _ = expect(m, off, []float64{1, 1, 0}, 0)
	require.InDelta(t, 0.1, mean, 0.05, "without other evidence effects add up")
	mean, sd = expect(m, off, []float64{0, 0, 1}, 0)
	require.InDelta(t, 0, mean, 0.02, "nothing is known of c")
	require.Greater(t, sd, 0.05)
}

// Each of two alone costs 10 %. Beside the first the second gains: that the two
// together are worth it follows, although nobody tried them from here.
func TestSurrogate_learnsThatTwoDoNotAddUp(t *testing.T) {
	space := switches("a", "b", "c", "d")
	y := func(x []float64) float64 { return 0.1*x[0] + 0.1*x[1] - 0.45*x[0]*x[1] + 0.02*x[2] }
	off := []float64{0, 0, 0, 0}
	m := taught(
		t, space, y,
		[2][]float64{off, {1, 0, 0, 0}}, [2][]float64{off, {0, 1, 0, 0}}, [2][]float64{off, {0, 0, 1, 0}},
		[2][]float64{{1, 0, 1, 0}, {1, 1, 1, 0}}, [2][]float64{{1, 1, 0, 1}, {0, 1, 0, 1}}, [2][]float64{off, {0, 0, 0, 1}},
	)
	together, sd := expect(m, off, []float64{1, 1, 0, 0}, 0)
	require.Less(t, together, -2*worthHaving, "±%.3f; truly -0.25", sd)
	other, _ := expect(m, off, []float64{1, 0, 1, 0}, 0)
	require.InDelta(t, 0.12, other, 0.06)
}

func TestSurrogate_whatWasShownAges(t *testing.T) {
	off, on := []float64{0}, []float64{1}
	m := taught(t, switches("a"), func(x []float64) float64 { return 0.05 * x[0] }, [2][]float64{off, on})
	_, fresh := expect(m, off, on, 0)
	_, old := expect(m, off, on, 3)
	_, ancient := expect(m, off, on, 1000)
	require.Greater(t, old, 1.5*fresh)
	require.Greater(t, ancient, old)
	_, never := expect(&surrogate{space: m.space, size: m.size, shared: m.shared}, off, on, 0)
	require.InDelta(t, never, ancient, 1e-9, "as if it had never been")
}

func TestProspect_value(t *testing.T) {
	for name, c := range map[string]struct {
		prospect
		worth bool
	}{
		"a tenth worse, for sure":                       {prospect{0.10, 0.01}, false},
		"no difference, for sure":                       {prospect{0, 0.005}, false},
		"no difference, long ago":                       {prospect{0, 0.03}, true},
		"a little worse, very long ago":                 {prospect{0.03, 0.05}, true},
		"twice as slow, long ago":                       {prospect{0.7, 0.03}, false},
		"a gain":                                        {prospect{-0.05, 0.01}, true},
		"a gain that is too small to be worth anything": {prospect{-0.01, 0.002}, false},
	} {
		require.Equal(t, c.worth, c.value(0.03) > 0, "%s: %v", name, c.value(0.03))
	}
	require.InDelta(t, 0.02, prospect{-0.05, 0}.beyond(-0.03), 1e-12)
	require.False(t, math.IsNaN(prospect{0, 0}.value(0.03)))
}
