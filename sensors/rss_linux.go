package sensors

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
)

// rssReader reads /proc/self/statm through a file that it keeps open: 4 µs
// where opening it each time costs 29. The kernel adds up the count from parts
// per processor, so it may be off by a fraction of a megabyte.
type rssReader struct {
	file *os.File
	err  error // why there is no file
	page float64
}

func newRSSReader() rssReader { return openRSS("/proc/self/statm") }

func openRSS(path string) rssReader {
	f, err := os.Open(path)
	return rssReader{file: f, err: err, page: float64(os.Getpagesize())}
}

func (r *rssReader) bytes() (float64, error) {
	if r.err != nil {
		return 0, r.err
	}
	var buf [256]byte
	n, err := r.file.ReadAt(buf[:], 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return 0, err
	}
	fields := bytes.Fields(buf[:n])
	if len(fields) < 2 {
		return 0, fmt.Errorf("statm %q: must have two fields", buf[:n])
	}
	pages, err := strconv.ParseUint(string(fields[1]), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("statm %q: second field must be a number of pages", buf[:n])
	}
	return float64(pages) * r.page, nil
}

func (r *rssReader) close() error {
	if r.err != nil {
		return nil
	}
	r.err = os.ErrClosed
	return r.file.Close()
}
