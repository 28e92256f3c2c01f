package history

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"autotune/report"
)

var update = flag.Bool("update", false, "rewrite the golden reports")

// The golden journals of the module, as reports: what people read.
func TestRead_golden(t *testing.T) {
	for _, name := range []string{"keep", "guard", "harm", "crash"} {
		d, err := Read(filepath.Join("..", "..", "testdata", "journals", name+".jsonl"))
		require.NoError(t, err)
		for _, f := range report.Formats() {
			if name != "keep" && f != report.Markdown {
				continue
			}
			var b bytes.Buffer
			require.NoError(t, d.Write(&b, f))
			golden := filepath.Join("testdata", name+"."+string(f))
			if *update {
				require.NoError(t, os.MkdirAll("testdata", 0o750))
				require.NoError(t, os.WriteFile(golden, b.Bytes(), 0o600))
			}
			want, err := os.ReadFile(golden)
			require.NoError(t, err)
			require.Equal(t, string(want), b.String(), golden)
		}
	}
}
