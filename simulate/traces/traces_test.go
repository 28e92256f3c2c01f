package traces

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/ulikunitz/xz"
)

func zipped(t testing.TB, s string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := w.Write([]byte(s))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return b.String()
}

func packed(t testing.TB, data []byte) string {
	var b bytes.Buffer
	w, err := xz.NewWriter(&b)
	require.NoError(t, err)
	_, err = w.Write(data)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return b.String()
}

func numbers(keys ...uint32) []byte {
	var out []byte
	for _, k := range keys {
		out = binary.BigEndian.AppendUint32(out, k)
	}
	return out
}

func TestReadRates(t *testing.T) {
	seconds := "second,requests\n0,12\n1,0\n2,9\n"
	for name, c := range map[string]struct {
		in   string
		want Rates
	}{
		"seconds":            {seconds, Rates{[]float64{12, 0, 9}, time.Second}},
		"under gzip":         {zipped(t, seconds), Rates{[]float64{12, 0, 9}, time.Second}},
		"carriage returns":   {strings.ReplaceAll(seconds, "\n", "\r\n"), Rates{[]float64{12, 0, 9}, time.Second}},
		"later begin":        {"second,requests\n7,1\n8,2\n", Rates{[]float64{1, 2}, time.Second}},
		"minutes":            {"minute,requests\n0,60\n1,30\n", Rates{[]float64{1, 0.5}, time.Minute}},
		"a row each request": {"TIMESTAMP,A,B\n2023-11-16 18:17:03.9799600,1,2\n2023-11-16 18:17:04.0319600,1,2\n2023-11-16 18:17:04.5,1,2\n2023-11-16 18:17:06,1,2\n", Rates{[]float64{1, 2, 0, 1}, time.Second}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := ReadRates(strings.NewReader(c.in))
			require.NoError(t, err)
			require.Equal(t, c.want, got)
		})
	}
}

func TestReadRates_faults(t *testing.T) {
	for in, want := range map[string]string{
		"":                            "empty: must have a header and a row for each second, minute or request",
		"a,b\n1,2\n":                  `line 1: header "a,b": must be second,requests or minute,requests, or begin with TIMESTAMP`,
		"second,requests\n":           "no rows: must have a row for each second",
		"TIMESTAMP\n":                 "no rows: must have a row for each request",
		"second,requests\n0,1\n1\n":   "line 3: must have as many fields as the header",
		"second,requests\n0,1\nx,1\n": `line 3, column "second": "x": must be a whole number from 0`,
		"second,requests\n0,1\n2,1\n": `line 3, column "second": "2": must follow on the line before: 1`,
		"second,requests\n0,-1\n":     `line 2, column "requests": "-1": must be a number of requests within 0..1e+09`,
		"second,requests\n0,NaN\n":    `line 2, column "requests": "NaN": must be a number of requests within 0..1e+09`,
		"minute,requests\n0,0\n1,0\n": "every row is 0: must have requests",
		"TIMESTAMP\nyesterday\n":      `line 2, column "TIMESTAMP": "yesterday": must be a time like 2023-11-16 18:17:03.9799600`,
		"TIMESTAMP\n2023-11-16 18:17:03\n2023-11-16 18:17:02\n": `line 3, column "TIMESTAMP": "2023-11-16 18:17:02": must not be before the line above`,
		"TIMESTAMP\n2023-11-16 18:17:03\n2024-11-16 18:17:02\n": `line 3, column "TIMESTAMP": "2024-11-16 18:17:02": must be within 10000000 s of the first`,
		"\x1f\x8bno": "gzip: unexpected EOF",
	} {
		_, err := ReadRates(strings.NewReader(in))
		require.EqualError(t, err, want, "%q", in)
	}
	broken := zipped(t, "second,requests\n0,12\n1,0\n2,9\n")
	_, err := ReadRates(strings.NewReader(broken[:len(broken)-4]))
	require.ErrorContains(t, err, "unexpected EOF")
	_, err = OpenRates("nowhere.csv")
	require.EqualError(t, err, "rates nowhere.csv: no such file or directory")
}

func TestRates_parts(t *testing.T) {
	r := Rates{[]float64{1, 5, 2, 5, 2, 0}, time.Minute}
	require.InDelta(t, 2.5, r.Mean(), 1e-12)
	require.Equal(t, []float64{5, 2}, r.Busiest(2*time.Minute).PerSecond)
	require.Equal(t, []float64{5, 2, 5}, r.Busiest(121*time.Second).PerSecond)
	require.Equal(t, r, r.Busiest(time.Hour))
	require.InDelta(t, 100, r.Scaled(100).Mean(), 1e-9)
	require.InDelta(t, 200, r.Scaled(100).PerSecond[1], 1e-9)
}

func TestReadKeys(t *testing.T) {
	for name, c := range map[string]struct {
		in   string
		want []uint64
	}{
		"lines":            {"3\n1\n3\n", []uint64{3, 1, 3}},
		"carriage returns": {"3\r\n1\r\n", []uint64{3, 1}},
		"stars and blanks": {"3\n*\n\n 1 \n** 5\n", []uint64{3, 1}},
		"no last newline":  {"3\n18446744073709551615", []uint64{3, 1<<64 - 1}},
		"under gzip":       {zipped(t, "3\n1\n"), []uint64{3, 1}},
		"numbers under xz": {packed(t, numbers(0, 7, 1<<32-1)), []uint64{0, 7, 1<<32 - 1}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := ReadKeys(strings.NewReader(c.in))
			require.NoError(t, err)
			require.Equal(t, c.want, got)
		})
	}
}

func TestReadKeys_faults(t *testing.T) {
	whole := packed(t, numbers(1, 2, 3))
	for in, want := range map[string]string{
		"":                                "no keys: must have one a line",
		"*\n":                             "no keys: must have one a line",
		"1\n  two\n":                      `line 2, column 3: "two": must be a key, a whole number within 0..2^64-1`,
		"1\n-2\n":                         `line 2, column 1: "-2": must be a key, a whole number within 0..2^64-1`,
		"1\n" + strings.Repeat("1", 5000): "line 2: must be a line of at most 4096 bytes, with one key",
		packed(t, nil):                    "no keys: must have 4 bytes for each",
		packed(t, []byte("12345")):        "key 2: ends after 1 bytes: must have 4",
		whole[:len(whole)/2]:              "key 2: ends after 3 bytes: must have 4",
		"\xfd7zXZ\x00":                    "xz: unexpected EOF",
	} {
		_, err := ReadKeys(strings.NewReader(in))
		require.EqualError(t, err, want, "%q", in)
	}
	_, err := OpenKeys("nowhere.trace")
	require.EqualError(t, err, "keys nowhere.trace: no such file or directory")
}

// Every file of the kind that people have.
func TestOpen_realTraces(t *testing.T) {
	data := os.Getenv("AUTOTUNE_DATA")
	if data == "" {
		t.Skip("AUTOTUNE_DATA is not set: no real traces to read")
	}
	rates, err := filepath.Glob(filepath.Join(data, "workload_rates", "*.csv.gz"))
	require.NoError(t, err)
	require.NotEmpty(t, rates)
	for _, path := range rates {
		r, err := OpenRates(path)
		require.NoError(t, err)
		t.Logf("%s: %d of %v, mean %.3g/s", filepath.Base(path), len(r.PerSecond), r.Each, r.Mean())
	}
	keys, err := filepath.Glob(filepath.Join(data, "cache_traces", "*.trace.*"))
	require.NoError(t, err)
	require.NotEmpty(t, keys)
	for _, path := range keys {
		k, err := OpenKeys(path)
		require.NoError(t, err)
		t.Logf("%s: %d keys", filepath.Base(path), len(k))
	}
}

func FuzzReadRates(f *testing.F) {
	for _, s := range []string{"second,requests\n0,12\n", "minute,requests\n0,1e3\n1,2\n", "TIMESTAMP,A\n2023-11-16 18:17:03.97,1\n", "\x1f\x8b", zipped(f, "second,requests\n0,1\n")} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, in string) {
		r, err := ReadRates(strings.NewReader(in))
		if err != nil {
			require.NotContains(t, err.Error(), "\n")
			return
		}
		require.NotEmpty(t, r.PerSecond)
		require.Positive(t, r.Mean())
	})
}

func FuzzReadKeys(f *testing.F) {
	for _, s := range []string{"1\n2\n", "*\n3\r\n", "\xfd7zXZ\x00", packed(f, numbers(1, 2)), zipped(f, "1\n2\n")} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, in string) {
		k, err := ReadKeys(strings.NewReader(in))
		if err != nil {
			require.NotContains(t, err.Error(), "\n")
			return
		}
		require.NotEmpty(t, k)
	})
}
