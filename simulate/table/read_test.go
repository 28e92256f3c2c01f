package table

import (
	"bytes"
	"compress/gzip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"autotune/controller"
)

func read(t testing.TB, text string, cfg Config) *Table {
	t.Helper()
	if cfg.Metrics == nil {
		cfg.Metrics = []string{"y"}
	}
	out, err := Read(strings.NewReader(text), cfg)
	require.NoError(t, err)
	return out
}

func zipped(t testing.TB, text string) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, err := w.Write([]byte(text))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return out.Bytes()
}

func TestRead_infersKnobs(t *testing.T) {
	for name, c := range map[string]struct {
		values string // of the column x
		cfg    Config
		want   controller.Knob
	}{
		"0 and 1":          {"1 0", Config{}, controller.Knob{Kind: controller.Switch}},
		"0.0 and 1.00":     {"0.0 1.00 0", Config{}, controller.Knob{Kind: controller.Switch}},
		"words":            {"on off", Config{}, controller.Knob{Kind: controller.Switch}},
		"words, mixed":     {"on no", Config{}, controller.Knob{Kind: controller.Switch}},
		"not words":        {"on true", Config{}, controller.Knob{Kind: controller.Enum, Max: 1, Levels: []float64{0, 1}}},
		"whole":            {"3 1 2", Config{}, controller.Knob{Kind: controller.Int, Min: 1, Max: 3, Levels: []float64{1, 2, 3}}},
		"0 and 1 and 2":    {"0 1 2", Config{}, controller.Knob{Kind: controller.Int, Max: 2, Levels: []float64{0, 1, 2}}},
		"fractions":        {"1 0.5", Config{}, controller.Knob{Kind: controller.Float, Min: 0.5, Max: 1, Levels: []float64{0.5, 1}}},
		"same number":      {"1e2 100 1", Config{}, controller.Knob{Kind: controller.Int, Min: 1, Max: 100, Levels: []float64{1, 100}, Scale: controller.Log}},
		"decades":          {"1000 1 100 10", Config{}, controller.Knob{Kind: controller.Int, Min: 1, Max: 1000, Levels: []float64{1, 10, 100, 1000}, Scale: controller.Log}},
		"powers of two":    {"16 32 64 128 256", Config{}, controller.Knob{Kind: controller.Int, Min: 16, Max: 256, Levels: []float64{16, 32, 64, 128, 256}, Scale: controller.Log}},
		"even steps":       {"10 20 30 40 50 60 70 80 90 100", Config{}, controller.Knob{Kind: controller.Int, Min: 10, Max: 100, Levels: []float64{10, 20, 30, 40, 50, 60, 70, 80, 90, 100}}},
		"no decade":        {"1 2 4 8", Config{}, controller.Knob{Kind: controller.Int, Min: 1, Max: 8, Levels: []float64{1, 2, 4, 8}}},
		"negative":         {"-1 1000", Config{}, controller.Knob{Kind: controller.Int, Min: -1, Max: 1000, Levels: []float64{-1, 1000}}},
		"texts":            {"xz lzma zip", Config{}, controller.Knob{Kind: controller.Enum, Max: 2, Levels: []float64{0, 1, 2}}},
		"some numbers":     {"a b 1", Config{}, controller.Knob{Kind: controller.Enum, Max: 2, Levels: []float64{0, 1, 2}}},
		"declared enum":    {"1 2 auto", Config{Knobs: map[string]controller.Kind{"x": controller.Enum}}, controller.Knob{Kind: controller.Enum, Max: 2, Levels: []float64{0, 1, 2}}},
		"declared by glob": {"0 1", Config{Knobs: map[string]controller.Kind{"*": controller.Int}}, controller.Knob{Kind: controller.Int, Max: 1, Levels: []float64{0, 1}}},
		"declared float":   {"1 2", Config{Knobs: map[string]controller.Kind{"?": controller.Float}}, controller.Knob{Kind: controller.Float, Min: 1, Max: 2, Levels: []float64{1, 2}}},
	} {
		t.Run(name, func(t *testing.T) {
			var text strings.Builder
			text.WriteString("x,y\n")
			for _, v := range strings.Fields(c.values) {
				text.WriteString(v + ",1\n")
			}
			got := read(t, text.String(), Config{Metrics: []string{"y"}, Knobs: c.cfg.Knobs})
			c.want.Name = "x"
			require.Equal(t, []controller.Knob{c.want}, got.Space().Knobs)
			require.NoError(t, got.Space().Check())
			again, err := Read(bytes.NewReader(zipped(t, strings.ReplaceAll(text.String(), ",", ";"))), got.cfg)
			require.NoError(t, err, "under gzip, with semicolons")
			require.Equal(t, got.space, again.space, "under gzip, with semicolons")
			for i := range got.Len() {
				require.Equal(t, got.Row(i), again.Row(i))
			}
		})
	}
}
