package demo

import (
	"net/http"
	"net/http/httptest"
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

// Each call takes at least twice as long as its own work did. The two times are
// of the same call, so that it holds on a busy machine, too.
func TestHarmful_doublesTheTime(t *testing.T) {
	c := NewControls()
	for _, on := range []bool{false, true} {
		c.harmful.Store(on)
		for _, work := range []time.Duration{100 * time.Microsecond, 2 * time.Millisecond} {
			var took time.Duration
			served := false
			h := c.harm(func(http.ResponseWriter, *http.Request) {
				start := time.Now()
				for time.Since(start) < work {
				}
				took, served = time.Since(start), true
			})
			start := time.Now()
			h(nil, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", http.NoBody))
			require.True(t, served)
			if on {
				require.GreaterOrEqual(t, time.Since(start), 2*min(took, maxBurn))
			}
		}
	}
}

func TestHarmful_isBounded(t *testing.T) {
	c := NewControls()
	c.harmful.Store(true)
	var took time.Duration
	slow := c.harm(func(http.ResponseWriter, *http.Request) {
		start := time.Now()
		time.Sleep(25 * maxBurn)
		took = time.Since(start)
	})
	req := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", http.NoBody)
	start := time.Now()
	slow(nil, req)
	assert.Less(t, time.Since(start), 2*took, "no more than maxBurn is added, but for the scheduler's whims")

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
