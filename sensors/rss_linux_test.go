package sensors

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRSS_statm(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want float64
		err  string
	}{
		"usual":        {"5000 123 100 10 0 200 0\n", 123 * float64(os.Getpagesize()), ""},
		"short":        {"5000\n", 0, "two fields"},
		"empty":        {"", 0, "two fields"},
		"not a number": {"1 x 2\n", 0, "number of pages"},
	} {
		path := filepath.Join(t.TempDir(), "statm")
		require.NoError(t, os.WriteFile(path, []byte(c.text), 0o600))
		r := openRSS(path)
		got, err := r.bytes()
		if c.err != "" {
			assert.ErrorContains(t, err, c.err, name)
		} else {
			require.NoError(t, err, name)
			assert.Equal(t, c.want, got, name)
		}
		assert.NoError(t, r.close())
	}
	r := openRSS(filepath.Join(t.TempDir(), "none"))
	_, err := r.bytes()
	assert.ErrorIs(t, err, os.ErrNotExist)
	assert.NoError(t, r.close())
}
