package arch

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestArchitecture holds the module's own files against the table.
func TestArchitecture(t *testing.T) {
	module, files, err := Read(os.DirFS("../.."))
	require.NoError(t, err)
	require.NotEmpty(t, files, "no Go files were read")
	for _, fault := range Check(module, files, Table()) {
		t.Error(fault)
	}
}
