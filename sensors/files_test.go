package sensors

import (
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/metrics"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "rewrite docs/sensors.md")

// docs/sensors.md is the table, and the table is all that a sample can have.
func TestTable_isAllOfIt(t *testing.T) {
	var b strings.Builder
	b.WriteString("# Sensors\n\nWhat a sample can have of a service, its process, its container and its host. What could not be read is absent, and\n" +
		"`Sensors.Absent` says why. Latencies are a histogram, of which a block's mean and quantiles are formed. This page is made from\n" +
		"the table in the code. HostEvery is a second unless set otherwise; in between the last values stand. What the autopilot itself\n" +
		"takes is `autotune_cpu_seconds_total` among the [metrics](metrics.md).\n\n" +
		"| metric | unit | kind | from | when | cost of a reading, about | where |\n|---|---|---|---|---|---|---|\n")
	listed := map[string]bool{}
	for _, f := range Table() {
		require.False(t, listed[string(f.Metric)], f.Metric)
		listed[string(f.Metric)] = true
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s | %s |\n", f.Metric, f.Unit, f.Kind, f.From, f.When, f.Cost, f.Where)
	}
	const path = "../docs/sensors.md"
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(b.String()), 0o600))
	}
	page, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, b.String(), string(page), "run: go test ./sensors -update")

	s, err := New(Options{Recorder: NewRecorder(), HostEvery: time.Nanosecond})
	require.NoError(t, err)
	s.Begin(1)
	for range 3 {
		runtime.GC()
		time.Sleep(20 * time.Millisecond)
		sample, err := s.Sample(time.Now())
		require.NoError(t, err)
		absent := s.Absent()
		for _, f := range Table() {
			_, total := sample.Totals[f.Metric]
			_, gauge := sample.Gauges[f.Metric]
			why, explained := absent[f.Metric]
			assert.True(t, (total || gauge) != explained, "%s: %q", f.Metric, why)
			assert.False(t, total && f.Kind != "total" || gauge && f.Kind != "gauge", "%s is a %s", f.Metric, f.Kind)
		}
		for m := range sample.Totals {
			assert.True(t, listed[string(m)], "%s is not in the table", m)
		}
		for m := range sample.Gauges {
			assert.True(t, listed[string(m)], "%s is not in the table", m)
		}
	}
}

const netDev = `Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo: 9999999    100    0    0    0     0          0         0  9999999    100    0    0    0     0       0          0
  eth0: %d    10    0    0    0     0          0         0     %d     7    0    0    0     0       0          0
  eth1:     500     1    0    0    0     0          0         0      100     1    0    0    0     0       0          0
`

// Rates by fixture: bytes over the time between two readings. A file that is gone
// makes its facts absent, with a reason, until it is there again.
func TestTraffic_rates(t *testing.T) {
	at := func(in, out, read, written int) fs.FS {
		return files(map[string]string{
			"proc/self/net/dev": fmt.Sprintf(netDev, in, out),
			"proc/self/io":      fmt.Sprintf("rchar: 1\nwchar: 2\nread_bytes: %d\nwrite_bytes: %d\n", read, written),
		})
	}
	var x traffic
	now := time.Now()
	r := newReading()
	x.read(at(1000, 2000, 4096, 0), now, &r)
	require.Equal(t, firstReading, r.absent[NetworkInRate])
	r = newReading()
	x.read(at(5000, 2600, 4096, 8192), now.Add(2*time.Second), &r)
	require.InDelta(t, 2000, r.gauges[NetworkInRate], 1e-9)
	require.InDelta(t, 300, r.gauges[NetworkOutRate], 1e-9)
	require.InDelta(t, 0, r.gauges[DiskReadRate], 1e-9)
	require.InDelta(t, 4096, r.gauges[DiskWriteRate], 1e-9)
	r = newReading()
	x.read(files(map[string]string{"proc/self/net/dev": "eth0: 1 2\n", "proc/self/io": "read_bytes: x\n"}), now.Add(3*time.Second), &r)
	require.Equal(t, "network: interface eth0: 2 figures: must have 16", r.absent[NetworkInRate])
	require.Contains(t, r.absent[DiskReadRate], "disk: ")
	r = newReading()
	x.read(at(6000, 2600, 4096, 8192), now.Add(4*time.Second), &r)
	require.InDelta(t, 1000, r.gauges[NetworkInRate], 1e-9, "it recovers, over the time that it missed nothing of")
}

// Against second sources: the kernel's own list, what was written, a child's work.
func TestFacts_againstSecondSources(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the files are those of Linux")
	}
	h := newHost(place{ctx: t.Context(), root: os.DirFS("/")}, time.Nanosecond)
	now := time.Now()
	r := newReading()
	h.read(now, &r)
	before := r.gauges[OpenFiles]
	var all []*os.File
	for i := range 10 {
		f, err := os.Create(filepath.Join(t.TempDir(), fmt.Sprint(i)))
		require.NoError(t, err)
		all = append(all, f)
	}
	list, err := os.ReadDir("/proc/self/fd")
	require.NoError(t, err)
	r = newReading()
	h.read(now.Add(time.Second), &r)
	require.InDelta(t, before+10, r.gauges[OpenFiles], 3, "others may open files too")
	require.InDelta(t, len(list)-1, r.gauges[OpenFiles], 3)
	for _, f := range all {
		require.NoError(t, f.Close())
	}

	p := newProcess()
	defer func() { require.NoError(t, p.close()) }()
	var dropped reading
	p.read(&dropped)
	require.NoError(t, exec.Command("sh", "-c", "i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done").Run())
	r = newReading()
	p.read(&r)
	require.Greater(t, r.totals[ChildCPUSeconds], 0.01)
}

func TestLatencies_areTheRuntimes(t *testing.T) {
	l := newLatencies()
	r := newReading()
	l.read(&r)
	require.Equal(t, firstReading, r.absent[GCPauseP99])
	for range 20 {
		runtime.GC()
	}
	r = newReading()
	l.read(&r)
	pause := r.gauges[GCPauseP99]
	require.Positive(t, pause)
	sample := []metrics.Sample{{Name: gcPauseName}}
	metrics.Read(sample)
	longest := 0.0
	h := sample[0].Value.Float64Histogram()
	for i, n := range h.Counts {
		if n > 0 {
			longest = h.Buckets[i+1]
		}
	}
	require.LessOrEqual(t, pause, longest)
	r = newReading()
	l.read(&r)
	require.Contains(t, r.absent, GCPauseP99, "no collection since")
}

func TestQuantile(t *testing.T) {
	ends := []float64{0, 1, 2, 4, 8}
	for _, c := range []struct {
		counts []uint64
		q      float64
		want   float64
	}{
		{[]uint64{100, 0, 0, 0}, 0.99, 1},
		{[]uint64{98, 1, 1, 0}, 0.99, 2},
		{[]uint64{98, 0, 2, 0}, 0.99, 4},
		{[]uint64{0, 0, 0, 1}, 0.01, 8},
	} {
		got, ok := quantile(c.counts, ends, c.q)
		require.True(t, ok)
		require.InDelta(t, c.want, got, 0)
	}
	_, ok := quantile([]uint64{0, 0, 0, 0}, ends, 0.5)
	require.False(t, ok)
}

// Both versions of control groups, by fixture; TestCgroup_aRealQuota has a real one.
func TestCgroup_usageAndQuota(t *testing.T) {
	for name, c := range map[string]struct {
		group cgroupDirs
		used  float64
		cpus  float64
		err   string
	}{
		"version 2": {cgroupDirs{files(map[string]string{"g/a/memory.current": "1048576\n", "g/a/cpu.max": "150000 100000\n", "g/cpu.max": "max 100000\n"}), true, []string{"g/a", "g"}}, 1 << 20, 1.5, ""},
		"a parent's quota": {
			cgroupDirs{files(map[string]string{"g/a/memory.current": "1\n", "g/a/cpu.max": "max 100000\n", "g/cpu.max": "50000 100000\n"}), true, []string{"g/a", "g"}}, 1, 0.5, "",
		},
		"version 1": {cgroupDirs{files(map[string]string{"g/memory.usage_in_bytes": "7\n", "g/cpu.cfs_quota_us": "200000\n", "g/cpu.cfs_period_us": "100000\n"}), false, []string{"g"}}, 7, 2, ""},
		"none":      {cgroupDirs{files(map[string]string{"g/memory.usage_in_bytes": "7\n", "g/cpu.cfs_quota_us": "-1\n", "g/cpu.cfs_period_us": "100000\n"}), false, []string{"g"}}, 7, 0, "no limit is set"},
		"garbage":   {cgroupDirs{files(map[string]string{"g/memory.current": "7\n", "g/cpu.max": "much\n"}), true, []string{"g"}}, 7, 0, `cpu.max "much": must be a quota or max, and a period`},
	} {
		used, err := c.group.memoryUsed()
		require.NoError(t, err, name)
		require.InDelta(t, c.used, used, 0, name)
		cpus, err := c.group.cpuLimit()
		if c.err != "" {
			require.EqualError(t, err, c.err, name)
			continue
		}
		require.NoError(t, err, name)
		require.InDelta(t, c.cpus, cpus, 1e-9, name)
	}
}
