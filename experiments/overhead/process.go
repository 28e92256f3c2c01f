package overhead

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
)

// process is the load's.
type process struct {
	cmd     *exec.Cmd
	in      io.WriteCloser
	jobs    *json.Encoder
	answers *json.Decoder
}

func startLoad(command []string) (*process, error) {
	if len(command) == 0 {
		return nil, errors.New("load: no command to start it with")
	}
	p := &process{cmd: exec.Command(command[0], command[1:]...)} //nolint:gosec // our own binary
	p.cmd.Stderr = os.Stderr
	p.cmd.Env = append(os.Environ(), "GOMAXPROCS=1") // the other processor is the service's
	in, err := p.cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("load: %w", err)
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("load: %w", err)
	}
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("load: %w", err)
	}
	p.in, p.jobs, p.answers = in, json.NewEncoder(in), json.NewDecoder(out)
	return p, nil
}

func (p *process) do(j job) (s sent, err error) {
	if err = p.jobs.Encode(j); err == nil {
		err = p.answers.Decode(&s)
	}
	switch {
	case err != nil:
		return s, fmt.Errorf("load: %w", err)
	case s.Failed > 0:
		return s, fmt.Errorf("load: %d of %d requests failed: %s", s.Failed, s.Failed+s.Completed, s.Failure)
	case s.Completed == 0:
		return s, errors.New("load: no request was answered")
	}
	return s, nil
}

// close ends it: its standard input does.
func (p *process) close() error {
	_ = p.in.Close() // it may be gone
	if err := p.cmd.Wait(); err != nil {
		return fmt.Errorf("load: %w", err)
	}
	return nil
}
