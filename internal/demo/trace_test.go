package demo

import (
	"bytes"
	"compress/gzip"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func writeTrace(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "trace.csv")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

func zipped(text string) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write([]byte(text))
	_ = z.Close()
	return b.String()
}

func TestReadTrace_busiestStretchScaled(t *testing.T) {
	const seconds = "second,requests\n5,1\n6,0\n7,4\n8,8\n9,0\n10,9\r\n11,1\n"
	for _, test := range []struct {
		text string
		n    int
		want []float64
	}{
		{seconds, 2, []float64{200.0 / 3, 400.0 / 3}},
		{seconds, 3, []float64{100 * 8 / (17.0 / 3), 0, 100 * 9 / (17.0 / 3)}},
		{seconds, 1, []float64{100}},
		{zipped(seconds), 2, []float64{200.0 / 3, 400.0 / 3}},
		{"minute,requests\n0,60\n1,120\n2,30\n", 60, slicesRepeat(100, 60)},
		{"minute,requests\n0,60\n1,120\n2,30\n", 90, append(slicesRepeat(75, 60), slicesRepeat(150, 30)...)},
	} {
		got, err := ReadTrace(writeTrace(t, test.text), 100, test.n)
		require.NoError(t, err)
		assert.InDeltaSlice(t, test.want, got, 1e-9)
	}
}

func slicesRepeat(v float64, n int) []float64 {
	s := make([]float64, n)
	for i := range s {
		s[i] = v
	}
	return s
}

func TestReadTrace_badInput(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{"", `line 1: must be the header second,requests or minute,requests; the file is empty`},
		{"hour,requests\n0,1\n", `line 1: "hour,requests": must be the header`},
		{"second,requests\n", `line 1: must have rows after the header`},
		{"second,requests\n0,1\n1\n", `line 3: "1": must be two values`},
		{"second,requests\n0,1\n1,2,3\n", `line 3: "1,2,3": must be two values`},
		{"second,requests\n0,1\n-1,2\n", `line 3: "-1": must be a time`},
		{"second,requests\n0,1\n2,2\n", `line 3: "2": must follow on the line before: 1`},
		{"second,requests\n0,1\n1,many\n", `line 3: "many": must be a number of requests within 0..1e+09`},
		{"second,requests\n0,-1\n", `line 2: "-1": must be a number`},
		{"second,requests\n0,NaN\n", `line 2: "NaN": must be a number`},
		{"second,requests\n0,1e300\n", `line 2: "1e300": must be a number`},
		{"second,requests\n0,1\n\n", `line 3: must be two values`},
		{"second,requests\n0," + strings.Repeat("9", 5000) + "\n", `line 2: must be a line of at most 4096 bytes`},
		{"second,requests\n0,0\n1,0\n", `must have requests; every row is 0`},
		{"second,requests\n0,3\n", `"1 s": must cover the run's 2 s`},
		{"\x1f\x8bnot gzip", `cannot be read: `},
		{zipped("second,requests\n0,3\n")[:30], `cannot be read: `},
	} {
		path := writeTrace(t, test.text)
		_, err := ReadTrace(path, 100, 2)
		require.ErrorContains(t, err, test.want)
		assert.Contains(t, err.Error(), "trace "+path)
		assert.NotContains(t, err.Error(), "\n")
	}
	_, err := ReadTrace(filepath.Join(t.TempDir(), "none.csv"), 100, 2)
	require.ErrorContains(t, err, "none.csv: cannot be read: no such file")
	_, err = ReadTrace(t.TempDir(), 100, 2)
	require.ErrorContains(t, err, "cannot be read: ")
	_, err = ReadTrace("unused", 0, 2)
	require.ErrorContains(t, err, "rate 0: must be above 0")
	_, err = ReadTrace("unused", 1, 0)
	require.ErrorContains(t, err, "seconds 0: must be at least 1")
}

// Real recordings, where they are at hand.
func TestReadTrace_nasa(t *testing.T) {
	data := os.Getenv("AUTOTUNE_DATA")
	if data == "" {
		t.Skip("AUTOTUNE_DATA is not set: no recordings to read")
	}
	for _, name := range []string{"nasa_busiest_day_per_second.csv.gz", "nasa_per_minute.csv.gz"} {
		rates, err := ReadTrace(filepath.Join(data, "workload_rates", name), DefaultRate, 240)
		require.NoError(t, err)
		require.Len(t, rates, 240)
		sum := 0.0
		for _, r := range rates {
			sum += r
		}
		assert.InDelta(t, DefaultRate, sum/240, 1e-6)
	}
	_, err := ReadTrace(filepath.Join(data, "workload_rates", "AzureLLMInferenceTrace_code.csv.gz"), DefaultRate, 240)
	require.ErrorContains(t, err, `"TIMESTAMP,ContextTokens,GeneratedTokens": must be the header`)
}

// Whatever a file holds, it is read or refused in one line that can be printed;
// what was read has the length and mean that were asked for.
func FuzzReadTrace(f *testing.F) {
	f.Add([]byte("second,requests\n0,1\n1,2\n2,1.5e3\n"), 2)
	f.Add([]byte("minute,requests\n7,310\r\n8,0\r\n"), 90)
	f.Add([]byte(zipped("second,requests\n0,1\n1,2\n")), 1)
	f.Add([]byte("second,requests\n0,\x00\x1b[31m\n"), 1)
	f.Fuzz(func(t *testing.T, data []byte, seconds int) {
		path := filepath.Join(t.TempDir(), "t")
		require.NoError(t, os.WriteFile(path, data, 0o600))
		seconds = min(seconds, 1000)
		rates, err := ReadTrace(path, 100, seconds)
		if err != nil {
			for _, r := range err.Error() {
				require.Truef(t, r >= ' ' && r != 0x7f, "%q", err)
			}
			return
		}
		require.Len(t, rates, seconds)
		sum := 0.0
		for _, r := range rates {
			require.GreaterOrEqual(t, r, 0.0)
			sum += r
		}
		require.False(t, math.Abs(sum/float64(seconds)-100) > 1e-6, "mean %v", sum/float64(seconds))
	})
}
