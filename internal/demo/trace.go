package demo

import (
	"bufio"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"strings"
)

// A trace is a recorded request rate: a CSV file, or the same under gzip, of a
// header and one row for each second or each minute, in order and without a gap:
//
//	second,requests        minute,requests
//	0,12                   0,310
//	1,9                    1,295
//
// A run takes the busiest stretch of its own length, because a recording is
// mostly night, and scales it to a mean rate. A minute counts as sixty seconds
// of its mean. Scaling up keeps the shape and magnifies the counting noise of a
// slow recording, so seconds without a request and seconds of several times the
// mean are normal.

const (
	maxTraceRows  = 10_000_000 // a row a second for four months
	maxTraceCount = 1e9        // requests in one row
	gzipMagic     = "\x1f\x8b"
)

// TraceError says why a trace file cannot be used.
type TraceError struct {
	Path  string
	Line  int    // from 1; 0 if the file as a whole is meant
	Value string // what is there; empty if there is nothing to show
	Rule  string // what must be there
}

// Error names file, line, value and rule, in one line.
func (e *TraceError) Error() string {
	s := "trace " + e.Path
	if e.Line > 0 {
		s += fmt.Sprintf(": line %d", e.Line)
	}
	if e.Value != "" {
		s += fmt.Sprintf(": %q", e.Value)
	}
	return s + ": " + e.Rule
}

// ReadTrace reads the rate to drive for each of so many seconds, in requests
// per second: the busiest stretch of the file at path, scaled to a mean of rate.
func ReadTrace(path string, rate float64, seconds int) ([]float64, error) {
	if !(rate > 0 && rate <= MaxRate) {
		return nil, fmt.Errorf("rate %v: must be above 0 and at most %v requests/s", rate, float64(MaxRate))
	}
	if seconds < 1 {
		return nil, fmt.Errorf("seconds %d: must be at least 1", seconds)
	}
	f, err := os.Open(path)
	if err != nil {
		var pathErr *os.PathError
		if errors.As(err, &pathErr) {
			err = pathErr.Err
		}
		return nil, &TraceError{Path: path, Rule: "cannot be read: " + err.Error()}
	}
	defer f.Close()

	counts, perRow, err := parseTrace(f)
	if err != nil {
		var bad *TraceError
		if errors.As(err, &bad) {
			bad.Path = path
		}
		return nil, err
	}
	if have := len(counts) * perRow; have < seconds {
		return nil, &TraceError{Path: path, Value: strconv.Itoa(have) + " s", Rule: fmt.Sprintf("must cover the run's %d s", seconds)}
	}
	return busiest(path, counts, perRow, rate, seconds)
}

// parseTrace reads the requests of each row, and how many seconds a row covers.
func parseTrace(r io.Reader) (counts []float64, perRow int, err error) {
	buffered := bufio.NewReader(r)
	if magic, _ := buffered.Peek(2); string(magic) == gzipMagic {
		zip, err := gzip.NewReader(buffered)
		if err != nil {
			return nil, 0, &TraceError{Rule: "cannot be read: " + err.Error()}
		}
		buffered = bufio.NewReader(zip)
	}
	lines := bufio.NewScanner(buffered)
	lines.Buffer(make([]byte, 4096), 4096)
	line, first := 0, uint64(0)
	for lines.Scan() {
		line++
		text := strings.TrimSuffix(lines.Text(), "\r")
		bad := func(value, rule string) error {
			if err := lines.Err(); err != nil { // the line is only the part that could be read
				return &TraceError{Line: line, Rule: "cannot be read: " + err.Error()}
			}
			return &TraceError{Line: line, Value: shorten(value), Rule: rule}
		}
		if line == 1 {
			switch text {
			case "second,requests":
				perRow = 1
			case "minute,requests":
				perRow = 60
			default:
				return nil, 0, bad(text, "must be the header second,requests or minute,requests")
			}
			continue
		}
		at, count, ok := strings.Cut(text, ",")
		if !ok || strings.Contains(count, ",") {
			return nil, 0, bad(text, "must be two values: a time and its requests")
		}
		t, err := strconv.ParseUint(at, 10, 32)
		if err != nil {
			return nil, 0, bad(at, "must be a time: a whole number from 0")
		}
		if len(counts) == 0 {
			first = t
		}
		if want := first + uint64(len(counts)); t != want {
			return nil, 0, bad(at, fmt.Sprintf("must follow on the line before: %d", want))
		}
		n, err := strconv.ParseFloat(count, 64)
		if err != nil || !(n >= 0 && n <= maxTraceCount) {
			return nil, 0, bad(count, fmt.Sprintf("must be a number of requests within 0..%v", float64(maxTraceCount)))
		}
		if len(counts) == maxTraceRows {
			return nil, 0, bad(text, fmt.Sprintf("must have at most %d rows", maxTraceRows))
		}
		counts = append(counts, n)
	}
	switch err := lines.Err(); {
	case errors.Is(err, bufio.ErrTooLong):
		return nil, 0, &TraceError{Line: line + 1, Rule: "must be a line of at most 4096 bytes"}
	case err != nil:
		return nil, 0, &TraceError{Line: line + 1, Rule: "cannot be read: " + err.Error()}
	case line == 0:
		return nil, 0, &TraceError{Line: 1, Rule: "must be the header second,requests or minute,requests; the file is empty"}
	case len(counts) == 0:
		return nil, 0, &TraceError{Line: line, Rule: "must have rows after the header"}
	}
	return counts, perRow, nil
}

// busiest cuts the stretch with the most requests, the first one if several
// have as many, and scales it.
func busiest(path string, counts []float64, perRow int, rate float64, seconds int) ([]float64, error) {
	rows := (seconds + perRow - 1) / perRow
	var sum, most float64
	from := 0
	for i, c := range counts {
		sum += c
		if i >= rows {
			sum -= counts[i-rows]
		}
		if i >= rows-1 && sum > most {
			most, from = sum, i-rows+1
		}
	}
	rates := make([]float64, seconds)
	total := 0.0
	for s := range rates {
		rates[s] = counts[from+s/perRow]
		total += rates[s]
	}
	if !(total > 0) {
		return nil, &TraceError{Path: path, Rule: "must have requests; every row is 0"}
	}
	scale := rate * float64(seconds) / total
	for s := range rates {
		rates[s] = min(rates[s]*scale, math.MaxFloat64)
	}
	return rates, nil
}

// shorten keeps an error on one line, whatever the file holds.
func shorten(s string) string {
	const most = 40
	if len(s) > most {
		return s[:most] + "..."
	}
	return s
}
