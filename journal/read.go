package journal

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"

	"autotune/controller"
)

// Entry is one record with its place in the journal.
type Entry struct {
	Segment int // number of the segment, from 1
	Line    int // in the segment, from 1; the header is line 1
	Record  controller.Record
	// Seq numbers the lines of the whole journal, headers included.
	Seq uint64
	// Repeat: the record only repeats an older one, so that a replay can start
	// at this segment.
	Repeat bool
}

// Read yields the records of the journal in a folder, oldest first, or those of
// one segment if path is a file. Each record comes once: repeats are yielded
// from the first segment only, where the original may have been removed.
//
// It takes no lock and may run while a journal is written: it yields the whole
// lines that were there when it started, and maybe some later ones of the last
// segment. A torn last line is left out. The first thing that does not read is
// yielded as an error that names file, line and rule, and ends the sequence.
func Read(path string) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		info, err := os.Stat(path)
		if err != nil {
			yield(Entry{}, fmt.Errorf("journal %s: read: %w", path, cause(err)))
			return
		}
		if !info.IsDir() {
			ReadFile(path)(yield)
			return
		}
		readDir(path, yield)
	}
}

// ReadFile yields the records of one segment, repeats included. A torn last
// line is left out.
func ReadFile(path string) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		f, err := os.Open(path)
		if err != nil {
			yield(Entry{}, fmt.Errorf("journal %s: read: %w", path, cause(err)))
			return
		}
		defer f.Close()
		s := newScanner(f, path)
		s.last = true
		s.entries(true, yield)
	}
}

// LastState returns the last state in the folder without opening the journal
// for writing, or nil if there is none: what a service on a read-only disk
// needs to put its last kept setting back.
func LastState(dir string) (*controller.State, error) {
	var state *controller.State
	for e, err := range Read(dir) {
		if err != nil {
			return nil, err
		}
		if e.Record.Kind == controller.RecordState && e.Record.State != nil {
			state = e.Record.State
		}
	}
	return state, nil
}

func readDir(dir string, yield func(Entry, error) bool) {
	segments, err := listSegments(dir)
	if err != nil {
		yield(Entry{}, err)
		return
	}
	// All are opened before the first is read: a writer may remove the oldest
	// meanwhile, and an open file stays readable.
	var files []*os.File
	defer func() {
		for _, f := range files {
			f.Close()
		}
	}()
	for i, n := range segments {
		f, err := os.Open(segmentPath(dir, n))
		if errors.Is(err, fs.ErrNotExist) && len(files) == 0 && i < len(segments)-1 {
			continue // removed since it was listed
		}
		if err != nil {
			yield(Entry{}, fmt.Errorf("journal %s: read: %w", segmentPath(dir, n), cause(err)))
			return
		}
		files = append(files, f)
	}
	segments = segments[len(segments)-len(files):]
	var seq uint64
	for i, f := range files {
		s := newScanner(f, f.Name())
		s.segment, s.seq, s.last = segments[i], seq, i == len(files)-1
		if !s.entries(i == 0, yield) {
			return
		}
		seq = s.seq
	}
}

// entries yields the records that are left, and reports whether to go on.
func (s *scanner) entries(repeats bool, yield func(Entry, error) bool) bool {
	for {
		l, ok, err := s.next()
		if err != nil {
			yield(Entry{}, err)
			return false
		}
		if !ok {
			return true
		}
		if l.body == bodyHeader || (l.body == bodyRepeat && !repeats) {
			continue
		}
		e := Entry{Segment: s.segment, Line: s.line, Seq: l.seq, Repeat: l.body == bodyRepeat}
		if err := json.Unmarshal(l.payload, &e.Record); err != nil {
			yield(Entry{}, s.at(s.line, fmt.Errorf("record: %w", err)))
			return false
		}
		if !yield(e, nil) {
			return false
		}
	}
}

// cause strips the path that the os package adds: our own line names it.
func cause(err error) error {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return p.Err
	}
	if l, ok := errors.AsType[*os.LinkError](err); ok {
		return l.Err
	}
	return err
}
