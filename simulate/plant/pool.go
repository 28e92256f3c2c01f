package plant

import "time"

// pool has scratch objects: those in use, and idle ones to use again.
type pool struct {
	size  float64 // bytes of an object, the largest
	idle  int
	inUse int
	looks int     // since the last cleanup, and how often it held anything then
	held  int     //
	use   float64 // sum of objects in use over objects held
}

const (
	poolLookEvery = time.Second
	poolCleanup   = 60 // looks
)

// take reports whether there was an idle object.
func (p *pool) take(bytes float64) (pooled bool) {
	p.size = max(p.size, bytes)
	p.inUse++
	if p.idle == 0 {
		return false
	}
	p.idle--
	return true
}

// give takes an object back, if there is room for it.
func (p *pool) give(limit int) {
	p.inUse--
	if p.idle < limit {
		p.idle++
	}
}

// look is once a second; each minute the idle objects are given back if there
// were many of them.
func (p *pool) look(threshold float64) {
	if all := p.inUse + p.idle; all > 0 {
		p.held++
		p.use += float64(p.inUse) / float64(all)
	}
	if p.looks++; p.looks < poolCleanup {
		return
	}
	if p.held > 0 && p.use/float64(p.held) < threshold {
		p.idle = 0
	}
	p.looks, p.held, p.use = 0, 0, 0
}

func (p *pool) bytes() float64 { return float64(p.idle) * p.size }
