package experiments

import (
	"context"
	"math"
	"time"

	"autotune/controller"
)

// stretch is how long costs are added up before they count as harm: the luck of
// a few requests is none.
const stretch = 5 * time.Second

// ledger is a target with its books: what the service has cost, and how much of
// it doing nothing would not have cost. It looks on and changes nothing.
type ledger struct {
	controller.Target
	age     func() time.Duration
	books   func() (cost, excess float64) // so far
	horizon time.Duration

	closed       time.Duration // the end of the stretch before
	cost, excess float64       // then
	late         bool          // the last third has begun
	lateCost     float64       // when it did
	lateExcess   float64
	harm         float64 // excess of the stretches in which there was any
	moves        []move  // settings applied
}

// move is a setting that was put in force.
type move struct {
	at time.Duration
	to controller.Setting
}

// Apply notes the setting.
func (l *ledger) Apply(ctx context.Context, s controller.Setting) error {
	l.moves = append(l.moves, move{l.age(), s})
	return l.Target.Apply(ctx, s)
}

// Observe keeps the books, a stretch at a time.
func (l *ledger) Observe(ctx context.Context, epoch uint64, d time.Duration) (controller.Sample, error) {
	s, err := l.Target.Observe(ctx, epoch, d)
	now := l.age()
	third := !l.late && now >= l.horizon*2/3
	if now-l.closed >= stretch || third {
		l.closed = now
		l.close()
	}
	if third {
		l.late, l.lateCost, l.lateExcess = true, l.cost, l.excess
	}
	return s, err
}

func (l *ledger) close() {
	cost, excess := l.books()
	l.harm += max(0, excess-l.excess)
	l.cost, l.excess = cost, excess
}

// share is an excess in percent of what doing nothing costs. What a plant earns
// is a negative cost.
func share(cost, excess float64) float64 { return 100 * excess / math.Abs(cost-excess) }

// account is what a session came to.
type account struct {
	*session
	whole, end float64 // excess over doing nothing, in percent
	harm       float64 // of the stretches that were worse, in percent
	paid       float64 // the same in seconds of latency or CPU
	moves      []move
}

func (l *ledger) account(s *session) *account {
	l.close()
	a := &account{session: s, moves: l.moves, paid: l.harm}
	a.whole = share(l.cost, l.excess)
	a.end = share(l.cost-l.lateCost, l.excess-l.lateExcess) // without a last third it is the whole
	a.harm = share(l.cost-l.excess+l.harm, l.harm)
	return a
}

// held are the settings that a contender meant to stay with, in order: what it
// kept, or for one that tests nothing whatever it put in force.
func (a *account) held(initial controller.Setting) []move {
	out := []move{{0, initial}}
	if len(a.verdicts) == 0 {
		return append(out, a.moves...)
	}
	for _, v := range a.verdicts {
		if v.Outcome == controller.Kept {
			out = append(out, move{v.Ended.Sub(epoch()), v.To})
		}
	}
	return out
}

// flips is how often a knob that is held went back in the direction from which
// it had come.
func flips(held []move) (n int) {
	came := map[string]float64{}
	for i := 1; i < len(held); i++ {
		for name, to := range held[i-1].to.Diff(held[i].to) {
			was, _ := held[i-1].to.Get(name)
			sign := math.Copysign(1, to-was)
			if came[name] == -sign {
				n++
			}
			came[name] = sign
		}
	}
	return n
}
