package sensors

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"time"
)

// readContainer reads what the container uses and may use.
func (h *host) readContainer(r *reading) {
	if group, err := h.memoryGroup.get(h.at.root, "memory"); err != nil {
		r.missing(err.Error(), ContainerMemoryBytes)
	} else if used, err := group.memoryUsed(); err != nil {
		r.missing(err.Error(), ContainerMemoryBytes)
	} else {
		r.gauge(ContainerMemoryBytes, used)
	}
	group, err := h.cpuGroup.get(h.at.root, "cpu")
	if err != nil {
		r.missing(err.Error(), ContainerCPULimit)
		return
	}
	switch limit, err := group.cpuLimit(); {
	case errors.Is(err, errNoLimit):
		r.missing("no CPU quota is set", ContainerCPULimit)
	case err != nil:
		h.cpuGroup = found{}
		r.missing(err.Error(), ContainerCPULimit)
	default:
		r.gauge(ContainerCPULimit, limit)
	}
}

// readFiles counts file descriptors: some 0.2 µs each.
func (h *host) readFiles(r *reading) {
	list, err := fs.ReadDir(h.at.root, "proc/self/fd")
	if err != nil {
		r.missing("file descriptors: "+err.Error(), OpenFiles, OpenFilesRatio)
		return
	}
	n := float64(max(len(list)-1, 0)) // one was open to read them
	r.gauge(OpenFiles, n)
	if most, err := openFilesLimit(); err != nil {
		r.missing("file descriptors: "+err.Error(), OpenFilesRatio)
	} else {
		r.gauge(OpenFilesRatio, n/most)
	}
}

// traffic turns counters of bytes into rates. They stand for the time between two
// readings, whatever epochs began in it.
type traffic struct {
	last               time.Time
	in, out, get, send counter
}

func (t *traffic) read(root fs.FS, now time.Time, r *reading) {
	over := now.Sub(t.last).Seconds()
	t.last = now
	t.disk(root, over, r)
	t.network(root, over, r)
}

func (t *traffic) disk(root fs.FS, over float64, r *reading) {
	text, err := fs.ReadFile(root, "proc/self/io")
	if err == nil {
		var got, put float64
		if got, err = field(text, "read_bytes:"); err == nil {
			if put, err = field(text, "write_bytes:"); err == nil {
				t.in.rate(r, DiskReadRate, got, over)
				t.out.rate(r, DiskWriteRate, put, over)
				return
			}
		}
	}
	r.missing("disk: "+err.Error(), DiskReadRate, DiskWriteRate)
}

// field is the number after a name at the beginning of a line.
func field(text []byte, name string) (float64, error) {
	for line := range bytes.Lines(text) {
		if rest, ok := bytes.CutPrefix(line, []byte(name)); ok {
			return strconv.ParseFloat(string(bytes.TrimSpace(rest)), 64)
		}
	}
	return 0, fmt.Errorf("no %s", name)
}

func (t *traffic) network(root fs.FS, over float64, r *reading) {
	text, err := fs.ReadFile(root, "proc/self/net/dev")
	var in, out float64
	if err == nil {
		in, out, err = interfaces(text)
	}
	if err != nil {
		r.missing("network: "+err.Error(), NetworkInRate, NetworkOutRate)
		return
	}
	t.get.rate(r, NetworkInRate, in, over)
	t.send.rate(r, NetworkOutRate, out, over)
}

// interfaces adds up what all but loopback received and sent: lines of a name, a
// colon, and eight numbers for each way, bytes first.
func interfaces(text []byte) (in, out float64, err error) {
	lines := bufio.NewScanner(bytes.NewReader(text))
	for lines.Scan() {
		name, rest, ok := strings.Cut(lines.Text(), ":")
		if !ok || strings.TrimSpace(name) == "lo" {
			continue
		}
		f := strings.Fields(rest)
		if len(f) < 16 {
			return 0, 0, fmt.Errorf("interface %s: %d figures: must have 16", strings.TrimSpace(name), len(f))
		}
		got, errIn := strconv.ParseFloat(f[0], 64)
		sent, errOut := strconv.ParseFloat(f[8], 64)
		if err := errors.Join(errIn, errOut); err != nil {
			return 0, 0, fmt.Errorf("interface %s: %w", strings.TrimSpace(name), err)
		}
		in, out = in+got, out+sent
	}
	return in, out, lines.Err()
}
