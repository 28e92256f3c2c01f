package executor

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"autotune/catalog"
)

func TestLoad_emptyIsTheBaseline(t *testing.T) {
	for _, text := range []string{"", "\n\n", "# nothing is on\n", "---\n", "---\n# a comment\n---\n", "{}", "null", "~"} {
		c, err := Load(strings.NewReader(text))
		require.NoError(t, err, "%q", text)
		require.Equal(t, Defaults(), c, "%q", text)
	}
}

func TestLoad_readsWhatPeopleWrite(t *testing.T) {
	want := Defaults()
	want.EnableCacheOptimization = true
	want.CacheSize = 4096
	want.CacheTTL = 2 * time.Hour
	want.TelemetrySamplingRate = 0
	want.ConcurrencyTimeout = 1500 * time.Millisecond
	for _, text := range []string{
		"enable_cache_optimization: true\ncache_size: 4096\ncache_ttl: 7200\ntelemetry_sampling_rate: 0\nconcurrency_timeout: 1.5\n",
		"# quoted, with units\n'enable_cache_optimization': True\n\"cache_size\": 4.096e3\ncache_ttl: 2h\ntelemetry_sampling_rate: 0.0\nconcurrency_timeout: \"1.5s\"\n",
		`{"enable_cache_optimization": true, "cache_size": 4096, "cache_ttl": "2h0m0s", "telemetry_sampling_rate": -0, "concurrency_timeout": 1.5}`,
		"enable_cache_optimization: true\r\ncache_size: 0x1000 # hexadecimal\r\nobject_pool_max_size: 5e2\r\ncache_ttl: 7_200\r\ntelemetry_sampling_rate: 0\r\nconcurrency_timeout: 1500ms\r\n",
	} {
		c, err := Load(strings.NewReader(text))
		require.NoError(t, err, text)
		require.Equal(t, want, c, text)
	}
}

func TestLoad_whatYAMLCanDoAndAConfigurationCannot(t *testing.T) {
	for text, want := range map[string]string{
		"cache_size: &n 4096":                       `1:13: cache_size &n 4096: must be written out`,
		"cache_size: !!int 4096":                    `1:13: cache_size !!int 4096: must be written out`,
		"cache_ttl: *t":                             `1:12: cache_ttl *t: must be written out`,
		"<<: {cache_size: 1}":                       `1:1: "<<": no such field: ` + "`autotune config show baseline` has them all",
		"? cache_size\n: 0":                         `2:3: cache_size 0: must be within`,
		`cache_size: "5e2"`:                         `1:13: cache_size "5e2": must be a whole number`,
		"cache_size: 1e":                            `1:13: cache_size 1e: must be a whole number`,
		"1: 2":                                      `1:1: 1: no such field`,
		"cache_size:\n  - 1":                        `2:3: cache_size - 1: must be a whole number`,
		"memory_threshold: .nan":                    `1:19: memory_threshold .nan: must be a number`,
		"cache_ttl: |\n  2h":                        `cache_ttl | ...: must be a number of seconds`,
		"enable_step_optimization: on":              `1:27: enable_step_optimization on: must be true or false`,
		"cache_size: 99999999999999999999":          `cache_size`,
		"cache_size: 1\n\tcache_ttl: 3":             `is not YAML: `,
		"\x00":                                      ``,
		"cache_ttl: -1s":                            `1:12: cache_ttl -1s: must be within 1s..720h0m0s`,
		"cache_size: 1\n---\n- 2":                   `3:1: is a second document`,
		strings.Repeat("cache_size: 1 # \n", 70000): `bytes: a configuration has 65536 at most`,
		`"a\nb": 1`:                                 `1:1: "a\nb": no such field`,
		strings.Repeat("x", 300) + ": 1":            `no such field`,
	} {
		_, err := Load(strings.NewReader(text))
		require.Error(t, err, "%.100q", text)
		require.ErrorContains(t, err, want)
		require.Len(t, Faults(err), 1, "%v", err)
		require.NotContains(t, err.Error(), "\n")
	}
}

func TestLoad_whatCannotBeRead(t *testing.T) {
	_, err := Load(iotest.ErrReader(errBroken))
	require.ErrorIs(t, err, errBroken)
	_, err = LoadFile(filepath.Join(t.TempDir(), "none.yaml"))
	require.ErrorIs(t, err, os.ErrNotExist)
	path := filepath.Join(t.TempDir(), "a.yaml")
	require.NoError(t, os.WriteFile(path, []byte("cache_size: 0\ncache_ttl: 0\n"), 0o600))
	_, err = LoadFile(path)
	require.EqualError(t, err, path+":1:13: cache_size 0: must be within 1..1e+08\n"+path+":2:12: cache_ttl 0s: must be within 1s..720h0m0s")
}

func TestNearest(t *testing.T) {
	for name, want := range map[string]string{
		"cache_sise": "cache_size", "CacheSize": "cache_size", "cache-size": "cache_size", "enable_cache": "enable_cache_optimization",
		"enable_optmized_telemetry": "enable_optimized_telemetry", "max_concurrent_execution": "max_concurrent_executions",
		"contxt_cache_ttl": "context_cache_ttl", "warp_drive": "", "": "", "x": "",
	} {
		require.Equal(t, want, catalog.Nearest(name), name)
	}
	for _, f := range catalog.Fields() { // any one letter wrong
		for i := range f.Name {
			require.Equal(t, f.Name, catalog.Nearest(f.Name[:i]+"q"+f.Name[i+1:]))
		}
	}
}

// What is saved reads back the same, to the nanosecond and the last bit.
func TestSave_roundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := randomConfig(rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1)))
		c.EnableAutomaticOptimization = rapid.Bool().Draw(t, "automatic")
		var yaml bytes.Buffer
		require.NoError(t, c.Save(&yaml))
		back, err := Load(&yaml)
		require.NoError(t, err)
		require.Equal(t, c, back)
		text, err := json.Marshal(c)
		require.NoError(t, err)
		back, err = Load(bytes.NewReader(text))
		require.NoError(t, err, "JSON is YAML")
		require.Equal(t, c, back)
		require.Empty(t, Diff(c, back))
	})
}

func TestSave_aLiteralIsWrittenWithItsDefaults(t *testing.T) {
	var literal, defaults bytes.Buffer
	require.NoError(t, Config{}.Save(&literal))
	require.NoError(t, Defaults().Save(&defaults))
	require.Equal(t, defaults.String(), literal.String())
	require.Contains(t, literal.String(), "\ncache_ttl: 3600                              # seconds, 1s to 720h\n")
}

func FuzzLoad(f *testing.F) {
	f.Add([]byte("enable_cache_optimization: true\ncache_ttl: 2h # hours\n\"cache_size\": 5e2\n"))
	broken, err := filepath.Glob("../cmd/autotune/testdata/config/*.yaml")
	require.NoError(f, err)
	for _, path := range broken {
		text, err := os.ReadFile(path)
		require.NoError(f, err)
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := Load(bytes.NewReader(data))
		if err != nil {
			faults := Faults(err)
			require.NotEmpty(t, faults)
			for _, fault := range faults {
				require.NotEmpty(t, fault.Rule)
				require.NotContains(t, fault.Error(), "\n")
			}
			return
		}
		require.NoError(t, c.Validate())
		var text bytes.Buffer
		require.NoError(t, c.Save(&text))
		back, err := Load(&text)
		require.NoError(t, err)
		require.Equal(t, c, back)
	})
}

func TestLoad_passesOverAByteOrderMark(t *testing.T) {
	c, err := Load(strings.NewReader("\ufeffcache_size: 5\r\n"))
	require.NoError(t, err)
	require.Equal(t, 5, c.CacheSize)
}
