package diagnose

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"autotune/catalog"
	"autotune/controller"
	"autotune/executor"
)

// tuned is a world in which a cache pays, a pool does not, and a batch of the
// service's own was set by the operator.
func tuned() world {
	knobs, offered := fieldsOf(catalog.EnableCache, catalog.EnableObjectPool)
	return world{
		knobs: append(knobs, controller.Knob{Name: "batch", Kind: controller.Int, Min: 1, Max: 100}), offered: offered,
		initial: map[string]float64{"batch": 10, catalog.CacheTTL: 1800}, lasts: 90 * time.Second,
		effect: func(m moment) float64 { return on(catalog.EnableCache, -0.4)(m) + on(catalog.EnableObjectPool, 0.4)(m) },
	}
}

// What is exported reads back as what was kept, and says of each value where it
// comes from, with the interval that a trial showed.
func TestExport_readsBackAsWhatWasKept(t *testing.T) {
	dir := tuned().play(t)
	x, err := Export(dir)
	require.NoError(t, err)
	var text bytes.Buffer
	require.NoError(t, x.WriteYAML(&text))
	golden(t, "export.yaml", text.Bytes())
	c, err := executor.Load(bytes.NewReader(text.Bytes()))
	require.NoError(t, err)
	require.Equal(t, x.Config, c)

	facts, err := readFacts(dir)
	require.NoError(t, err)
	ex, err := executor.New(c)
	require.NoError(t, err)
	defer ex.Close()
	for name, v := range facts.safe.All() {
		if name == "batch" {
			continue
		}
		got, ok := ex.Setting().Get(name)
		require.True(t, ok, name)
		require.InDelta(t, v, got, 0, name)
	}
	origins := map[string]Origin{}
	for _, v := range x.Values {
		origins[v.Name] = v.Origin
		require.NotEmpty(t, v.Reason)
		if v.Origin == Kept {
			require.Positive(t, v.Pairs)
			require.NotNil(t, v.Before)
			require.Less(t, v.Effects[0].High, 0.0, "the interval that it was kept on")
		}
	}
	require.Equal(t, Kept, origins[catalog.EnableCache])
	require.Equal(t, Rejected, origins[catalog.EnableObjectPool])
	require.Equal(t, Untried, origins[catalog.CacheTTL])
	require.Equal(t, Untried, origins["batch"])
	require.InDelta(t, 1800, c.CacheTTL.Seconds(), 0, "the service's own value stays")

	var lines bytes.Buffer
	require.NoError(t, x.WriteJSON(&lines))
	all := strings.Split(strings.TrimSpace(lines.String()), "\n")
	require.Len(t, all, len(x.Values)+1)
	var last struct {
		Type   string
		Config map[string]any
		Kept   []string
		Own    map[string]float64 `json:"own_knobs"`
	}
	require.NoError(t, json.Unmarshal([]byte(all[len(all)-1]), &last))
	require.Equal(t, "export", last.Type)
	require.Equal(t, true, last.Config[catalog.EnableCache])
	require.Contains(t, last.Kept, catalog.EnableCache)
	require.Equal(t, map[string]float64{"batch": 10}, last.Own)
}

// What an operator pinned is told as such, with who, why and when, before what is
// as it was; Moved leaves the rest out, and loads as well.
func TestExport_whatIsPinned(t *testing.T) {
	dir := tuned().play(t)
	f, err := readFacts(dir)
	require.NoError(t, err)
	pin := controller.Pin{Values: map[string]float64{"batch": 50}, By: controller.Operator{Who: "me", Why: "truth"}, At: f.to}
	f.state.Wishes.Pins = map[string]controller.Pin{"batch": pin}
	f.safe = f.safe.With(pin.Values)
	x, err := f.exported()
	require.NoError(t, err)
	batch := x.Values[len(x.Values)-1]
	require.Equal(t, Pinned, batch.Origin)
	require.Equal(t, "pinned by me (truth) on 2026-03-01 09:01:29 UTC; configured: 10", batch.Reason)

	f.state.Wishes.Pins["batch"] = controller.Pin{Values: map[string]float64{"batch": 49}}
	other, err := f.exported()
	require.NoError(t, err)
	require.Equal(t, Inherited, other.Values[len(x.Values)-1].Origin, "a pin at another value does not explain this one")

	moved, err := x.Moved()
	require.NoError(t, err)
	var names []string
	for _, v := range moved.Values {
		names = append(names, v.Name)
	}
	require.Equal(t, []string{catalog.EnableCache, catalog.CacheSize, "batch"}, names)
	require.True(t, moved.Config.EnableCacheOptimization)
	require.Equal(t, executor.Defaults().CacheTTL, moved.Config.CacheTTL, "it is as it was, and left out")
	var all bytes.Buffer
	require.NoError(t, x.WriteYAML(&all))
	require.Less(t, strings.Index(all.String(), "# batch: 50"), strings.Index(all.String(), "enable_object_pool: false"))
}

// A reason that a policy wrote over several lines stays a comment.
func TestExport_aReasonCannotBecomeAField(t *testing.T) {
	x := Exported{Source: "j\ncache_size: 1", Values: []Value{{
		Name: catalog.CacheSize, Text: json.RawMessage("2048"), Reason: "kept\nenable_cache_optimization: true\r\u2028cache_ttl: 1",
	}}}
	var text bytes.Buffer
	require.NoError(t, x.WriteYAML(&text))
	c, err := executor.Load(&text)
	require.NoError(t, err)
	want := executor.Defaults()
	want.CacheSize = 2048
	require.Equal(t, want, c)
}

// A journal of knobs of a service alone exports to the baseline, with comments.
func TestExport_golden(t *testing.T) {
	x, err := Export(journalNamed("keep"))
	require.NoError(t, err)
	require.Equal(t, executor.Defaults(), x.Config)
	require.Equal(t, Kept, x.Values[0].Origin)
	require.True(t, x.Values[0].Own)
	var text bytes.Buffer
	require.NoError(t, x.WriteYAML(&text))
	golden(t, "export-keep.yaml", text.Bytes())
	_, err = Export("/nowhere")
	require.EqualError(t, err, "journal /nowhere: read: no such file or directory")
}
