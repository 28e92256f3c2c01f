package live

import (
	"bufio"
	"cmp"
	"fmt"
	"os"
	"runtime"
	"strings"
)

// Machine is where something was measured, and with what code.
type Machine struct {
	Cores  int    `json:"cores"` // that the service may use; the load has them too
	CPU    string `json:"cpu,omitempty"`
	OS     string `json:"os"`
	Go     string `json:"go"`
	Commit string `json:"commit"`
}

// ThisMachine is the one that runs the program, which is of a commit.
func ThisMachine(commit string) Machine {
	return Machine{
		Cores: runtime.GOMAXPROCS(0), CPU: cpuModel(), OS: runtime.GOOS + "/" + runtime.GOARCH, Go: runtime.Version(), Commit: commit,
	}
}

// String is the machine in a line.
func (m Machine) String() string {
	return fmt.Sprintf("%d cores of %s, %s, %s, commit %s", m.Cores, cmp.Or(m.CPU, "unknown"), m.OS, m.Go, cmp.Or(m.Commit, "unknown"))
}

// cpuModel is what Linux calls the processor; empty elsewhere.
func cpuModel() string {
	f, err := os.Open("/proc/cpuinfo")
	if err != nil {
		return ""
	}
	defer f.Close()
	for in := bufio.NewScanner(f); in.Scan(); {
		if key, value, ok := strings.Cut(in.Text(), ":"); ok && strings.TrimSpace(key) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// LoadAverage is Linux's over the last minute, or -1.
func LoadAverage() float64 {
	data, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return -1
	}
	average := -1.0
	if _, err := fmt.Sscan(string(data), &average); err != nil {
		return -1
	}
	return average
}
