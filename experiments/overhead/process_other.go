//go:build !linux

package overhead

import (
	"errors"
	"fmt"
	"runtime"
	"syscall"
	"time"
)

var errNotHere = fmt.Errorf("%s: not supported: processes are pinned, and read by their CPU clocks, on Linux only", runtime.GOOS)

func dieWithParent() *syscall.SysProcAttr { return nil }

func (p *process) stop() error                 { return errNotHere }
func (p *process) resume() error               { return errors.ErrUnsupported }
func (p *process) cpu() (time.Duration, error) { return 0, errNotHere }

type processors struct{}

func divide(int) (*processors, error)    { return nil, errNotHere }
func (p *processors) forServices() error { return errNotHere }
func (p *processors) forLoad() error     { return errNotHere }
func (p *processors) join() error        { return nil }
