package terminal

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestPercent(t *testing.T) {
	for _, c := range []struct {
		x    float64
		want string
	}{
		{-0.31, "-31 %"},
		{1.04, "+104 %"},
		{0, "0 %"},
		{0.0004, "0 %"},
		{-0.0004, "0 %"},
		{0.0006, "+0.1 %"},
		{0.025, "+2.5 %"},
		{-0.0994, "-9.9 %"},
		{-0.0996, "-10 %"}, // not -10.0
		{0.0994999, "+9.9 %"},
		{-0.996, "-100 %"},
		{21, "+2100 %"},
		{math.NaN(), "?"},
		{math.Inf(1), "?"},
	} {
		assert.Equal(t, c.want, percent(c.x), "%v", c.x)
	}
}

func TestInterval(t *testing.T) {
	low, high := math.Expm1(-10), math.Expm1(10)
	for _, c := range []struct {
		low, high float64
		want      string
		bounded   bool
	}{
		{-0.35, -0.27, "(-35 % to -27 %)", true},
		{-0.02, 0.03, "(-2.0 % to +3.0 %)", true},
		{low, -0.27, "(? to -27 %)", true},
		{-0.35, high, "(-35 % to ?)", true},
		{low, high, "(? to ?)", false},
		{-1, math.Inf(1), "(? to ?)", false},
	} {
		assert.Equal(t, c.want, interval(c.low, c.high))
		assert.Equal(t, c.bounded, bounded(c.low, c.high), c.want)
	}
}

func TestEvalue(t *testing.T) {
	for _, c := range []struct {
		e    float64
		want string
	}{
		{0, "<0.1"},
		{0.0999, "<0.1"},
		{0.1, "0.1"},
		{1, "1.0"},
		{3.2, "3.2"},
		{9.94, "9.9"},
		{9.96, "10"},
		{120, "120"},
		{9999.4, "9999"},
		{9999.6, "9e3"}, // rounded down, not up to 1e4
		{10000, "1e4"},
		{129999, "1e5"},
		{999999, "9e5"},
		{1e6, "1e6"},
		{1e6 + 1, ">1e6"},
		{math.Inf(1), ">1e6"},
		{math.NaN(), "?"},
		{-1, "?"},
	} {
		assert.Equal(t, c.want, evalue(c.e), "%v", c.e)
		assert.LessOrEqual(t, len(evalue(c.e)), numberWidth)
	}
}

func TestTowards(t *testing.T) {
	for _, c := range []struct{ e, threshold, want float64 }{
		{0, 100, 0},
		{1, 100, 0},
		{10, 100, 0.5},
		{100, 100, 1},
		{1e9, 100, 1},
		{math.Inf(1), 100, 1},
		{math.NaN(), 100, 0},
		{50, 0, 0}, // never decides
		{50, math.NaN(), 0},
	} {
		assert.InDelta(t, c.want, towards(c.e, c.threshold), 1e-12, "%v of %v", c.e, c.threshold)
	}
}

func TestSpan(t *testing.T) {
	for _, c := range []struct {
		d    time.Duration
		want string
	}{
		{161 * time.Second, "2m41s"},
		{400 * time.Millisecond, "0s"},
		{-time.Minute, "0s"},
		{3 * time.Hour, "3h0m0s"},
		{240 * time.Hour, "10d"},
	} {
		assert.Equal(t, c.want, span(c.d))
	}
}

func TestClean(t *testing.T) {
	assert.Equal(t, "a b c [31m?d", clean("a\nb\tc\x1b[31m\xffd\r\n"))
	assert.Equal(t, "délai 応答", clean("délai 応答"))
}

func TestCut_countsColumnsNotBytes(t *testing.T) {
	for _, c := range []struct {
		text string
		n    int
		want string
	}{
		{"enable_cache", 12, "enable_cache"},
		{"enable_cache", 8, "enable_…"},
		{"keep it so", 6, "keep…"}, // no space before the ellipsis
		{"応答時間", 5, "応答…"},
		{"応答時間", 4, "応…"},
		{"anything", 0, ""},
		{"anything", 1, "…"},
	} {
		assert.Equal(t, c.want, cut(c.text, c.n, "…"), "%q to %d", c.text, c.n)
	}
	assert.Equal(t, "", cut("anything", 2, "..."))
}

func TestWrap(t *testing.T) {
	assert.Equal(t, []string{
		"12:00:00 kept a_switch on: p95 -62 %",
		"         (-71 % to -50 %) after 9",
		"         pairs",
	}, wrap("12:00:00 kept a_switch on: p95 -62 % (-71 % to -50 %) after 9 pairs", 36, strings.Repeat(" ", 9)))
	assert.Equal(t, []string{"(+73 % to", "  +134 %)"}, wrap("(+73 % to +134 %)", 13, "  "), "a sign stays with its number")
	assert.Equal(t, []string{""}, wrap("", 20, "  "))
}

// What comes from outside cannot move the cursor, and what is cut fits.
func FuzzCleanAndCut(f *testing.F) {
	f.Add("latency\x1b[2J", 5)
	f.Add("応答\u0301時間", 3)
	f.Add("a\u200db👩‍💻", 2)
	f.Fuzz(func(t *testing.T, text string, n int) {
		n %= 200
		got := cut(clean(text), n, "…")
		if strings.ContainsAny(got, "\x1b\n\r\t\b") {
			t.Fatalf("%q has control codes", got)
		}
		if w := width(got); w > max(n, 0) {
			t.Fatalf("%q takes %d columns of %d", got, w, n)
		}
	})
}
