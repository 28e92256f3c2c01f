// Package knobs has actuators: what sets a knob of a running Go service and
// reads it back.
//
// # Ready-made ones
//
//	GCPercent, MemoryLimit, GOMAXPROCS   the Go runtime
//	SQLMaxOpen, SQLMaxIdle, SQLLifetime  the pool of a database/sql.DB
//	Transport.IdlePerHost                idle connections of an HTTP client
//	Semaphore.Knob, Workers.Knob         how much runs at once
//	RateLimit, RateBurst                 a limiter of golang.org/x/time/rate
//
// # Your own
//
// Any pair of functions, or the Load and Store of an atomic value, in a line:
//
//	knobs.Int("batch", "rows", 1, 1000, batch.Load, batch.Store).Log(2)
//	knobs.Bool("compress", compress.Load, compress.Store)
//
// # Honest actuators
//
// An actuator is honest by reading back: what Get returns is what is in force,
// not what was last asked for. The autopilot believes Get, so a Set that does
// nothing is found out, and a runtime that rounds is not taken for a stranger
// who changed the knob. Where what is set cannot be read back (two numbers of
// database/sql), the actuator says so.
//
// The operator's word wins: a knob that the environment sets (GOGC, GOMEMLIMIT,
// GOMAXPROCS) says so in Pinned, and no trial moves it.
package knobs
