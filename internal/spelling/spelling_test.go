package spelling

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestNearest(t *testing.T) {
	known := []string{"cache_size", "cache_ttl", "off", "GC"}
	for name, want := range map[string]string{
		"cache_sise": "cache_size", "Cache_TTL": "cache_ttl", "cache_": "cache_ttl", "of": "off", "gc": "GC",
		"": "", "pool": "", "x": "", strings.Repeat("cache_size", 10): "",
	} {
		require.Equal(t, want, Nearest(name, known), name)
	}
	require.Empty(t, Nearest("off", nil))
}

func TestEdits(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"", "abc", 3}, {"kitten", "sitting", 3}, {"flaw", "lawn", 2}, {"ab", "ba", 2}} {
		require.Equal(t, c.want, Edits(c.a, c.b), "%s, %s", c.a, c.b)
	}
}

// A distance, in the sense of the word.
func TestEdits_isAMetric(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		word := rapid.StringMatching("[abc]{0,7}")
		a, b, c := word.Draw(t, "a"), word.Draw(t, "b"), word.Draw(t, "c")
		require.Equal(t, a == b, Edits(a, b) == 0)
		require.Equal(t, Edits(a, b), Edits(b, a))
		require.LessOrEqual(t, Edits(a, c), Edits(a, b)+Edits(b, c))
	})
}
