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
	files, first, err := openSegments(dir)
	if err != nil {
		yield(Entry{}, err)
		return
	}
	defer closeAll(files)
	var seq uint64
	for i, f := range files {
		s := newScanner(f, f.Name())
		s.segment, s.seq, s.last = first+i, seq, i == len(files)-1
		if !s.entries(i == 0, yield) {
			return
		}
		seq = s.seq
	}
}

// openSegments opens all segments before the first is read, because an open
// file stays readable when a writer removes it. Listing and opening are not one
// step: when a segment came or went in between, both are done again.
func openSegments(dir string) (files []*os.File, first int, err error) {
	const tries = 20
	for range tries {
		var numbers []int
		if numbers, err = listSegments(dir); err == nil {
			files, err = openAll(dir, numbers)
		}
		if err == nil && len(numbers) > 0 {
			first = numbers[0]
		}
		if !errors.Is(err, fs.ErrNotExist) {
			break
		}
	}
	return files, first, err
}

func openAll(dir string, numbers []int) ([]*os.File, error) {
	files := make([]*os.File, 0, len(numbers))
	for _, n := range numbers {
		f, err := os.Open(segmentPath(dir, n))
		if err != nil {
			closeAll(files)
			return nil, fmt.Errorf("journal %s: read: %w", segmentPath(dir, n), cause(err))
		}
		files = append(files, f)
	}
	return files, nil
}

func closeAll(files []*os.File) {
	for _, f := range files {
		_ = f.Close()
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
