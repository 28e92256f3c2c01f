//go:build unix

package journal

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"autotune/controller"
)

// disk is a disk that can be full or broken, under real files.
type disk struct {
	room      int // bytes that can still be written; negative: no limit
	noSync    bool
	noCutting bool
	cuts      int
}

type diskFile struct {
	segmentFile
	disk *disk
}

func (d *disk) wrap(f segmentFile) segmentFile { return diskFile{f, d} }

func (f diskFile) Write(b []byte) (int, error) {
	if f.disk.room < 0 {
		return f.segmentFile.Write(b)
	}
	n := min(len(b), f.disk.room)
	f.disk.room -= n
	if _, err := f.segmentFile.Write(b[:n]); err != nil {
		return 0, err
	}
	if n < len(b) {
		return n, &os.PathError{Op: "write", Path: "a long path", Err: syscall.ENOSPC}
	}
	return n, nil
}

func (f diskFile) Sync() error {
	if f.disk.noSync {
		return &os.PathError{Op: "sync", Path: "a long path", Err: syscall.EIO}
	}
	return f.segmentFile.Sync()
}

func (f diskFile) Truncate(n int64) error {
	if f.disk.noCutting {
		return &os.PathError{Op: "truncate", Path: "a long path", Err: syscall.EIO}
	}
	f.disk.cuts++
	return f.segmentFile.Truncate(n)
}

func TestDisk_fullThenFree(t *testing.T) {
	dir := t.TempDir()
	d := &disk{room: -1}
	j, err := open(dir, Options{}, d.wrap)
	require.NoError(t, err)
	require.NoError(t, j.Append(note(1)))
	for d.room = range 40 { // a write that stops at each of these bytes
		err := j.Append(note(2))
		require.ErrorIs(t, err, syscall.ENOSPC)
		assert.Equal(t, fmt.Sprintf("journal %s: append note: write journal-00000001.jsonl: no space left on device", dir), err.Error())
		require.NoError(t, j.Sync(), "what was accepted is durable")
	}
	assert.Equal(t, []string{"n1"}, notes(readAll(t, dir)))
	d.room = -1
	require.NoError(t, j.Append(note(3)))
	require.NoError(t, j.Close())
	assert.Equal(t, []string{"n1", "n3"}, notes(readAll(t, dir)))
}

func TestDisk_cannotCutBack(t *testing.T) {
	dir := t.TempDir()
	d := &disk{room: -1}
	j, err := open(dir, Options{}, d.wrap)
	require.NoError(t, err)
	require.NoError(t, j.Append(note(1)))
	d.room, d.noCutting = 10, true
	require.ErrorIs(t, j.Append(note(2)), syscall.ENOSPC)
	d.room = -1
	err = j.Append(note(2))
	require.ErrorIs(t, err, syscall.EIO)
	assert.ErrorContains(t, err, "cut journal-00000001.jsonl back to")
	assert.Equal(t, []string{"n1"}, notes(readAll(t, dir)), "a reader sees a torn end")
	require.ErrorIs(t, j.Sync(), syscall.EIO)
	d.noCutting = false
	require.NoError(t, j.Append(note(3)))
	require.NoError(t, j.Close())
	assert.Equal(t, []string{"n1", "n3"}, notes(readAll(t, dir)))
}

func TestDisk_fullWhenTheFirstOrNextSegmentStarts(t *testing.T) {
	dir := t.TempDir()
	d := &disk{room: 50}
	j, err := open(dir, Options{SegmentBytes: 1024}, d.wrap)
	require.NoError(t, err)
	err = j.Append(state(1))
	require.ErrorIs(t, err, syscall.ENOSPC)
	assert.ErrorContains(t, err, "append state: create journal-00000001.jsonl: no space left on device")
	assert.Nil(t, j.State(), "not accepted")
	require.NoError(t, j.Sync())
	assert.Empty(t, readAll(t, dir))
	d.room = -1
	require.NoError(t, j.Append(state(1)))
	i := 0
	for ; len(j.segments) == 1 && !j.full(len(`{"at":"2026-03-01T09:00:01Z","kind":"note","note":"n1"}`)+frameLen); i++ {
		require.NoError(t, j.Append(note(i)))
	}
	d.room = 50
	assert.ErrorContains(t, j.Append(note(i)), "create journal-00000002.jsonl: no space left on device")
	assert.ErrorContains(t, j.Append(note(i)), "create journal-00000002.jsonl: no space left on device")
	assert.Len(t, notes(readAll(t, dir)), i)
	d.room = -1
	require.NoError(t, j.Append(note(i)))
	assert.Len(t, j.segments, 2)
	require.NoError(t, j.Close())
	assert.Len(t, notes(readAll(t, dir)), i+1)
}

func TestDisk_failedFsyncIsNotForgotten(t *testing.T) {
	dir := t.TempDir()
	d := &disk{room: -1}
	j, err := open(dir, Options{}, d.wrap)
	require.NoError(t, err)
	require.NoError(t, j.Append(note(1)))
	before, err := os.Stat(segmentPath(dir, 1))
	require.NoError(t, err)
	d.noSync = true
	for range 3 {
		err := j.Sync()
		require.ErrorIs(t, err, syscall.EIO)
		assert.NotContains(t, err.Error(), "\n")
		require.ErrorIs(t, j.Append(note(2)), syscall.EIO)
	}
	d.noSync = false
	require.NoError(t, j.Sync())
	after, err := os.Stat(segmentPath(dir, 1))
	require.NoError(t, err)
	assert.False(t, os.SameFile(before, after), "copied to a new file: a second fsync of the first means nothing")
	require.NoError(t, j.Append(note(3)))
	require.NoError(t, j.Close())
	assert.Equal(t, []string{"n1", "n3"}, notes(readAll(t, dir)))
}

func TestDisk_closeReportsWhatIsNotDurable(t *testing.T) {
	d := &disk{room: -1}
	dir := t.TempDir()
	j, err := open(dir, Options{}, d.wrap)
	require.NoError(t, err)
	require.NoError(t, j.Append(note(1)))
	d.noSync = true
	require.ErrorIs(t, j.Close(), syscall.EIO)
	require.NoError(t, j.Close())
	mustOpen(t, dir, Options{}) // the lock is released all the same
}

// machine is a journal under random appends, syncs, failures, crashes and
// cuts of its end, beside a model that is a list of what was acknowledged.
type machine struct {
	dir   string
	disk  *disk
	j     *Journal
	n     int
	acked []acked
}

type acked struct {
	record  controller.Record
	segment int
	end     int64 // offset behind its line
}

func (m *machine) open(t *rapid.T) {
	var err error
	*m.disk = disk{room: -1}
	m.j, err = open(m.dir, Options{SegmentBytes: 1024, Segments: 1 << 20, Now: fixed}, m.disk.wrap)
	require.NoError(t, err)
}

func (m *machine) Append(t *rapid.T) {
	m.n++
	r := rapid.SampledFrom([]controller.Record{note(m.n), note(m.n), note(m.n), state(m.n), session(uint64(m.n))}).Draw(t, "record")
	if r.Kind == controller.RecordNote {
		r.Note += strings.Repeat("x", rapid.IntRange(0, 400).Draw(t, "length"))
	}
	if m.j.Append(r) == nil {
		m.acked = append(m.acked, acked{r, m.j.segments[len(m.j.segments)-1], m.j.size})
	} else if m.disk.room < 0 && !m.disk.noSync && !m.disk.noCutting {
		t.Fatal("refused on a sound disk")
	}
}

func (m *machine) Sync(t *rapid.T) { _ = m.j.Sync() }

func (m *machine) Break(t *rapid.T) {
	m.disk.room = rapid.IntRange(-1, 300).Draw(t, "room")
	m.disk.noSync = rapid.Bool().Draw(t, "no fsync")
	m.disk.noCutting = rapid.Bool().Draw(t, "no truncate")
}

func (m *machine) Mend(t *rapid.T) { *m.disk = disk{room: -1} }

func (m *machine) Reopen(t *rapid.T) {
	m.Mend(t)
	require.NoError(t, m.j.Close())
	m.open(t)
	require.Empty(t, m.j.Recovered())
}

// Crash leaves everything as it is at this moment, as kill -9 does.
func (m *machine) Crash(t *rapid.T) {
	m.crash()
	m.open(t)
}

func (m *machine) crash() {
	if m.j.f != nil {
		_ = m.j.f.Close()
	}
	_ = m.j.lock.Close()
}

// Cut crashes and shortens the last segment to any length, as a lost disk cache may.
func (m *machine) Cut(t *rapid.T) {
	m.crash()
	defer m.open(t)
	numbers, err := listSegments(m.dir)
	require.NoError(t, err)
	if len(numbers) == 0 {
		return
	}
	last := numbers[len(numbers)-1]
	info, err := os.Stat(segmentPath(m.dir, last))
	require.NoError(t, err)
	size := rapid.Int64Range(0, info.Size()).Draw(t, "size")
	require.NoError(t, os.Truncate(segmentPath(m.dir, last), size))
	for n := len(m.acked); n > 0 && m.acked[n-1].segment == last && m.acked[n-1].end > size; n-- {
		m.acked = m.acked[:n-1]
	}
}

// Check holds after each action.
func (m *machine) Check(t *rapid.T) {
	var state *controller.State
	i := 0
	for e, err := range Read(m.dir) {
		require.NoError(t, err)
		require.Less(t, i, len(m.acked), "invented: %+v", e)
		require.Equal(t, m.acked[i].record.Note, e.Record.Note)
		require.Equal(t, m.acked[i].record.State, e.Record.State)
		require.Equal(t, m.acked[i].record.Kind, e.Record.Kind)
		require.Equal(t, m.acked[i].segment, e.Segment)
		i++
	}
	require.Equal(t, len(m.acked), i, "lost")
	for _, a := range m.acked {
		if a.record.State != nil {
			state = a.record.State
		}
	}
	require.Equal(t, state, m.j.State())
}

func TestJournal_propertyNothingIsLostOrInvented(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		dir, err := os.MkdirTemp("", "journal")
		require.NoError(t, err)
		defer os.RemoveAll(dir)
		m := &machine{dir: dir, disk: &disk{}}
		m.open(t)
		defer func() { _ = m.j.Close() }()
		t.Repeat(map[string]func(*rapid.T){
			"append": m.Append, "append more": m.Append, "append again": m.Append, "sync": m.Sync,
			"break": m.Break, "mend": m.Mend, "reopen": m.Reopen, "crash": m.Crash, "cut": m.Cut, "": m.Check,
		})
	})
}
