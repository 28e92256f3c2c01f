package journal

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// A segment is read by one scanner, whether to repair it, to verify it or to
// replay it: what Open accepts is what Read yields.
//
// # What is torn, and what is damaged
//
// Lines are appended with one write each. When the process dies in it, the file
// ends in a line without its newline: torn, never acknowledged, ignored. When
// the machine dies, some file systems also leave blocks that were never written,
// which read as NUL bytes, anywhere behind the last fsync. A line of JSON holds
// none, so the first line with one is where the unsynced part begins: the rest
// is torn too. Both exist at the end of the last segment only, because a segment
// is synced before the next one starts. Anything else that breaks a rule is
// damage, and damage is an error.

// LineError says which line of which file breaks which rule.
type LineError struct {
	Path string
	Line int // from 1
	Err  error
}

// Error is one line: file, line, rule.
func (e *LineError) Error() string {
	return fmt.Sprintf("journal %s line %d: %v", e.Path, e.Line, e.Err)
}

// Unwrap returns the rule.
func (e *LineError) Unwrap() error { return e.Err }

// scanner walks through one segment. It is used from one goroutine.
type scanner struct {
	path string
	r    *bufio.Reader
	buf  []byte

	// segment is the number that the header must have; 0 accepts what it has.
	segment int
	// seq of the last good line, at first that of the segment before; 0 accepts any.
	seq uint64
	// last: the end may be torn.
	last bool

	line   int   // number of the last line looked at
	offset int64 // bytes of the good lines so far
	torn   int64 // bytes behind them, once next returned false
}

func newScanner(r io.Reader, path string) *scanner {
	return &scanner{path: path, r: bufio.NewReaderSize(r, 64<<10)}
}

// next returns the next good line, or false at the end. The line's payload is
// valid until the next call.
func (s *scanner) next() (line, bool, error) {
	raw, whole, err := s.read()
	if err != nil {
		return line{}, false, fmt.Errorf("journal %s: read: %w", s.path, cause(err))
	}
	if len(raw) == 0 && !whole {
		if s.line == 0 && !s.last {
			return line{}, false, s.at(1, errors.New("the file is empty: a segment must have a header"))
		}
		return line{}, false, nil
	}
	s.line++
	var l line
	if whole {
		l, err = parseLine(raw)
	} else if !begins(raw) {
		_, err = parseLine(raw)
	} else {
		err = errors.New("no line feed at the end: torn, but later segments exist")
		if s.last {
			return line{}, false, s.tear(raw)
		}
	}
	if err != nil && s.last && bytes.IndexByte(raw, 0) >= 0 {
		return line{}, false, s.tear(raw)
	}
	if err == nil {
		err = s.check(l)
	}
	if err != nil {
		return line{}, false, s.at(s.line, err)
	}
	s.seq = l.seq
	s.offset += int64(len(raw)) + 1
	return l, true, nil
}

// read returns the next line without its newline, and whether it had one.
func (s *scanner) read() (raw []byte, whole bool, err error) {
	s.buf = s.buf[:0]
	for {
		part, err := s.r.ReadSlice('\n')
		s.buf = append(s.buf, part...)
		switch {
		case err == nil:
			return s.buf[:len(s.buf)-1], true, nil
		case err == io.EOF:
			return s.buf, false, nil
		case !errors.Is(err, bufio.ErrBufferFull):
			return nil, false, err
		case len(s.buf) > maxLine:
			return nil, false, fmt.Errorf("line %d: longer than %d bytes", s.line+1, maxLine)
		}
	}
}

// tear counts what is left as torn.
func (s *scanner) tear(raw []byte) error {
	rest, err := io.Copy(io.Discard, s.r)
	s.torn = int64(len(raw)) + rest
	if err != nil {
		return fmt.Errorf("journal %s: read: %w", s.path, cause(err))
	}
	return nil
}

// check holds a line to its place in the journal.
func (s *scanner) check(l line) error {
	if s.seq != 0 && l.seq != s.seq+1 {
		return fmt.Errorf("seq %d: must be %d: %s", l.seq, s.seq+1, gapOrRepeat(l.seq, s.seq+1))
	}
	if (s.line == 1) != (l.body == bodyHeader) {
		if s.line == 1 {
			return fmt.Errorf("%v: the first line must be the header", l.body)
		}
		return errors.New("header: must be the first line of its segment")
	}
	if l.body != bodyHeader {
		return nil
	}
	var h header
	if err := json.Unmarshal(l.payload, &h); err != nil {
		return fmt.Errorf("header: %w", err)
	}
	switch {
	case h.Segment < 1:
		return fmt.Errorf("header: segment %d: must be at least 1", h.Segment)
	case s.segment != 0 && h.Segment != s.segment:
		return fmt.Errorf("header: segment %d: the file's name says %d", h.Segment, s.segment)
	case h.Previous != h.Segment-1:
		return fmt.Errorf("header: previous %d: must be %d", h.Previous, h.Segment-1)
	case h.Segment == 1 && l.seq != 1:
		return fmt.Errorf("seq %d: must be 1 in the first segment", l.seq)
	}
	s.segment = h.Segment
	return nil
}

func (s *scanner) at(line int, err error) error {
	return &LineError{Path: s.path, Line: line, Err: err}
}

func gapOrRepeat(got, want uint64) string {
	if got > want {
		return "lines are missing"
	}
	return "lines are repeated or out of order"
}

// begins reports whether a line without its end looks like the start of one.
// A file of something else is not cut off.
func begins(raw []byte) bool {
	n := min(len(raw), len(versionPrefix))
	return string(raw[:n]) == versionPrefix[:n]
}
