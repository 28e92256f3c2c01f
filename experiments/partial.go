package experiments

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
)

// partial is the file of finished jobs, one JSON object a line, each durable
// before the next. A line that a crash tore is skipped, and its job done again.
type partial struct {
	file *os.File
	done map[string]*Tally
}

// finished is one line.
type finished struct {
	Key   string `json:"key"`
	Tally *Tally `json:"tally"`
}

// openPartial reads what is there and makes ready to append.
func openPartial(path string) (*partial, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	p := &partial{file: f, done: map[string]*Tally{}}
	if err := p.read(); err != nil {
		return nil, errors.Join(fmt.Errorf("read %s: %w", path, err), f.Close())
	}
	return p, nil
}

func (p *partial) read() error {
	r := bufio.NewReader(p.file)
	for {
		line, err := r.ReadBytes('\n')
		var f finished
		if json.Unmarshal(line, &f) == nil && f.Tally != nil {
			p.done[f.Key] = f.Tally
		}
		if errors.Is(err, io.EOF) {
			if len(line) > 0 { // torn: what follows gets a line of its own
				_, err = p.file.WriteString("\n")
				return err
			}
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// add appends a job's tally and waits until it is durable.
func (p *partial) add(key string, t *Tally) error {
	line, err := json.Marshal(finished{key, t})
	if err != nil {
		return err
	}
	if _, err := p.file.Write(append(line, '\n')); err != nil {
		return err
	}
	p.done[key] = t
	return p.file.Sync()
}

// remove deletes the file: the report has what was in it.
func (p *partial) remove() error {
	return errors.Join(p.file.Close(), os.Remove(p.file.Name()))
}
