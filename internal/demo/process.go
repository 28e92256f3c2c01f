package demo

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"
)

// The load generator runs in a process of its own. The parent starts it with a
// command line that calls ServeLoad, writes the configuration as one line of
// JSON to its standard input, and keeps that open: when it closes, for whatever
// reason the parent is gone, the load stops. The report comes back as one line
// of JSON on standard output.

// loadLine is the first line of the child's standard input.
type loadLine struct {
	URL   string    `json:"url"`
	Rate  float64   `json:"rate"`
	Trace []float64 `json:"trace,omitempty"`
	Seed  uint64    `json:"seed"`
	Items int       `json:"items"`
	// Workload by name.
	Workload string `json:"workload,omitempty"`
}

// ServeLoad is the child's side.
func ServeLoad(ctx context.Context, in io.Reader, out io.Writer) error {
	r := bufio.NewReader(in)
	first, err := r.ReadBytes('\n')
	if err != nil {
		return fmt.Errorf("load: its configuration is the first line of standard input: %w", err)
	}
	var l loadLine
	if err := json.Unmarshal(first, &l); err != nil {
		return fmt.Errorf("load: configuration %q: %w", first, err)
	}
	w, err := WorkloadNamed(l.Workload)
	if err != nil {
		return fmt.Errorf("load: %w", err)
	}
	report, err := RunLoad(ctx, LoadConfig{URL: l.URL, Rate: l.Rate, Trace: l.Trace, Seed: l.Seed, Items: l.Items, Workload: w, Parent: r})
	if err != nil {
		return err
	}
	return json.NewEncoder(out).Encode(report)
}

// loadProcess is the parent's side.
type loadProcess struct {
	cmd   *exec.Cmd
	stdin io.WriteCloser
	done  chan struct{}
	line  []byte // what it printed, after done
	err   error
}

// startLoad starts the child. It is not killed when a context ends: it is told.
func startLoad(command []string, l loadLine) (*loadProcess, error) {
	if len(command) == 0 {
		return nil, errors.New("load: no command to start it with")
	}
	first, err := json.Marshal(l)
	if err != nil {
		return nil, fmt.Errorf("load: configuration: %w", err)
	}
	p := &loadProcess{cmd: exec.Command(command[0], command[1:]...), done: make(chan struct{})} //nolint:gosec // our own binary
	ownGroup(p.cmd)
	p.cmd.Env = append(os.Environ(), "GOMAXPROCS=1") // enough, and a third less CPU than with more
	var faults bytes.Buffer
	p.cmd.Stderr = &faults
	if p.stdin, err = p.cmd.StdinPipe(); err != nil {
		return nil, fmt.Errorf("load: %w", err)
	}
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("load: %w", err)
	}
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("load: %w", err)
	}
	go func() {
		defer close(p.done)
		line, readErr := io.ReadAll(stdout)
		p.line, p.err = line, errors.Join(readErr, p.cmd.Wait())
		if p.err != nil && faults.Len() > 0 {
			p.err = fmt.Errorf("%w: %s", p.err, bytes.TrimSpace(faults.Bytes()))
		}
	}()
	if _, err := p.stdin.Write(append(first, '\n')); err != nil {
		_ = p.kill() // it may have ended by itself, and said why
		return nil, fmt.Errorf("load: %w", errors.Join(err, p.err))
	}
	return p, nil
}

// stop ends the load and returns its report.
func (p *loadProcess) stop() (LoadReport, error) {
	_ = p.stdin.Close() // already gone is fine
	select {
	case <-p.done:
	case <-time.After(5 * time.Second):
		return LoadReport{}, errors.Join(errors.New("load: did not stop within 5 s"), p.kill())
	}
	if p.err != nil {
		return LoadReport{}, fmt.Errorf("load: %w", p.err)
	}
	var r LoadReport
	if err := json.Unmarshal(p.line, &r); err != nil {
		return LoadReport{}, fmt.Errorf("load: report %q: %w", p.line, err)
	}
	return r, nil
}

func (p *loadProcess) kill() error {
	err := p.cmd.Process.Kill()
	<-p.done
	return err
}
