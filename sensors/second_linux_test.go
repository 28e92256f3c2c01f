package sensors

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"autotune/controller"
)

// elsewhere are the facts whose second source is in a test of its own, and which.
var elsewhere = map[controller.Metric]string{
	controller.Requests:       "TestRecorder_sameAsList: a plain list of the requests",
	controller.Completions:    "TestRecorder_sameAsList",
	controller.Errors:         "TestRecorder_sameAsList",
	controller.InFlight:       "TestRecorder_sameAsList",
	controller.OldestInFlight: "TestRecorder_sameAsList",
	OpenFiles:                 "TestFacts_againstSecondSources: what was opened",
	ThrottledRatio:            "TestCgroup_aRealQuota: a control group that was made for it",
	ContainerCPULimit:         "TestCgroup_aRealQuota",
	ContainerMemoryBytes:      "TestCgroup_usageAndQuota: files of both versions, by fixture",
	DiskReadRate:              "TestTraffic_rates: by fixture, since what reaches a disk is the kernel's choice",
	DiskWriteRate:             "TestTraffic_rates",
	SchedulingP99:             "TestQuantile: the runtime's histogram is the only source",
	controller.MemoryRatio:    "TestMemoryRatio_whichLimit",
	controller.GCCPURatio:     "TestCPUShare_standsBetweenCollections",
}

// seen is what second sources say at a moment, in the units of the facts.
type seen map[controller.Metric]float64

// look asks the kernel's other files and the runtime's older interface.
func look(t *testing.T) seen {
	t.Helper()
	s := seen{}
	stat := procFields(t, "/proc/self/stat")
	ticks := func(i int) float64 { return number(t, stat[i]) / 100 } // proc(5), from 1; USER_HZ is 100
	s[controller.CPUSeconds] = ticks(13) + ticks(14)
	s[ChildCPUSeconds] = ticks(15) + ticks(16)
	for line := range strings.Lines(readFile(t, "/proc/self/status")) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			s[controller.RSSBytes] = 1024 * number(t, strings.Fields(rest)[0])
		}
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	s[controller.AllocBytes], s[GCCycles] = float64(m.TotalAlloc), float64(m.NumGC)
	s[HeapLiveBytes] = float64(m.HeapAlloc)
	s[Goroutines] = float64(runtime.NumGoroutine())
	for _, p := range m.PauseNs {
		s[GCPauseP99] = max(s[GCPauseP99], float64(p)/1e9)
	}
	var info unix.Sysinfo_t
	require.NoError(t, unix.Sysinfo(&info))
	s[MemoryLimitBytes] = float64(info.Totalram) * float64(info.Unit)
	for line := range strings.Lines(readFile(t, "/proc/meminfo")) {
		if rest, ok := strings.CutPrefix(line, "MemAvailable:"); ok {
			s[HostMemoryRatio] = 1 - 1024*number(t, strings.Fields(rest)[0])/s[MemoryLimitBytes]
		}
	}
	cpu := strings.Fields(strings.SplitN(readFile(t, "/proc/stat"), "\n", 2)[0])
	for i, f := range cpu[1:9] { // user nice system idle iowait irq softirq steal
		v := number(t, f)
		s["all"] += v
		if i == 3 || i == 4 {
			s["idle"] += v
		}
		if i == 7 {
			s["steal"] = v
		}
	}
	for way, metric := range map[string]controller.Metric{"rx_bytes": NetworkInRate, "tx_bytes": NetworkOutRate} {
		names, err := filepath.Glob("/sys/class/net/*/statistics/" + way)
		require.NoError(t, err)
		for _, name := range names {
			if !strings.Contains(name, "/net/lo/") {
				s[metric] += number(t, strings.TrimSpace(readFile(t, name)))
			}
		}
	}
	var limit unix.Rlimit
	require.NoError(t, unix.Getrlimit(unix.RLIMIT_NOFILE, &limit))
	s[OpenFilesRatio] = float64(limit.Cur)
	return s
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	require.NoError(t, err)
	return string(text)
}

// procFields are those of a file of proc whose second is a name in parentheses.
func procFields(t *testing.T, name string) []string {
	t.Helper()
	text := readFile(t, name)
	return append([]string{"pid", "name"}, strings.Fields(text[strings.LastIndexByte(text, ')')+1:])...)
}

func number(t *testing.T, text string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(text, 64)
	require.NoError(t, err)
	return v
}

// between is what a fact must lie in: what its second source said before and after
// it was read, and how much farther off it may be.
type between struct{ low, high, off float64 }

// Every fact has a second source that says the same, and does not come the same way.
// That source is asked before and after each sample, since a machine may do anything
// in between: give memory back, or leave this process waiting for a second.
func TestSensors_againstSecondSources(t *testing.T) {
	s, err := New(Options{Recorder: NewRecorder(), HostEvery: time.Nanosecond})
	require.NoError(t, err)
	defer func() { assert.NoError(t, s.Close()) }()
	s.Begin(1)
	beforeFirst := look(t)
	_, err = s.Sample(time.Now())
	require.NoError(t, err)
	afterFirst := look(t)

	waiting := make(chan struct{})
	defer close(waiting)
	for range 200 {
		go func() { <-waiting }()
	}
	for range 20 {
		burn()
		sink = make([]byte, 1<<20)
	}
	require.NoError(t, exec.Command("sh", "-c", "i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done").Run())
	runtime.GC()

	before := look(t)
	sample, err := s.Sample(time.Now())
	require.NoError(t, err)
	after := look(t)
	absent := s.Absent()

	over := sample.Over.Seconds()
	gauge := func(m controller.Metric, off float64) between {
		return between{min(before[m], after[m]), max(before[m], after[m]), off}
	}
	total := func(m controller.Metric, off float64) between {
		return between{before[m] - afterFirst[m], after[m] - beforeFirst[m], off}
	}
	rate := func(m controller.Metric) between {
		d := total(m, 0)
		return between{d.low / over, d.high / over, 1}
	}
	share := func(m, all controller.Metric) between { // of ticks, two of which may be counted late for each processor
		part, whole := total(m, 0), total(all, 0)
		return between{part.low / whole.high, part.high / max(whole.low, 1), 4 * float64(runtime.NumCPU()) / whole.low}
	}
	idle, files := share("idle", "all"), sample.Gauges[OpenFiles]/after[OpenFilesRatio]
	sources := map[controller.Metric]between{
		controller.CPUSeconds: total(controller.CPUSeconds, 0.02), // ticks of 10 ms, of two kinds
		ChildCPUSeconds:       total(ChildCPUSeconds, 0.02),
		controller.RSSBytes:   gauge(controller.RSSBytes, 4<<20), // the kernel counts pages per thread, and adds them up late
		controller.AllocBytes: total(controller.AllocBytes, 1<<20),
		GCCycles:              total(GCCycles, 0),
		HeapLiveBytes:         gauge(HeapLiveBytes, 2<<20),
		Goroutines:            gauge(Goroutines, 20), // of the 202: NumGoroutine leaves those of the runtime out
		HostMemoryRatio:       gauge(HostMemoryRatio, 0.1),
		HostCPURatio:          {1 - idle.high, 1 - idle.low, idle.off},
		HostStealRatio:        share("steal", "all"),
		NetworkInRate:         rate(NetworkInRate),
		NetworkOutRate:        rate(NetworkOutRate),
		OpenFilesRatio:        {files, files, 1e-9},
	}
	// the most that there can be.
	most := map[controller.Metric]float64{
		GCCPUSeconds:     float64(runtime.GOMAXPROCS(0)) * over,
		GCPauseP99:       2 * after[GCPauseP99], // ends of the runtime's buckets are that far apart at most
		MemoryLimitBytes: after[MemoryLimitBytes],
	}
	for _, f := range Table() {
		value, ok := sample.Gauges[f.Metric]
		if f.Kind == "total" {
			value, ok = sample.Totals[f.Metric]
		}
		source, both := sources[f.Metric]
		bound, bounded := most[f.Metric]
		switch {
		case elsewhere[f.Metric] != "":
		case !both && !bounded:
			assert.Fail(t, "no second source", f.Metric)
		case !ok:
			t.Logf("%s is absent here: %s", f.Metric, absent[f.Metric])
		case both:
			assert.True(t, value >= source.low-source.off && value <= source.high+source.off,
				"%s: %v, its second source %v to %v, and at most %v farther off", f.Metric, value, source.low, source.high, source.off)
		default:
			assert.True(t, value > 0 && value <= bound, "%s: %v, at most %v", f.Metric, value, bound)
		}
	}
}
