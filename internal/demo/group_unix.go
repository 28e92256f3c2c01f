//go:build unix

package demo

import (
	"os/exec"
	"syscall"
)

// ownGroup keeps Ctrl-C at the terminal from the child: the parent tells it when
// to stop, after the autopilot has withdrawn its candidate under load.
func ownGroup(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }
