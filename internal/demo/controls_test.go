package demo

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"autotune/controller"
)

func TestControls_readBack(t *testing.T) {
	c := NewControls()
	var list []controller.Knob
	for _, k := range c.Knobs() {
		require.NoError(t, k.Check())
		list = append(list, k.Knob)
		for _, v := range []float64{0, 1, 1, 0} {
			require.NoError(t, k.Set(v))
			got, err := k.Get()
			require.NoError(t, err)
			assert.Equal(t, v, got, k.Knob.Name)
		}
	}
	space := controller.Space{Knobs: list}
	require.NoError(t, space.Check())
	for _, o := range c.Optimizations() {
		assert.NoError(t, o.Check(space))
		assert.Equal(t, controller.Exact, o.Equivalence)
	}
}

// handlerTimes returns the median time of a handler with a control off and on,
// taken in turns.
func handlerTimes(t *testing.T, h http.Handler, path string, set func(float64) error, n int) (off, on time.Duration) {
	t.Helper()
	var times [2][]time.Duration
	for i := range 2 * n {
		require.NoError(t, set(float64(i%2)))
		req := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, http.NoBody)
		w := httptest.NewRecorder()
		start := time.Now()
		h.ServeHTTP(w, req)
		times[i%2] = append(times[i%2], time.Since(start))
		require.Equal(t, 200, w.Code)
	}
	require.NoError(t, set(0))
	slices.Sort(times[0])
	slices.Sort(times[1])
	return times[0][n/2], times[1][n/2]
}

func TestHarmful_doublesTheTime(t *testing.T) {
	controls := NewControls()
	s, _ := start(t, Config{Controls: controls})
	harmful := controls.Knobs()[1]
	require.Equal(t, harmfulName, harmful.Knob.Name)
	for _, test := range []struct {
		path string
		n    int
	}{{"/items/1", 40}, {"/search?category=1&q=amber", 20}} {
		off, on := handlerTimes(t, s.routes(), test.path, harmful.Set, test.n)
		assert.GreaterOrEqual(t, float64(on), 1.7*float64(off), test.path)
	}
}

func TestHarmful_isBounded(t *testing.T) {
	c := NewControls()
	c.harmful.Store(true)
	slow := c.harm(func(http.ResponseWriter, *http.Request) { time.Sleep(10 * maxBurn) })
	req := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", http.NoBody)
	start := time.Now()
	slow(nil, req)
	assert.Less(t, time.Since(start), 20*maxBurn, "no more than maxBurn is added, but for the scheduler's whims")

	c.burning.Store(maxBurning)
	cpu := processCPU()
	slow(nil, req)
	assert.Less(t, processCPU()-cpu, maxBurn.Seconds(), "nobody burns when enough do")
	assert.EqualValues(t, maxBurning, c.burning.Load())
}

func TestPlacebo_doesNothing(t *testing.T) {
	controls := NewControls()
	_, do := start(t, Config{Controls: controls})
	_, before := do("GET", "/items/3")
	require.NoError(t, controls.Knobs()[0].Set(1))
	_, after := do("GET", "/items/3")
	assert.Equal(t, before, after)
	assert.False(t, controls.harmful.Load())
}
