package traces

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/ulikunitz/xz"

	"autotune/simulate/internal/csvfile"
)

// mostKeys bounds the memory that a trace takes.
const mostKeys = 50_000_000

// OpenKeys reads the named file as ReadKeys does.
func OpenKeys(path string) ([]uint64, error) { return csvfile.Open("keys", path, ReadKeys) }

// ReadKeys reads keys, in order. What is in the file is seen from its beginning,
// not its name. There is at least one key.
func ReadKeys(r io.Reader) ([]uint64, error) {
	const (
		gzipMagic = "\x1f\x8b"
		xzMagic   = "\xfd7zXZ\x00"
	)
	in := bufio.NewReader(r)
	magic, _ := in.Peek(len(xzMagic))
	switch {
	case string(magic) == xzMagic:
		unpacked, err := xz.NewReader(in)
		if err != nil {
			return nil, fmt.Errorf("xz: %w", err)
		}
		return readNumbers(bufio.NewReader(unpacked))
	case bytes.HasPrefix(magic, []byte(gzipMagic)):
		unpacked, err := gzip.NewReader(in)
		if err != nil {
			return nil, fmt.Errorf("gzip: %w", err)
		}
		return readLines(unpacked)
	}
	return readLines(in)
}

// readLines reads a key a line. Blank lines and such with a star are left out.
func readLines(r io.Reader) ([]uint64, error) {
	var keys []uint64
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 4096), 4096)
	line := 0
	for lines.Scan() {
		line++
		text := bytes.TrimSpace(lines.Bytes())
		if len(text) == 0 || bytes.IndexByte(text, '*') >= 0 {
			continue
		}
		key, err := strconv.ParseUint(string(text), 10, 64)
		switch {
		case lines.Err() != nil: // the line is only the part that could be read
		case err != nil:
			column := 1 + bytes.IndexByte(lines.Bytes(), text[0])
			return nil, fmt.Errorf("line %d, column %d: %q: must be a key, a whole number within 0..2^64-1", line, column, shorten(string(text)))
		case len(keys) == mostKeys:
			return nil, fmt.Errorf("line %d: must have at most %d keys", line, mostKeys)
		}
		keys = append(keys, key)
	}
	switch err := lines.Err(); {
	case errors.Is(err, bufio.ErrTooLong):
		return nil, fmt.Errorf("line %d: must be a line of at most 4096 bytes, with one key", line+1)
	case err != nil:
		return nil, fmt.Errorf("line %d: read: %w", line+1, err)
	case len(keys) == 0:
		return nil, errors.New("no keys: must have one a line")
	}
	return keys, nil
}

// readNumbers reads big-endian 32-bit numbers.
func readNumbers(r io.Reader) ([]uint64, error) {
	var keys []uint64
	var word [4]byte
	for {
		n, err := io.ReadFull(r, word[:])
		switch {
		case errors.Is(err, io.EOF):
			if len(keys) == 0 {
				return nil, errors.New("no keys: must have 4 bytes for each")
			}
			return keys, nil
		case errors.Is(err, io.ErrUnexpectedEOF) && n > 0:
			return nil, fmt.Errorf("key %d: ends after %d bytes: must have 4", len(keys)+1, n)
		case err != nil:
			return nil, fmt.Errorf("key %d: read: %w", len(keys)+1, err)
		case len(keys) == mostKeys:
			return nil, fmt.Errorf("key %d: must have at most %d keys", len(keys)+1, mostKeys)
		}
		keys = append(keys, uint64(binary.BigEndian.Uint32(word[:])))
	}
}
