package rivals

import (
	"math"
	"time"

	"autotune/controller"
)

// MongoDB is the ThroughputProbing of MongoDB 7 and later, for one pool of
// tickets (MongoDB manual, storageEngineConcurrencyAdjustmentAlgorithm). A tenth
// up where the pool was exhausted, else a tenth down; if the throughput of one
// window is higher than that of the one before, the stable size follows by a
// fifth of the way. A probe is at least one ticket.
//
// Known to fail: one window before and one after is a toss of a coin where
// nothing changes; operators found tickets stuck too low while requests queued,
// and fix their number (Percona, "MongoDB 7.0 transaction tickets").
type MongoDB struct {
	Bounds
	stable float64 // size, not rounded
	base   float64 // throughput of it, 1/s
	probe  float64 // size in force while probing, 0: stable
}

const (
	mongoStep   = 0.1 // of the stable size
	mongoWeight = 0.2 // of the probe in the moving average
	mongoWindow = 100 * time.Millisecond
	mongoMin    = 4
	mongoMax    = 128
)

var _ Law = (*MongoDB)(nil)

// NewMongoDB returns the law with its defaults, 4 to 128 tickets within bounds.
func NewMongoDB(b Bounds) *MongoDB {
	return &MongoDB{Bounds: b.within(mongoMin, mongoMax)}
}

// Begin takes the size in force for stable.
func (m *MongoDB) Begin(now float64) Move {
	m.stable = m.clamp(now)
	return m.reset()
}

// reset goes back to the stable size.
func (m *MongoDB) reset() Move {
	m.probe = 0
	return Move{Value: math.Round(m.stable), Watch: mongoWindow}
}

// Next ends a stable window with a probe, and a probe with a stable window.
func (m *MongoDB) Next(w *Window) Move {
	throughput := w.value(controller.Completions) / w.Over.Seconds()
	if m.probe != 0 {
		if throughput > m.base {
			m.stable = m.clamp(mongoWeight*m.probe + (1-mongoWeight)*m.stable)
			m.base = throughput
		}
		return m.reset()
	}
	m.base = throughput
	size := math.Round(m.stable)
	used := w.value(controller.InFlight)
	switch {
	case used >= size && size < m.Max: // exhausted
		m.probe = m.clamp(math.Ceil(m.stable * (1 + mongoStep)))
	case used > m.Min:
		m.probe = m.clamp(math.Floor(m.stable * (1 - mongoStep)))
	default:
		return m.reset()
	}
	return Move{Value: m.probe, Watch: mongoWindow}
}
