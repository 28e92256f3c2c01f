package overhead

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"
)

// process is a child that answers lines of JSON. It never outlives this one: it ends
// with its standard input, is killed with the context, and by the system where this
// process is killed, also while it is stopped.
type process struct {
	name    string
	cmd     *exec.Cmd
	in      io.WriteCloser
	lines   *json.Encoder
	answers *json.Decoder
}

// patience with a child that was told to end.
const patience = 20 * time.Second

// start a child. It inherits the processors of the calling thread.
func start(ctx context.Context, name string, command []string, s spec) (*process, error) {
	if len(command) == 0 {
		return nil, errors.New("no command to start processes with")
	}
	p := &process{name: name, cmd: exec.CommandContext(ctx, command[0], command[1:]...)} //nolint:gosec // our own binary
	p.cmd.Stderr, p.cmd.SysProcAttr = os.Stderr, dieWithParent()
	in, err := p.cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	p.in, p.lines, p.answers = in, json.NewEncoder(in), json.NewDecoder(out)
	if err := p.lines.Encode(s); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", name, err), p.close())
	}
	return p, nil
}

// read its next answer.
func (p *process) read(answer any) error {
	if err := p.answers.Decode(answer); err != nil {
		return fmt.Errorf("%s: %w", p.name, err)
	}
	return nil
}

// ask sends a line and reads the answer.
func (p *process) ask(line, answer any) error {
	if err := p.lines.Encode(line); err != nil {
		return fmt.Errorf("%s: %w", p.name, err)
	}
	return p.read(answer)
}

// close ends it, stopped or not, and waits.
func (p *process) close() error {
	_ = p.in.Close() // it may be gone
	_ = p.resume()
	late := time.AfterFunc(patience, func() { _ = p.cmd.Process.Kill() })
	defer late.Stop()
	if err := p.cmd.Wait(); err != nil {
		return fmt.Errorf("%s: %w", p.name, err)
	}
	return nil
}
