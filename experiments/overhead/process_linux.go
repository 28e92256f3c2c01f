package overhead

import (
	"fmt"
	"runtime"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

func dieWithParent() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }

// stop a process until resume.
func (p *process) stop() error   { return p.cmd.Process.Signal(syscall.SIGSTOP) }
func (p *process) resume() error { return p.cmd.Process.Signal(syscall.SIGCONT) }

// cpu is the CPU time that it has used so far, by the scheduler's clock, which
// counts nanoseconds.
func (p *process) cpu() (time.Duration, error) {
	const scheduled = 2 // CPUCLOCK_SCHED of the clock of another process: clock_getcpuclockid(3)
	var t unix.Timespec
	if err := unix.ClockGettime(int32(^p.cmd.Process.Pid<<3|scheduled), &t); err != nil {
		return 0, fmt.Errorf("%s: CPU clock: %w", p.name, err)
	}
	return time.Duration(t.Nano()), nil
}

// processors are divided: the last for the services, the others for the load.
type processors struct{ all, services, load unix.CPUSet }

// divide the processors, with n for the services, and bind this goroutine to its
// thread: children inherit its processors, and die with it.
func divide(n int) (*processors, error) {
	runtime.LockOSThread()
	p := &processors{}
	if err := unix.SchedGetaffinity(0, &p.all); err != nil {
		return nil, fmt.Errorf("processors: %w", err)
	}
	if p.all.Count() <= n {
		return nil, fmt.Errorf("procs %d: must be less than the %d processors that there are: the load has one of its own", n, p.all.Count())
	}
	p.load = p.all
	for i := len(p.all)*64 - 1; p.services.Count() < n; i-- {
		if p.all.IsSet(i) {
			p.services.Set(i)
			p.load.Clear(i)
		}
	}
	return p, nil
}

// forServices has children started from now on run on the services' processors.
func (p *processors) forServices() error { return unix.SchedSetaffinity(0, &p.services) }

// forLoad is the same for the load.
func (p *processors) forLoad() error { return unix.SchedSetaffinity(0, &p.load) }

// join gives this thread all processors back.
func (p *processors) join() error {
	defer runtime.UnlockOSThread()
	return unix.SchedSetaffinity(0, &p.all)
}
