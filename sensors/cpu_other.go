//go:build !unix

package sensors

import "errors"

var errNotHere = errors.New("not known on this system")

// childSeconds is the same of children that have ended.
func childSeconds() (float64, error) { return 0, errNotHere }

// openFilesLimit is how many file descriptors the process may have.
func openFilesLimit() (float64, error) { return 0, errNotHere }

// cpuSeconds is the CPU time of the process so far, user and system.
func (p *process) cpuSeconds() (float64, error) {
	if p.rss.err != nil {
		return 0, p.rss.err
	}
	t, err := p.rss.own.Times()
	if err != nil {
		return 0, err
	}
	return t.User + t.System, nil
}

// ProcessCPU returns the CPU time that the process has used so far, user and
// system, in seconds, where it can be read cheaply.
func ProcessCPU() (seconds float64, ok bool) { return 0, false }
