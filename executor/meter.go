package executor

import (
	"bytes"
	"math"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"strconv"

	"github.com/KimMachineGun/automemlimit/memlimit"
)

// processMemory is the memory of this process.
//
// What the kernel counts, resident memory that is the process's own, is held
// against the limit of the container, or of the machine if the container has
// none; what the Go runtime counts is held against GOMEMLIMIT. The nearer limit
// is the one that matters: at the one the kernel kills, at the other the
// collector runs without end.
type processMemory struct{ samples [5]metrics.Sample }

func newProcessMemory() *processMemory {
	m := &processMemory{}
	for i, name := range []string{
		"/memory/classes/total:bytes", "/memory/classes/heap/released:bytes",
		"/cpu/classes/gc/total:cpu-seconds", "/cpu/classes/total:cpu-seconds", "/gc/gomemlimit:bytes",
	} {
		m.samples[i].Name = name
	}
	return m
}

// use reads anew each time: limits may be moved while a process runs.
func (m *processMemory) use() memoryUse {
	metrics.Read(m.samples[:])
	s := &m.samples
	runtime := s[0].Value.Uint64() - s[1].Value.Uint64()
	u := memoryUse{bytes: runtime, gc: s[2].Value.Float64(), cpu: s[3].Value.Float64()}
	if resident, ok := residentOwn(os.ReadFile("/proc/self/statm")); ok {
		u.bytes = resident
	}
	limit, err := memlimit.FromCgroup()
	if err != nil || limit == 0 {
		limit, err = memlimit.FromSystem()
	}
	if err == nil && limit > 0 {
		u.ratio = float64(u.bytes) / float64(limit)
	}
	if limit := s[4].Value.Uint64(); limit > 0 && limit < math.MaxInt64 {
		u.ratio = max(u.ratio, float64(runtime)/float64(limit))
	}
	return u
}

func (*processMemory) release() { debug.FreeOSMemory() }

// residentOwn is resident memory without that of files and what is shared, in
// bytes, from the contents of /proc/self/statm, which is in pages.
func residentOwn(statm []byte, err error) (uint64, bool) {
	fields := bytes.Fields(statm)
	if err != nil || len(fields) < 3 {
		return 0, false
	}
	resident, err1 := strconv.ParseUint(string(fields[1]), 10, 64)
	shared, err2 := strconv.ParseUint(string(fields[2]), 10, 64)
	if err1 != nil || err2 != nil || shared > resident {
		return 0, false
	}
	return (resident - shared) * uint64(os.Getpagesize()), true
}
