//go:build !unix

package sensors

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
