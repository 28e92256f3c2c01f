package knobs

import (
	"database/sql"
	"sync/atomic"
	"time"

	"autotune/controller"
)

// SQLMaxOpen is the most connections that a database/sql pool has open, up to
// most. No bound (0) reads as 0, which is outside the bounds of 1 to most: set one
// to have it tuned. More connections than are idle at once are closed when they
// come back.
func SQLMaxOpen(db *sql.DB, most int) Actuator {
	return Int("sql_max_open", "connections", 1, most,
		func() int { return db.Stats().MaxOpenConnections }, db.SetMaxOpenConns,
	).Log(2).With(func(k *controller.Knob) { k.Settle, k.Risky = time.Second, true }).given(db != nil, "db")
}

// SQLMaxIdle is how many connections a database/sql pool keeps open although
// nobody uses them, up to most. The pool does not tell: now is what it keeps at
// the time of the call (2 unless set otherwise), and what is read back is what was
// last set through this actuator. It never keeps more idle than it may have open.
func SQLMaxIdle(db *sql.DB, now, most int) Actuator {
	var set atomic.Int64
	set.Store(int64(now))
	return Int("sql_max_idle", "connections", 1, most,
		func() int { return int(set.Load()) },
		func(n int) {
			db.SetMaxIdleConns(n)
			set.Store(int64(n))
		},
	).Log(2).With(func(k *controller.Knob) { k.Settle = time.Second }).given(db != nil, "db")
}

// SQLLifetime is how long a database/sql pool uses a connection, at most. The pool
// does not tell: see SQLMaxIdle. It acts once in that time, so it is advised
// rather than tried, unless blocks are longer.
func SQLLifetime(db *sql.DB, now, least, most time.Duration) Actuator {
	var set atomic.Int64
	set.Store(int64(now))
	return Duration("sql_lifetime", least, most,
		func() time.Duration { return time.Duration(set.Load()) },
		func(d time.Duration) {
			db.SetConnMaxLifetime(d)
			set.Store(int64(d))
		},
	).Log(4).With(func(k *controller.Knob) { k.Period = now }).given(db != nil, "db")
}
