// Package durable keeps results in files that a crash at any moment leaves
// whole.
package durable

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
)

// Lines is a file of JSON objects, one a line, each durable before the next. Not
// safe for concurrent use.
type Lines struct{ file *os.File }

// OpenLines gives take each line that is there, in order, and makes ready to
// append. One that a crash tore is given too, and is no JSON: take skips it.
func OpenLines(path string, take func(line []byte)) (*Lines, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	l := &Lines{f}
	if err := l.read(take); err != nil {
		return nil, errors.Join(fmt.Errorf("read %s: %w", path, err), f.Close())
	}
	return l, nil
}

func (l *Lines) read(take func(line []byte)) error {
	in := bufio.NewReader(l.file)
	for {
		line, err := in.ReadBytes('\n')
		take(line)
		switch {
		case errors.Is(err, io.EOF):
			if len(line) > 0 { // torn: what follows gets a line of its own
				_, err := l.file.WriteString("\n")
				return err
			}
			return nil
		case err != nil:
			return err
		}
	}
}

// Add appends a value and waits until it is durable.
func (l *Lines) Add(v any) error {
	line, err := json.Marshal(v)
	if err != nil {
		return err
	}
	if _, err := l.file.Write(append(line, '\n')); err != nil {
		return err
	}
	return l.file.Sync()
}

// Close closes the file; what was added is durable before.
func (l *Lines) Close() error { return l.file.Close() }

// Remove closes the file and deletes it.
func (l *Lines) Remove() error { return errors.Join(l.file.Close(), os.Remove(l.file.Name())) }

// Replace puts a file in place, whole or not at all.
func Replace(path string, data []byte) error {
	fresh := path + ".new"
	if err := os.WriteFile(fresh, data, 0o600); err != nil {
		return err
	}
	return os.Rename(fresh, path)
}
