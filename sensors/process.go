package sensors

import "autotune/controller"

// process reads the CPU time and the resident memory of this process. How
// differs from system to system: see cpu_*.go and rss_*.go.
type process struct {
	cpu, children counter
	rss           rssReader
}

func newProcess() *process { return &process{rss: newRSSReader()} }

func (p *process) read(r *reading) {
	if seconds, err := p.cpuSeconds(); err != nil {
		r.missing("process CPU: "+err.Error(), controller.CPUSeconds)
	} else {
		p.cpu.total(r, controller.CPUSeconds, seconds)
	}
	if seconds, err := childSeconds(); err != nil {
		r.missing("children's CPU: "+err.Error(), ChildCPUSeconds)
	} else {
		p.children.total(r, ChildCPUSeconds, seconds)
	}
	if bytes, err := p.rss.bytes(); err != nil {
		r.missing("resident memory: "+err.Error(), controller.RSSBytes)
	} else {
		r.gauge(controller.RSSBytes, bytes)
	}
}

func (p *process) close() error { return p.rss.close() }
