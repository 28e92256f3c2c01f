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

func TestRead_errorsAreOneLine(t *testing.T) {
	good := "a,b,y,sd,env\n0,1,5,0.1,x\n1,2,6,0.1,x\n0,2,7,0.2,z\n1,1,8,0.1,z\n"
	y := []string{"y"}
	full := string(zipped(t, "a,y\n"+strings.Repeat("1,1\n2,2\n", 1000)))
	for name, c := range map[string]struct {
		text string
		cfg  Config
		want string
	}{
		"empty":               {"", Config{}, "empty: must have a header and a row for each configuration"},
		"empty, gzip":         {string(zipped(t, "")), Config{}, "empty: must have"},
		"only a header":       {"a,y\n", Config{}, "no rows: must have a header and a row for each configuration"},
		"cut off":             {full[:len(full)-12], Config{}, "read: unexpected EOF"},
		"no metric":           {"a,time\n1,2\n", Config{Metrics: []string{"tim"}}, `column "tim": is not in the header: the nearest is "time", of ["a" "time"]`},
		"no metric by glob":   {"a,time\n1,2\n", Config{Metrics: []string{"time_*"}}, `column "time_*": is not in the header: the nearest is "time"`},
		"metric not named":    {good, Config{Metrics: []string{}}, "metric is empty: must name the column of the results"},
		"no sd":               {good, Config{SD: "SD_"}, `column "SD_": is not in the header: the nearest is "sd"`},
		"no relative sd":      {good, Config{RelativeSD: "rsd"}, `column "rsd": is not in the header: the nearest is "sd"`},
		"both":                {good, Config{RelativeSD: "sd", SD: "sd"}, `sd "sd" and relative-sd "sd": must be one of the two`},
		"no ignored":          {good, Config{Ignore: []string{"c"}}, `column "c": is not in the header`},
		"no environment":      {good, Config{Environment: "envs"}, `column "envs": is not in the header: the nearest is "env"`},
		"no such environment": {good, Config{Environment: "env", At: []string{"x", "y"}}, `at "y": no row has it in "env": the nearest is "z"`},
		"environment twice":   {good, Config{Environment: "env", At: []string{"x", "x"}}, `at "x": named twice`},
		"at alone":            {good, Config{At: []string{"x"}}, `at "x": needs an environment`},
		"nothing in both":     {good, Config{Environment: "env", SD: "sd"}, "0 of 4 configurations have a result in each of 2 environments: must be 2"},
		"two roles":           {good, Config{SD: "y"}, `sd "y": is a metric already`},
		"two metrics, sd":     {good, Config{Metrics: []string{"y", "a"}, SD: "sd"}, "metric: finds 2 columns: must be one beside a column of standard deviations"},
		"no knob left":        {good, Config{Ignore: []string{"*"}}, "no knobs: every column is a metric"},
		"constant knobs":      {"a,y\n1,1\n1,2\n", Config{}, "no knobs: the same in every row: a"},
		"one configuration":   {"a,y\n1,1\n2,\n", Config{}, "1 of 2 configurations have a result: must be 2, or there is nothing to choose"},
		"all invalid":         {"a,y\n1,1e6\n2,1e6\n", Config{Invalid: []float64{1e6}}, "0 of 2 configurations have a result"},
		"header twice":        {"a,b,a,y\n1,2,3,4\n", Config{}, `column "a": is there twice, as fields 1 and 3: names must be unique`},
		"header unnamed":      {",a,y\n1,2,3\n", Config{}, "header: field 1 is empty: each column needs a name"},
		"ragged, short":       {"a,y\n1,2\n3\n", Config{}, "line 3: must have as many fields as the header"},
		"ragged, long":        {"a,y\n1,2\n3,4,5\n", Config{}, "line 3: must have as many fields as the header"},
		"bare quote":          {"a,y\n1,2\n3\",4\n", Config{}, "line 3: bare \" in non-quoted-field"},
		"metric is text":      {"a,y\n1,2\n3,fast\n", Config{}, `line 3, column "y": "fast": must be a number`},
		"metric is NaN":       {"a,y\n1,2\n3,NaN\n", Config{}, `line 3, column "y": NaN: must be finite`},
		"metric is too large": {"a,y\n1,2\n3,1e999\n", Config{}, `line 3, column "y": 1e999: must be finite`},
		"metric is beyond":    {"a,y\n1,2\n3,-1e200\n", Config{}, `line 3, column "y": -1e200: must be within 1e+150 of 0`},
		"sd is negative":      {"a,y,sd\n1,2,0\n3,1,-2\n", Config{SD: "sd"}, `line 3, column "sd": -2: must not be negative`},
		"sd is text":          {"a,y,sd\n1,2,0\n3,1,?\n", Config{SD: "sd"}, `line 3, column "sd": "?": must be a number`},
		"text among numbers":  {"a,y\n1,2\n2,1\nbig,1\n3,1\n", Config{}, `line 4, column "a": "big": must be a finite number, as in 3 other rows (or declare an enum: --knob a=enum)`},
		"NaN among numbers":   {"a,y\n1,2\n2,1\nNaN,1\n3,1\n", Config{}, `line 4, column "a": "NaN": must be a finite number, as in 3 other rows`},
		"empty knob":          {"a,y\n1,2\n,1\n", Config{}, `line 3, column "a": is empty: a knob must have a value`},
		"switch of three":     {"a,y\n1,2\n0,1\n2,1\n", Config{Knobs: map[string]controller.Kind{"a": controller.Switch}}, `column "a": has 3 values, 0 the first: a switch must have 0 and 1`},
		"int of fractions":    {"a,y\n1.5,2\n0,1\n", Config{Knobs: map[string]controller.Kind{"a": controller.Int}}, `column "a": has fractions: an int must have whole numbers`},
		"int of texts":        {"a,y\nx,2\nz,1\n", Config{Knobs: map[string]controller.Kind{"a": controller.Int}}, `line 2, column "a": "x": must be a finite number, as in 0 other rows`},
		"knob is the metric":  {"a,y\n1,2\n0,1\n", Config{Knobs: map[string]controller.Kind{"y": controller.Enum}}, `knob "y": is a metric: must be another column`},
		"knob of no column":   {"a,y\n1,2\n0,1\n", Config{Knobs: map[string]controller.Kind{"b": controller.Enum}}, `column "b": is not in the header`},
		"knob of a duration":  {"a,y\n1,2\n0,1\n", Config{Knobs: map[string]controller.Kind{"a": controller.Duration}}, "knob a: kind duration: must be one of switch, int, float, enum"},
	} {
		t.Run(name, func(t *testing.T) {
			if c.cfg.Metrics == nil {
				c.cfg.Metrics = y
			}
			_, err := Read(strings.NewReader(c.text), c.cfg)
			require.ErrorContains(t, err, c.want)
			require.NotContains(t, err.Error(), "\n")
		})
	}
}

func TestMatches(t *testing.T) {
	for _, c := range []struct {
		pattern, name, star string
		ok                  bool
	}{
		{"a", "a", "a", true},
		{"a", "b", "", false},
		{"in:*", "in:mozilla", "mozilla", true},
		{"in:*", "input", "", false},
		{"time_ms_*", "time_ms_31", "31", true},
		{"*_sha", "config_sha", "config", true},
		{"a*c*", "abcd", "b", true},
		{"a?c", "abc", "c", true},
		{"a?c", "ac", "", false},
		{"*", "x/y", "x/y", true},
		{"$<*", "$<latency", "latency", true},
		{"[a]*", "[a]b", "b", true}, // nothing else is special
	} {
		star, ok := matches(c.pattern, c.name)
		require.Equal(t, c.ok, ok, c.pattern)
		if ok && strings.Contains(c.pattern, "*") {
			require.Equal(t, c.star, star, c.pattern)
		}
	}
}

// Whatever the bytes, a reading is an error of one line, or a table in which each
// configuration is found by its setting, and has a finite value.
func FuzzRead(f *testing.F) {
	for _, text := range []string{
		"a,b,y,sd,env\n0,1,5,0.1,x\n1,2,6,0.1,x\n", "\ufeffa;y\r\n\"1\";2\r\n2;3\r\n", "a,b,c,y\n1,0,0,1\n0,1,0,2\n0,0,1,3\n",
		"a,y\non,1\noff,2\n", "a,y\n1,\n2,1\n3,1e6\n", "a,y\n1,NaN\n", "y,y\n1,1\n", "\x1f\x8b", "", "a,y\n-0,1\n0,2\n1,3\n", "a,y0,y1\n1,1,2\n2,3,\n",
	} {
		f.Add([]byte(text), "env", "sd")
	}
	f.Add(zipped(f, "a,y\n1,2\n3,4\n"), "", "")
	f.Fuzz(func(t *testing.T, data []byte, environment, sd string) {
		for _, cfg := range []Config{
			{Metrics: []string{"y*"}, Invalid: []float64{1e6}},
			{Metrics: []string{"y"}, Environment: environment, SD: sd},
		} {
			got, err := Read(bytes.NewReader(data), cfg)
			if err != nil {
				if got != nil || strings.ContainsAny(err.Error(), "\n\r") {
					t.Fatalf("%v with %q", got, err)
				}
				continue
			}
			require.NoError(t, got.Space().Check())
			require.GreaterOrEqual(t, got.Len(), 2)
			for i := range got.Len() {
				at, err := got.Find(got.Setting(i))
				require.NoError(t, err)
				require.Equal(t, i, at)
				for e := range got.Environments() {
					if v := got.Value(e, i); v-v != 0 {
						t.Fatalf("value %v", v)
					}
				}
			}
		}
	})
}
