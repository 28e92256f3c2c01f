package sensors

import (
	"errors"
	"io/fs"
	"math"
	"time"

	"github.com/shirou/gopsutil/v3/cpu"
	"github.com/shirou/gopsutil/v3/mem"

	"autotune/controller"
)

// Facts about the host and the container are dear, up to half a millisecond together, so
// they are read at intervals and stand in between. Differences are taken here:
// gopsutil's own cpu.Percent keeps one last state for all its callers in the
// process, and would hand each of them a part of the interval.

// host reads the machine and the control group.
type host struct {
	at    place
	every time.Duration
	last  time.Time // of the last reading

	memoryGroup, cpuGroup found

	cpu       hostCPU
	quota     quotaShare
	traffic   traffic
	latencies latencies
	gauges    map[controller.Metric]float64 // as of the last reading
	absent    map[controller.Metric]string

	total       uint64 // memory of the host in bytes; 0: not known
	cgroupLimit uint64 // memory limit of the container in bytes; 0: none
}

func newHost(at place, every time.Duration) *host {
	return &host{
		at: at, every: every, latencies: newLatencies(),
		gauges: map[controller.Metric]float64{}, absent: map[controller.Metric]string{},
	}
}

// read reads anew if the last reading is old enough, and repeats it if not.
func (h *host) read(now time.Time, r *reading) {
	if h.last.IsZero() || now.Sub(h.last) >= h.every {
		h.last = now
		clear(h.gauges)
		clear(h.absent)
		in := reading{gauges: h.gauges, absent: h.absent}
		h.readCPU(&in)
		h.readMemory(&in)
		h.readContainer(&in)
		h.readQuota(&in)
		h.readFiles(&in)
		h.traffic.read(h.at.root, now, &in)
		h.latencies.read(&in)
	}
	for m, v := range h.gauges {
		r.gauge(m, v)
	}
	for m, why := range h.absent {
		r.missing(why, m)
	}
}

func (h *host) readCPU(r *reading) {
	times, err := cpu.TimesWithContext(h.at.ctx, false)
	if err == nil && len(times) == 0 {
		err = errors.New("no processor times")
	}
	if err != nil {
		r.missing("host CPU: "+err.Error(), HostCPURatio, HostStealRatio)
		return
	}
	busy, steal, ok := h.cpu.step(times[0])
	if !ok {
		r.missing(firstReading, HostCPURatio, HostStealRatio)
		return
	}
	r.gauge(HostCPURatio, busy)
	r.gauge(HostStealRatio, steal)
}

func (h *host) readMemory(r *reading) {
	h.total, h.cgroupLimit = 0, 0
	m, err := mem.VirtualMemoryWithContext(h.at.ctx)
	if err == nil && m.Total == 0 {
		err = errors.New("total is 0")
	}
	if err != nil {
		r.missing("host memory: "+err.Error(), HostMemoryRatio)
	} else {
		h.total = m.Total
		// What could be had without swapping is free, page cache included.
		r.gauge(HostMemoryRatio, 1-float64(min(m.Available, m.Total))/float64(m.Total))
	}
	group, err := h.memoryGroup.get(h.at.root, "memory")
	if err != nil {
		return // no container: the host's memory is the limit
	}
	most := uint64(math.MaxInt64)
	if h.total > 0 {
		most = h.total
	}
	switch limit, err := group.memoryLimit(most); {
	case err == nil:
		h.cgroupLimit = limit
	case !errors.Is(err, errNoLimit):
		h.memoryGroup = found{}
	}
}

func (h *host) readQuota(r *reading) {
	group, err := h.cpuGroup.get(h.at.root, "cpu")
	if err != nil {
		r.missing(err.Error(), ThrottledRatio)
		return
	}
	all, throttled, err := group.periods()
	switch {
	case err != nil:
		h.cpuGroup = found{}
		r.missing(err.Error(), ThrottledRatio)
	case all == 0:
		r.missing("no CPU quota is set", ThrottledRatio)
	default:
		if share, ok := h.quota.step(all, throttled); ok {
			r.gauge(ThrottledRatio, share)
		} else {
			r.missing(firstReading, ThrottledRatio)
		}
	}
}

// found is a control group looked up once: a process is seldom moved, and the
// list of mounts can be long. After a reading that failed it is looked up anew.
type found struct {
	looked bool
	group  cgroupDirs
	err    error
}

func (f *found) get(root fs.FS, controller string) (cgroupDirs, error) {
	if !f.looked {
		f.group, f.err = findCgroup(root, controller)
		f.looked = true
	}
	return f.group, f.err
}

// hostCPU forms ratios from the host's processor times, in ticks since boot.
type hostCPU struct {
	seen             bool
	all, idle, steal float64
}

// step returns the shares of busy and stolen time since the last reading. Guest
// time is part of user time and not added again. A tick of idle or I/O wait may
// be taken back by the kernel: ratios are held within 0..1.
func (c *hostCPU) step(t cpu.TimesStat) (busy, steal float64, ok bool) {
	idle := t.Idle + t.Iowait
	all := idle + t.User + t.System + t.Nice + t.Irq + t.Softirq + t.Steal
	da, di, ds := all-c.all, idle-c.idle, t.Steal-c.steal
	ok = c.seen && da > 0
	*c = hostCPU{seen: true, all: all, idle: idle, steal: t.Steal}
	if !ok {
		return 0, 0, false
	}
	return min(max(1-di/da, 0), 1), min(max(ds/da, 0), 1), true
}

// quotaShare forms the share of CPU periods that were throttled.
type quotaShare struct {
	all, throttled counter
}

func (q *quotaShare) step(all, throttled float64) (share float64, ok bool) {
	a, okA := q.all.step(all)
	t, okT := q.throttled.step(throttled)
	switch {
	case !okA || !okT:
		return 0, false
	case a == 0: // idle throughout: no period, and none throttled
		return 0, true
	}
	return min(t/a, 1), true
}
