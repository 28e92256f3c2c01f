package journal

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

// Files and folders: how segments are named, found and put in place. A segment
// gets its name only when its content is on disk, so that a file with the name
// of a segment always has a header and a snapshot.

const (
	segmentPrefix = "journal-"
	segmentSuffix = ".jsonl"
	unfinished    = ".tmp"
	lockName      = "lock"
)

// segmentFile is what is written to. Tests put a failing disk under it.
type segmentFile interface {
	Write([]byte) (int, error)
	Truncate(int64) error
	Sync() error
	Close() error
}

func segmentPath(dir string, number int) string {
	return filepath.Join(dir, fmt.Sprintf("%s%08d%s", segmentPrefix, number, segmentSuffix))
}

// segmentNumber returns the number in a segment's file name, and false if the
// name is not one that segmentPath makes.
func segmentNumber(name string) (int, bool) {
	digits, ok := strings.CutPrefix(name, segmentPrefix)
	if !ok {
		return 0, false
	}
	if digits, ok = strings.CutSuffix(digits, segmentSuffix); !ok {
		return 0, false
	}
	n, err := strconv.Atoi(digits)
	return n, err == nil && n > 0 && filepath.Base(segmentPath("", n)) == name
}

// listSegments returns the numbers of the segments in the folder, ascending.
// They must be consecutive.
func listSegments(dir string) ([]int, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("journal %s: list: %w", dir, cause(err))
	}
	var numbers []int
	for _, e := range entries {
		if n, ok := segmentNumber(e.Name()); ok {
			numbers = append(numbers, n)
		}
	}
	slices.Sort(numbers)
	for i := 1; i < len(numbers); i++ {
		if want := numbers[i-1] + 1; numbers[i] != want {
			return nil, fmt.Errorf("journal %s: %w, but %s does: segments must be consecutive",
				segmentPath(dir, want), fs.ErrNotExist, filepath.Base(segmentPath(dir, numbers[i])))
		}
	}
	return numbers, nil
}

// putFile writes a file under another name, syncs it, and gives it its name.
// The folder is not synced. After an error the file is as it was.
func (j *Journal) putFile(path string, data []byte) error {
	tmp := path + unfinished
	f, err := j.openFile(tmp, os.O_CREATE|os.O_TRUNC)
	if err != nil {
		return fmt.Errorf("create %s: %w", filepath.Base(path), cause(err))
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = os.Rename(tmp, path)
	}
	if err != nil {
		_ = os.Remove(tmp) // what stays is removed by the next Open
		return fmt.Errorf("create %s: %w", filepath.Base(path), cause(err))
	}
	return nil
}

// openFile opens a file for appending.
func (j *Journal) openFile(path string, flag int) (segmentFile, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|flag, 0o600)
	if err != nil {
		return nil, err
	}
	if j.wrap != nil {
		return j.wrap(f), nil
	}
	return f, nil
}

// startSegment makes the next segment, durable with its snapshot, and drops the
// oldest ones. After an error the journal goes on in the segment it has, which
// is the old one unless the new one is complete, and may try again.
func (j *Journal) startSegment() error {
	number, previous := 1, 0
	if len(j.segments) > 0 {
		previous = j.segments[len(j.segments)-1]
		number = previous + 1
		// The torn end of a segment that is not the last would be damage.
		if err := j.syncFile(); err != nil {
			return err
		}
	}
	head, err := json.Marshal(header{Created: j.opts.Now(), Segment: number, Previous: previous})
	if err != nil {
		return fmt.Errorf("create %s: header: %w", filepath.Base(segmentPath(j.dir, number)), err)
	}
	seq := j.seq + 1
	data := appendLine(nil, seq, bodyHeader, head)
	for _, snapshot := range [][]byte{j.session, j.state} {
		if snapshot != nil {
			seq++
			data = appendLine(data, seq, bodyRepeat, snapshot)
		}
	}
	if err := j.putFile(segmentPath(j.dir, number), data); err != nil {
		return err
	}
	if j.f != nil {
		_ = j.f.Close() // synced above: nothing is left that closing could lose
	}
	j.f, j.segments, j.seq = nil, append(j.segments, number), seq
	j.size, j.snapshot, j.folderDirty = int64(len(data)), int64(len(data)), true
	return j.dropOldest()
}

// dropOldest removes the segments beyond Options.Segments, once the newest is
// durable. One that cannot be removed is tried again with the next segment.
func (j *Journal) dropOldest() error {
	if err := j.syncFolder(); err != nil {
		return err
	}
	for len(j.segments) > j.opts.Segments {
		if err := os.Remove(segmentPath(j.dir, j.segments[0])); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("drop %s: %w", filepath.Base(segmentPath(j.dir, j.segments[0])), cause(err))
		}
		j.segments = j.segments[1:]
	}
	return nil
}

// rescue copies the segment to a new file after a failed fsync. The kernel may
// have marked the pages clean that it could not write, so that a second fsync
// of the same file would succeed and mean nothing.
func (j *Journal) rescue() error {
	path := segmentPath(j.dir, j.segments[len(j.segments)-1])
	data, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("copy %s: %w", filepath.Base(path), cause(err))
	}
	if int64(len(data)) < j.size {
		return fmt.Errorf("copy %s: %d bytes: must have %d", filepath.Base(path), len(data), j.size)
	}
	data = data[:j.size]
	if err := verify(data, path, j.seq); err != nil {
		return err
	}
	if j.f != nil {
		_ = j.f.Close() // given up: its fsync failed
		j.f = nil
	}
	if err := j.putFile(path, data); err != nil {
		return err
	}
	j.suspect, j.overhang, j.folderDirty = false, false, true
	return j.syncFolder()
}

func (j *Journal) syncFolder() error {
	if !j.folderDirty {
		return nil
	}
	if err := syncDir(j.dir); err != nil {
		return fmt.Errorf("sync the folder: %w", cause(err))
	}
	j.folderDirty = false
	return nil
}

// signLock writes who holds the lock into its file. The lock does not depend on
// it, so that a full disk, which may leave it empty, is no error.
func signLock(lock *os.File) {
	if lock.Truncate(0) == nil {
		_, _ = lock.WriteAt(strconv.AppendInt(nil, int64(os.Getpid()), 10), 0)
	}
}

// holder says who holds the lock, as far as it is known.
func holder(dir string) string {
	text, err := os.ReadFile(filepath.Join(dir, lockName))
	pid, convErr := strconv.Atoi(string(text))
	if err != nil || convErr != nil {
		return ""
	}
	return fmt.Sprintf(" (process %d)", pid)
}

// makeDir creates the folder and its parents, durably.
func makeDir(dir string) error {
	info, err := os.Stat(dir)
	if err == nil && !info.IsDir() {
		return errors.New("is a file: must be a folder")
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return cause(err)
	}
	parent := filepath.Dir(dir)
	if parent != dir {
		if err := makeDir(parent); err != nil {
			return err
		}
	}
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return cause(err)
	}
	return cause(syncDir(parent))
}

// syncDir makes the names in a folder durable. Windows has no such call, and
// its file systems log names by themselves.
func syncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	err = d.Sync()
	if closeErr := d.Close(); err == nil {
		err = closeErr
	}
	return err
}
