package demo

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"autotune/executor"
)

// The usual five fit into a run of the default length, all of them do
// not, and what is offered but puts work off takes longer.
func TestRun_isLongEnoughForWhatIsOffered(t *testing.T) {
	least := func(duration time.Duration, offer ...string) string {
		r := &run{cfg: RunConfig{Duration: duration, Offer: offer, Exporter: ignored{}}, controls: NewControls()}
		r.cfg.CheckPairs = checkPairs
		if _, err := r.checkTime(); err != nil {
			return err.Error()
		}
		return ""
	}
	assert.Empty(t, least(DefaultDuration, DefaultOffer()...))
	assert.Empty(t, least(leastDuration, placeboName))
	assert.Empty(t, least(leastDuration, DefaultOffer()...), "the usual five may share a short run")
	assert.Regexp(t, `^duration 3m48s: must be at least \d+m\d+s to try the 13 that are offered, or offer fewer$`, least(DefaultDuration))
	assert.Empty(t, least(12*time.Minute), "what the help says is enough for all")
	assert.NotEmpty(t, least(2*time.Minute, "enable_optimized_telemetry"), "its blocks are four times as long")
	assert.Empty(t, least(2*time.Minute, "enable_object_pool"))
}

// The check compares whatever was kept, and pairs are longer where work is put
// off: a run that may keep such a thing leaves the time.
func TestRun_leavesTimeForItsCheck(t *testing.T) {
	check := func(offer ...string) time.Duration {
		r := &run{cfg: RunConfig{Duration: 12 * time.Minute, Offer: offer, Exporter: ignored{}, CheckPairs: checkPairs}, controls: NewControls()}
		d, err := r.checkTime()
		require.NoError(t, err)
		return d
	}
	assert.Equal(t, 30*time.Second, check(DefaultOffer()...))
	assert.Greater(t, check("enable_optimized_telemetry"), 4*check("enable_cache_optimization"))
	assert.Equal(t, check("enable_optimized_telemetry"), check())
}

// ignored is an exporter of spans that nobody looks at.
type ignored struct{}

func (ignored) Export(context.Context, []*executor.Span) error { return nil }

// Without an exporter there is no trial of telemetry, and so nothing to grant.
func TestRun_grantsWhatItOffers(t *testing.T) {
	for _, e := range []executor.Exporter{nil, ignored{}} {
		c := RunConfig{Exporter: e}
		ex, err := executor.New(executor.Config{}, executor.WithExporter(e))
		require.NoError(t, err)
		var names []string
		for _, o := range ex.Optimizations() {
			names = append(names, o.Name)
		}
		assert.Subset(t, names, c.grants())
		assert.Equal(t, e != nil, slices.Contains(c.grants(), "enable_optimized_telemetry"))
		require.NoError(t, ex.Close())
	}
}

func TestRun_neverOffersTheAutopilotsOwnSwitch(t *testing.T) {
	ex, err := executor.New(executor.Config{}, executor.WithExporter(ignored{}))
	require.NoError(t, err)
	defer ex.Close()
	r := &run{controls: NewControls()}
	var names []string
	for _, o := range r.offered(ex) {
		names = append(names, o.Name)
	}
	assert.Len(t, names, 13)
	assert.NotContains(t, names, "enable_automatic_optimization")
	for _, name := range append(granted, DefaultOffer()...) {
		assert.Contains(t, names, name)
	}
}
