package executor

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/jsonschema-go/jsonschema"
	"github.com/stretchr/testify/require"

	"autotune/catalog"
	"autotune/controller"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares text with a file, which -update writes.
func golden(t *testing.T, path, text string) {
	t.Helper()
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), text, "make golden, and look at the difference")
}

func TestSchema_golden(t *testing.T) {
	schema, err := Schema()
	require.NoError(t, err)
	golden(t, "testdata/schema.json", string(schema)+"\n")
}

// What the schema accepts and what Load accepts are the same, field by field, at
// the ends of each range and just outside, and for values of another type.
func TestSchema_agreesWithLoad(t *testing.T) {
	text, err := Schema()
	require.NoError(t, err)
	var schema jsonschema.Schema
	require.NoError(t, json.Unmarshal(text, &schema))
	resolved, err := schema.Resolve(&jsonschema.ResolveOptions{ValidateDefaults: true})
	require.NoError(t, err)
	check := func(text string) bool {
		t.Helper()
		var v any
		require.NoError(t, yaml.Unmarshal([]byte(text), &v), text)
		plain, err := json.Marshal(v) // as a validator of JSON sees it
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(plain, &v))
		_, loadErr := Load(strings.NewReader(text))
		err = resolved.Validate(v)
		require.Equal(t, loadErr == nil, err == nil, "%s: Load: %v; schema: %v", text, loadErr, err)
		return loadErr == nil
	}
	for _, p := range catalog.Presets() {
		c, err := Preset(p.Name)
		require.NoError(t, err)
		var text bytes.Buffer
		require.NoError(t, c.Save(&text))
		require.True(t, check(text.String()), p.Name)
	}
	for _, f := range catalog.Fields() {
		require.False(t, check(f.Name+"s: 1"))
		require.False(t, check(f.Name+": [1]"))
		require.False(t, check(f.Name+": soon"))
		if f.Kind == controller.Switch {
			require.True(t, check(f.Name+": true"))
			require.False(t, check(f.Name+": 1"))
			continue
		}
		written := func(v float64) string { return f.Name + ": " + strconv.FormatFloat(v, 'f', -1, 64) }
		for _, v := range []float64{f.Min, f.Max, f.Default} {
			require.True(t, check(written(v)))
		}
		for _, v := range []float64{f.Min - 1, f.Max + 1, -f.Max} {
			require.False(t, check(written(v)))
		}
		require.False(t, check(f.Name+": true"))
		require.Equal(t, f.Kind != controller.Int, check(written(f.Max-0.5)))
		require.Equal(t, f.Kind == controller.Duration, check(f.Name+": \"1m30s\""))
	}
}

// The presets of the guide, on the 12 cores that its numbers come from.
func TestPreset_golden(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(12))
	var text strings.Builder
	text.WriteString("# What each preset changes against the defaults, on a machine with 12 cores.\n")
	for _, p := range catalog.Presets() {
		c, err := Preset(p.Name)
		require.NoError(t, err)
		require.NoError(t, c.Validate())
		fmt.Fprintf(&text, "\n%s\n", p.Name)
		for _, d := range Diff(Defaults(), c) {
			fmt.Fprintf(&text, "  %v\n", d)
			require.False(t, p.Overlay && strings.HasPrefix(d.Field, "enable_"), "an overlay turns nothing on")
		}
	}
	golden(t, "testdata/presets.txt", text.String())
}

func TestPreset_overlays(t *testing.T) {
	c, err := Preset("high-frequency+memory-constrained")
	require.NoError(t, err)
	require.True(t, c.EnableCacheOptimization)
	require.Equal(t, 512, c.CacheSize)
	require.Equal(t, 50, c.TelemetryBatchSize)
	back, err := Preset("high-frequency+memory-constrained+high-memory")
	require.NoError(t, err)
	require.Equal(t, 16384, back.CacheSize, "the last one wins")

	_, err = Preset("high-frequency+staging")
	require.EqualError(t, err, `preset "staging": must come first: only an overlay is put on top of another`)
	for _, name := range []string{"", "fast", "baseline+", "baseline+fast"} {
		_, err = Preset(name)
		require.ErrorContains(t, err, "must be one of baseline, low-latency,", name)
	}
}

// Who puts a preset in force grants what it turns on.
func TestPreset_isAGrant(t *testing.T) {
	c, err := Preset("cpu-intensive")
	require.NoError(t, err)
	for _, o := range start(t, c).Optimizations() {
		granted := o.Name == catalog.EnableConcurrency || o.Name == catalog.EnableTelemetry
		if o.Equivalence == controller.Bounded {
			require.Equal(t, granted, o.Granted, o.Name)
		}
	}
}
