package journal

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"autotune/controller"
)

// What Open does with the files it finds. Every line of every segment has its
// frame, checksum and number checked, which is fast because nothing is decoded;
// only the last session and the last state are. Nothing is changed before all
// of it has been found good.

// load verifies the segments and then removes what a crash left behind.
func (j *Journal) load() error {
	var err error
	if j.segments, err = listSegments(j.dir); err != nil {
		return err
	}
	var torn int64
	headless := 0
	for i, number := range j.segments {
		last := i == len(j.segments)-1
		s, snapshot, err := j.loadSegment(number, last)
		if err != nil {
			return err
		}
		if s.offset == 0 {
			headless, torn = number, s.torn
			break
		}
		j.seq, j.size, j.snapshot, torn = s.seq, s.offset, snapshot, s.torn
	}
	for _, record := range [][]byte{j.session, j.state} {
		if record == nil {
			continue
		}
		if err := json.Unmarshal(record, new(controller.Record)); err != nil {
			return fmt.Errorf("journal %s: the last %s: %w", j.dir, kindOf(record), err)
		}
	}
	if err := j.removeUnfinished(); err != nil {
		return err
	}
	if headless != 0 {
		return j.removeHeadless(headless, torn)
	}
	return j.cutTorn(torn)
}

// loadSegment verifies one segment, remembers its last session and state, and
// returns the bytes that its header and repeats take.
func (j *Journal) loadSegment(number int, last bool) (s *scanner, snapshot int64, err error) {
	path := segmentPath(j.dir, number)
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, fmt.Errorf("journal %s: read: %w", path, cause(err))
	}
	defer f.Close()
	s = newScanner(f, path)
	s.segment, s.seq, s.last = number, j.seq, last
	for {
		l, ok, err := s.next()
		if err != nil || !ok {
			return s, snapshot, err
		}
		if l.body != bodyRecord {
			snapshot = s.offset
		}
		switch kindOf(l.payload) {
		case controller.RecordSession:
			j.session = append(j.session[:0], l.payload...)
		case controller.RecordState:
			j.state = append(j.state[:0], l.payload...)
		}
		j.seq = s.seq
	}
}

// removeUnfinished removes segments that never got their name.
func (j *Journal) removeUnfinished() error {
	entries, err := os.ReadDir(j.dir)
	if err != nil {
		return fmt.Errorf("journal %s: list: %w", j.dir, cause(err))
	}
	for _, e := range entries {
		if !isUnfinished(e.Name()) {
			continue
		}
		if err := os.Remove(filepath.Join(j.dir, e.Name())); err != nil {
			return fmt.Errorf("journal %s: remove the unfinished %s: %w", j.dir, e.Name(), cause(err))
		}
		j.recovered = append(j.recovered, fmt.Sprintf("%s: unfinished, removed", e.Name()))
	}
	return nil
}

// removeHeadless removes the last segment, in which not even the header is whole.
func (j *Journal) removeHeadless(number int, torn int64) error {
	path := segmentPath(j.dir, number)
	if err := os.Remove(path); err != nil {
		return fmt.Errorf("journal %s: remove, its header is torn: %w", path, cause(err))
	}
	j.recovered = append(j.recovered, fmt.Sprintf("%s: no whole line in %d bytes, removed", filepath.Base(path), torn))
	j.segments = j.segments[:len(j.segments)-1]
	j.folderDirty = true
	return nil
}

// cutTorn cuts the last segment back to its last whole line.
func (j *Journal) cutTorn(torn int64) error {
	if err := j.ready(); err != nil {
		return fmt.Errorf("journal %s: %w", j.dir, err)
	}
	if torn == 0 {
		return nil
	}
	j.overhang = true
	if err := j.trim(); err != nil {
		return fmt.Errorf("journal %s: %w", j.dir, err)
	}
	j.recovered = append(j.recovered, fmt.Sprintf("%s: torn at the end, %d bytes cut off", j.name(), torn))
	return nil
}

// verify checks lines that are held in memory, the last of which must have seq.
func verify(data []byte, path string, seq uint64) error {
	s := newScanner(bytes.NewReader(data), path)
	for {
		_, ok, err := s.next()
		if err != nil {
			return err
		}
		if !ok {
			break
		}
	}
	if s.seq != seq {
		return s.at(s.line, fmt.Errorf("seq %d: must be %d at the end", s.seq, seq))
	}
	return nil
}

// kindOf returns the kind of a record that this package encoded, whose first
// fields are {"at":"...","kind":"...". Anything else is decoded.
func kindOf(record []byte) controller.RecordKind {
	const at, kind = `{"at":"`, `,"kind":"`
	if rest, ok := bytes.CutPrefix(record, []byte(at)); ok {
		if _, rest, ok = bytes.Cut(rest, []byte{'"'}); ok {
			if rest, ok = bytes.CutPrefix(rest, []byte(kind)); ok {
				if k, _, ok := bytes.Cut(rest, []byte{'"'}); ok {
					return controller.RecordKind(k)
				}
			}
		}
	}
	var r struct {
		Kind controller.RecordKind `json:"kind"`
	}
	_ = json.Unmarshal(record, &r) // what does not decode has no kind
	return r.Kind
}
