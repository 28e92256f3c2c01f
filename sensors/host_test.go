package sensors

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/shirou/gopsutil/v3/common"
	"github.com/shirou/gopsutil/v3/cpu"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"autotune/controller"
)

// machine is a host in a directory, and a container in memory.
type machine struct {
	t    *testing.T
	proc string
	at   place
}

func newMachine(t *testing.T, container map[string]string) machine {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("the files are those of Linux")
	}
	dir := t.TempDir()
	env := common.EnvMap{common.HostProcEnvKey: dir}
	return machine{t: t, proc: dir, at: place{
		ctx:  context.WithValue(context.Background(), common.EnvKey, env),
		root: files(container),
	}}
}

func (m machine) write(name, text string) {
	m.t.Helper()
	require.NoError(m.t, os.WriteFile(filepath.Join(m.proc, name), []byte(text), 0o600))
}

func (m machine) read(h *host, now time.Time) reading {
	r := newReading()
	h.read(now, &r)
	return r
}

func newReading() reading {
	return reading{
		totals: map[controller.Metric]float64{},
		gauges: map[controller.Metric]float64{},
		absent: map[controller.Metric]string{},
	}
}

const meminfo = "MemTotal: 1000 kB\nMemFree: 100 kB\nMemAvailable: 250 kB\nBuffers: 10 kB\nCached: 200 kB\n"

func TestHost_differencesAtIntervals(t *testing.T) {
	m := newMachine(t, nil)
	m.write("meminfo", meminfo)
	// Ticks of 10 ms: user, nice, system, idle, iowait, irq, softirq, steal, guest, guest_nice.
	m.write("stat", "cpu 100 0 100 800 0 0 0 0 90 0\n")
	h := newHost(m.at, time.Second)
	now := time.Now()

	r := m.read(h, now)
	assert.NotContains(t, r.gauges, HostCPURatio, "the first reading of a rate gives no value")
	assert.Equal(t, firstReading, r.absent[HostCPURatio])
	assert.InDelta(t, 0.75, r.gauges[HostMemoryRatio], 1e-9)
	assert.EqualValues(t, 1000*1024, h.total)

	m.write("stat", "cpu 140 0 120 820 10 0 5 5 120 0\n") // 100 ticks: 40 user, 20 system, 30 idle or waiting, 5 soft, 5 stolen
	r = m.read(h, now.Add(999*time.Millisecond))
	assert.NotContains(t, r.gauges, HostCPURatio, "not due yet")
	assert.Equal(t, firstReading, r.absent[HostCPURatio], "the reason stands too")

	r = m.read(h, now.Add(time.Second))
	assert.InDelta(t, 0.70, r.gauges[HostCPURatio], 1e-9, "guest time is not added again")
	assert.InDelta(t, 0.05, r.gauges[HostStealRatio], 1e-9)

	r = m.read(h, now.Add(1500*time.Millisecond))
	assert.InDelta(t, 0.70, r.gauges[HostCPURatio], 1e-9, "stands until the next reading")

	require.NoError(t, os.Remove(filepath.Join(m.proc, "stat")))
	m.write("meminfo", "nonsense")
	r = m.read(h, now.Add(2*time.Second))
	assert.NotContains(t, r.gauges, HostCPURatio, "what cannot be read does not stand")
	assert.Contains(t, r.absent[HostCPURatio], "host CPU: ")
	assert.NotContains(t, r.gauges, HostMemoryRatio)
	assert.Contains(t, r.absent[HostMemoryRatio], "host memory: ")
}

func TestHost_ratiosStayWithinBounds(t *testing.T) {
	for name, c := range map[string]struct {
		was, is cpu.TimesStat
		busy    float64
		ok      bool
	}{
		"idle":                {cpu.TimesStat{Idle: 1}, cpu.TimesStat{Idle: 2}, 0, true},
		"busy":                {cpu.TimesStat{Idle: 1}, cpu.TimesStat{Idle: 1, User: 1}, 1, true},
		"waiting is idle":     {cpu.TimesStat{}, cpu.TimesStat{Iowait: 1, System: 1}, 0.5, true},
		"a tick taken back":   {cpu.TimesStat{Iowait: 2}, cpu.TimesStat{Iowait: 1, User: 3}, 1, true},
		"steal taken back":    {cpu.TimesStat{Steal: 2}, cpu.TimesStat{Steal: 1, Idle: 3}, 0, true},
		"no time has passed":  {cpu.TimesStat{Idle: 1}, cpu.TimesStat{Idle: 1}, 0, false},
		"the counters fell":   {cpu.TimesStat{Idle: 9, User: 9}, cpu.TimesStat{Idle: 1}, 0, false},
		"all others are busy": {cpu.TimesStat{}, cpu.TimesStat{Nice: 1, Irq: 1, Softirq: 1, Steal: 1, Idle: 4}, 0.5, true},
	} {
		var h hostCPU
		_, _, ok := h.step(c.was)
		assert.False(t, ok, name)
		busy, steal, ok := h.step(c.is)
		assert.Equal(t, c.ok, ok, name)
		assert.InDelta(t, c.busy, busy, 1e-9, name)
		assert.True(t, steal >= 0 && steal <= 1, name)
	}
}

func TestHost_throttling(t *testing.T) {
	tree := map[string]string{
		"proc/self/cgroup": "0::/web\n", "proc/self/mountinfo": mountV2,
		"sys/fs/cgroup/web/cpu.stat": "nr_periods 0\nnr_throttled 0\n",
	}
	m := newMachine(t, tree)
	h := newHost(m.at, time.Second)
	now := time.Now()
	step := func(stat string) reading {
		tree["sys/fs/cgroup/web/cpu.stat"] = stat
		h.at.root = files(tree)
		h.cpuGroup.group.root = h.at.root
		now = now.Add(time.Second)
		return m.read(h, now)
	}
	r := step("nr_periods 0\nnr_throttled 0\n")
	assert.Equal(t, "no CPU quota is set", r.absent[ThrottledRatio])
	r = step("nr_periods 10\nnr_throttled 5\n")
	assert.Equal(t, firstReading, r.absent[ThrottledRatio])
	r = step("nr_periods 20\nnr_throttled 8\n")
	assert.InDelta(t, 0.3, r.gauges[ThrottledRatio], 1e-9)
	r = step("nr_periods 20\nnr_throttled 8\n")
	assert.Contains(t, r.gauges, ThrottledRatio, "idle: there is a quota, and it did not bind")
	assert.Zero(t, r.gauges[ThrottledRatio])
	r = step("nr_periods 2\nnr_throttled 1\n")
	assert.NotContains(t, r.gauges, ThrottledRatio, "another group: the counters went back")
	r = step("nr_periods x\n")
	assert.Contains(t, r.absent[ThrottledRatio], "must be a number")
	assert.False(t, h.cpuGroup.looked, "looked up anew next time")
}

func TestHost_containerLimit(t *testing.T) {
	m := newMachine(t, map[string]string{
		"proc/self/cgroup": "0::/web\n", "proc/self/mountinfo": mountV2,
		"sys/fs/cgroup/web/memory.max": "512000\n",
	})
	m.write("meminfo", meminfo)
	h := newHost(m.at, time.Second)
	m.read(h, time.Now())
	assert.EqualValues(t, 512000, h.cgroupLimit)
}

func TestMemoryRatio_whichLimit(t *testing.T) {
	for name, c := range map[string]struct {
		cgroup, runtime, host uint64
		limit                 float64
	}{
		"container":   {100, 50, 1000, 100},
		"runtime":     {0, 50, 1000, 50},
		"host":        {0, 0, 1000, 1000},
		"none":        {0, 0, 0, 0},
		"no host":     {100, 0, 0, 100},
		"host unread": {0, 50, 0, 50},
	} {
		r := newReading()
		r.gauge(controller.RSSBytes, 25)
		memoryRatio(&r, c.cgroup, c.runtime, c.host)
		if c.limit == 0 {
			assert.Equal(t, "no memory limit is known", r.absent[controller.MemoryRatio], name)
			continue
		}
		assert.Equal(t, c.limit, r.gauges[MemoryLimitBytes], name)
		assert.Equal(t, 25/c.limit, r.gauges[controller.MemoryRatio], name)
	}
	r := newReading()
	memoryRatio(&r, 100, 0, 0)
	assert.Equal(t, "resident memory is not known", r.absent[controller.MemoryRatio])
	r.gauge(controller.RSSBytes, 101)
	memoryRatio(&r, 100, 0, 0)
	assert.Equal(t, 1.0, r.gauges[controller.MemoryRatio], "a ratio is 0..1, though the two are not read at the same instant")
}
