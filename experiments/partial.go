package experiments

import (
	"encoding/json"

	"autotune/experiments/internal/durable"
)

// partial is the file of finished jobs. A line that a crash tore is skipped, and
// its job done again.
type partial struct {
	*durable.Lines
	done map[string]*Tally
}

// finished is one line.
type finished struct {
	Key   string `json:"key"`
	Tally *Tally `json:"tally"`
}

// openPartial reads what is there and makes ready to append.
func openPartial(path string) (*partial, error) {
	p := &partial{done: map[string]*Tally{}}
	var err error
	p.Lines, err = durable.OpenLines(path, func(line []byte) {
		var f finished
		if json.Unmarshal(line, &f) == nil && f.Tally != nil {
			p.done[f.Key] = f.Tally
		}
	})
	return p, err
}

// add appends a job's tally and waits until it is durable.
func (p *partial) add(key string, t *Tally) error {
	if err := p.Add(finished{key, t}); err != nil {
		return err
	}
	p.done[key] = t
	return nil
}
