package journal

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"autotune/controller"
)

// ErrInUse is what Open returns, wrapped, when another process or this one has
// the journal open.
var ErrInUse = errors.New("already open for writing: a journal has one writer")

// ErrClosed is what Append and Sync return, wrapped, after Close.
var ErrClosed = errors.New("closed")

// Journal is a journal open for writing. It is safe for concurrent use, starts
// no goroutine, and is one process's own: a lock keeps others out until Close.
type Journal struct {
	dir       string
	opts      Options
	lock      *os.File
	recovered []string
	wrap      func(segmentFile) segmentFile // nil but in tests

	mu     sync.Mutex
	closed bool

	segments []int       // numbers of those on disk; the last one is written to
	f        segmentFile // nil: not open, though it may exist
	size     int64       // bytes of whole lines in the last segment
	snapshot int64       // bytes of its header and repeats
	seq      uint64      // of the last whole line

	// What is to be put right before the next write; see ready.
	overhang    bool // the file may be longer than size
	suspect     bool // an fsync failed
	folderDirty bool // the name of the last segment may not be durable

	session, state []byte // the last of each, as JSON; nil if there is none

	record  bytes.Buffer // reused by encode
	encoder *json.Encoder
	out     []byte // reused by Append
}

var _ controller.Recorder = (*Journal)(nil)

// Open opens the journal in a folder for writing. The folder is created if it
// is absent; its first segment is made by the first Append.
//
// All segments are verified. What a crash leaves behind, a torn last line or an
// unfinished segment, is removed and named by Recovered. Everything else that is
// wrong is an error of one line, and changes nothing on disk: another process
// that has the journal open (ErrInUse), a folder that cannot be written, a line
// of a newer version, a damaged line (LineError).
func Open(dir string, opts Options) (*Journal, error) { return open(dir, opts, nil) }

func open(dir string, opts Options, wrap func(segmentFile) segmentFile) (*Journal, error) {
	if err := opts.Validate(); err != nil {
		return nil, fmt.Errorf("journal %s: options: %w", dir, err)
	}
	opts.setDefaults()
	if dir == "" {
		return nil, errors.New("journal: folder is empty: must name one")
	}
	if err := makeDir(dir); err != nil {
		return nil, fmt.Errorf("journal %s: make the folder: %w", dir, err)
	}
	lock, err := takeLock(filepath.Join(dir, lockName))
	if errors.Is(err, ErrInUse) {
		return nil, fmt.Errorf("journal %s: %w%s", dir, err, holder(dir))
	}
	if err != nil {
		return nil, fmt.Errorf("journal %s: lock the folder, which must be writable: %w", dir, cause(err))
	}
	signLock(lock)
	j := &Journal{dir: dir, opts: opts, lock: lock, wrap: wrap}
	j.encoder = json.NewEncoder(&j.record)
	j.encoder.SetEscapeHTML(false)
	if err := j.load(); err != nil {
		_ = lock.Close()
		return nil, err
	}
	return j, nil
}

// Recovered says in one line each what Open cut off or removed. It is empty
// after a clean end.
func (j *Journal) Recovered() []string { return slices.Clone(j.recovered) }

// State returns the last state that was appended or found on disk, nil if there
// is none. The caller owns it.
func (j *Journal) State() *controller.State {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.state == nil {
		return nil
	}
	var r controller.Record
	if err := json.Unmarshal(j.state, &r); err != nil {
		return nil // not reached: it was decoded when it came in
	}
	return r.State
}

// Append writes the record to the journal. When it returns nil the record
// survives the death of the process; Sync makes it survive that of the machine.
// After an error the record is not in the journal, and Append goes on returning
// errors until a write works.
func (j *Journal) Append(r controller.Record) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.closed {
		return fmt.Errorf("journal %s: append: %w", j.dir, ErrClosed)
	}
	payload, err := j.encode(&r)
	if err == nil {
		err = j.write(payload)
	}
	if err != nil {
		return fmt.Errorf("journal %s: append %s: %w", j.dir, r.Kind, err)
	}
	switch r.Kind {
	case controller.RecordSession:
		j.session = append(j.session[:0], payload...)
	case controller.RecordState:
		j.state = append(j.state[:0], payload...)
	}
	return nil
}

// Sync returns nil once all that was appended is on stable storage. After an
// error it goes on returning errors until that is so.
func (j *Journal) Sync() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.closed {
		return fmt.Errorf("journal %s: sync: %w", j.dir, ErrClosed)
	}
	if err := j.syncAll(); err != nil {
		return fmt.Errorf("journal %s: sync: %w", j.dir, err)
	}
	return nil
}

// Close makes durable what was appended and releases the lock. The second call
// does nothing.
func (j *Journal) Close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.closed {
		return nil
	}
	j.closed = true
	errs := []error{j.syncAll()}
	if j.f != nil {
		errs = append(errs, j.f.Close())
		j.f = nil
	}
	errs = append(errs, j.lock.Close())
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("journal %s: close: %w", j.dir, err)
	}
	return nil
}

// encode returns the record as JSON, valid until the next call. What a restart
// depends on is decoded once: better refused now than found unreadable then.
func (j *Journal) encode(r *controller.Record) ([]byte, error) {
	if r.Kind == "" {
		return nil, errors.New("kind is empty: a record needs one")
	}
	j.record.Reset()
	if err := j.encoder.Encode(r); err != nil {
		return nil, err
	}
	payload := bytes.TrimSuffix(j.record.Bytes(), []byte{'\n'})
	if len(payload) > maxLine-frameLen {
		return nil, fmt.Errorf("%d bytes: must be at most %d", len(payload), maxLine-frameLen)
	}
	if r.Kind == controller.RecordSession || r.Kind == controller.RecordState {
		if err := json.Unmarshal(payload, new(controller.Record)); err != nil {
			return nil, fmt.Errorf("does not read back: %w", err)
		}
	}
	return payload, nil
}

// write appends one record line, in a new segment if this one is full.
func (j *Journal) write(payload []byte) error {
	if len(j.segments) == 0 || j.full(len(payload)+frameLen) {
		if err := j.ready(); err != nil {
			return err
		}
		if err := j.startSegment(); err != nil {
			return err
		}
	}
	if err := j.ready(); err != nil {
		return err
	}
	j.out = appendLine(j.out[:0], j.seq+1, bodyRecord, payload)
	if _, err := j.f.Write(j.out); err != nil {
		j.overhang = true
		err = fmt.Errorf("write %s: %w", j.name(), cause(err))
		_ = j.trim() // if that does not work either, ready tries again
		return err
	}
	j.size += int64(len(j.out))
	j.seq++
	return nil
}

// full reports whether n more bytes are too many for the segment. One that
// holds nothing but its snapshot is never full.
func (j *Journal) full(n int) bool {
	limit := max(j.opts.SegmentBytes, 2*j.snapshot)
	return j.size > j.snapshot && j.size+int64(n) > limit
}

// ready brings the last segment, if there is one, to where a line can be
// appended: on sound ground, open, and ending with a whole line.
func (j *Journal) ready() error {
	if len(j.segments) == 0 {
		return nil
	}
	if j.suspect {
		if err := j.rescue(); err != nil {
			return err
		}
	}
	if j.f == nil {
		f, err := j.openFile(segmentPath(j.dir, j.segments[len(j.segments)-1]), 0)
		if err != nil {
			return fmt.Errorf("open %s: %w", j.name(), cause(err))
		}
		j.f = f
	}
	return j.trim()
}

// trim cuts off what a failed write left behind the last whole line.
func (j *Journal) trim() error {
	if !j.overhang {
		return nil
	}
	if err := j.f.Truncate(j.size); err != nil {
		return fmt.Errorf("cut %s back to %d bytes: %w", j.name(), j.size, cause(err))
	}
	j.overhang = false
	return nil
}

func (j *Journal) syncAll() error {
	if len(j.segments) == 0 {
		return nil
	}
	if err := j.ready(); err != nil {
		return err
	}
	if err := j.syncFile(); err != nil {
		return err
	}
	return j.syncFolder()
}

func (j *Journal) syncFile() error {
	if err := j.f.Sync(); err != nil {
		j.suspect = true
		return fmt.Errorf("fsync %s: %w", j.name(), cause(err))
	}
	return nil
}

// name of the last segment's file.
func (j *Journal) name() string {
	return filepath.Base(segmentPath(j.dir, j.segments[len(j.segments)-1]))
}

func isUnfinished(name string) bool {
	return strings.HasPrefix(name, segmentPrefix) && strings.HasSuffix(name, segmentSuffix+unfinished)
}
