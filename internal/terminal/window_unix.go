//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package terminal

import (
	"io"
	"os"
	"syscall"
	"unsafe"
)

// windowSize returns columns and rows of the terminal behind w, and whether w
// is one.
func windowSize(w io.Writer) (wide, high int, ok bool) {
	f, isFile := w.(*os.File)
	if !isFile {
		return 0, 0, false
	}
	conn, err := f.SyscallConn()
	if err != nil {
		return 0, 0, false
	}
	var size struct{ rows, columns, x, y uint16 }
	var errno syscall.Errno
	err = conn.Control(func(fd uintptr) {
		_, _, errno = syscall.Syscall(syscall.SYS_IOCTL, fd, syscall.TIOCGWINSZ,
			uintptr(unsafe.Pointer(&size))) //nolint:gosec // the kernel fills in the struct
	})
	if err != nil || errno != 0 {
		return 0, 0, false
	}
	return int(size.columns), int(size.rows), true
}
