package journal

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A real file system that is full, and one that is read-only. Mounting needs
// root; the tests with an injected disk need nothing.
func mountSmall(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=64k"); err != nil {
		t.Skipf("mounting a small file system: %v", err)
	}
	t.Cleanup(func() { assert.NoError(t, syscall.Unmount(dir, 0)) })
	return dir
}

func TestDisk_reallyFullThenFree(t *testing.T) {
	root := mountSmall(t)
	ballast := filepath.Join(root, "ballast")
	require.NoError(t, os.WriteFile(ballast, make([]byte, 40<<10), 0o600))
	dir := filepath.Join(root, "journal")
	j, err := Open(dir, Options{})
	require.NoError(t, err)
	defer j.Close()
	n := 0
	for ; n < 10_000; n++ {
		if err = j.Append(note(n)); err != nil {
			break
		}
	}
	require.ErrorIs(t, err, syscall.ENOSPC)
	require.ErrorIs(t, j.Append(note(n)), syscall.ENOSPC)
	require.NoError(t, j.Sync())
	assert.Len(t, readAll(t, dir), n)

	require.NoError(t, j.Close())
	j, err = Open(dir, Options{})
	require.NoError(t, err, "a full disk does not keep a restart from its last state")
	defer j.Close()
	require.NoError(t, os.Remove(ballast))
	require.NoError(t, j.Append(note(n)))
	require.NoError(t, j.Close())
	assert.Len(t, readAll(t, dir), n+1)
}

func TestDisk_readOnly(t *testing.T) {
	dir := mountSmall(t)
	j := mustOpen(t, dir, Options{})
	require.NoError(t, j.Append(state(3)))
	require.NoError(t, j.Close())
	require.NoError(t, syscall.Mount("", dir, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""))
	_, err := Open(dir, Options{})
	require.ErrorIs(t, err, syscall.EROFS)
	assert.Equal(t, "journal "+dir+": lock the folder, which must be writable: read-only file system", err.Error())
	s, err := LastState(dir)
	require.NoError(t, err)
	assert.Equal(t, 3, s.NextTrial, "the last kept setting can be put back all the same")
}
