package experiments

import (
	"context"
	"fmt"
	"math"
	"sync"
	"time"

	"autotune/controller"
	"autotune/experiments/rivals"
	"autotune/simulate"
)

// ground is a scenario in which contenders of all kinds meet.
type ground struct {
	group, name string
	doc         string
	horizon     time.Duration
	// turns says what kind of number there is to turn, 0: there is none.
	turns rivals.Turns
	// unit of what is paid; empty: costs are not seconds.
	unit string
	// scene sets it up: the same for the same seed.
	scene func(seed uint64) (meeting, play, error)
	// static are the settings among which the best one is looked for.
	static func(p *play) []controller.Setting

	known *onces[staticKey, staticCost]
}

// meeting is what a session takes place on.
type meeting struct {
	stage
	age   func() time.Duration
	books func() (cost, excess float64)
}

// epoch is when every run begins.
func epoch() time.Time { return simulate.Epoch() }

// play lets a contender play a session.
func (g *ground) play(ctx context.Context, seed uint64, c contender) (*account, error) {
	a, _, err := g.playUntil(ctx, seed, c, nil)
	return a, err
}

// playUntil can give up early.
func (g *ground) playUntil(ctx context.Context, seed uint64, c contender, hopeless func(*meeting) func() bool) (*account, bool, error) {
	m, p, err := g.scene(seed)
	if err != nil {
		return nil, false, err
	}
	over := false
	if hopeless != nil {
		is := hopeless(&m)
		p.givenUp = func() bool { over = over || is(); return over }
		m.dies = nil
	}
	l := &ledger{Target: m.target, age: m.age, books: m.books, horizon: g.horizon}
	m.target = l
	s, err := perform(ctx, m.stage, c, p)
	if err != nil {
		return nil, false, err
	}
	return l.account(s), over, nil
}

// staticKey names a setting that stays in force in a world.
type staticKey struct {
	seed    uint64
	setting string
}

// staticCost is what that costs in excess of doing nothing, in percent;
// infinite where the service dies or stalls under it.
type staticCost struct {
	whole float64
	err   error
}

// stay returns what a setting costs that is in force all the time. It is
// computed once.
func (g *ground) stay(ctx context.Context, seed uint64, s controller.Setting) (float64, error) {
	c := g.known.get(staticKey{seed, s.String()}, func() staticCost {
		to := contender{core: func(p play) (controller.Stepper, error) { return &static{p: p, to: s}, nil }}
		a, over, err := g.playUntil(ctx, seed, to, func(m *meeting) func() bool {
			dies, service := m.dies, m.service
			return func() bool {
				return dies != nil && dies() || service != nil && service.Age() > time.Minute && service.Score().Whole.Stalled > time.Minute
			}
		})
		switch {
		case err != nil:
			return staticCost{err: err}
		case over:
			return staticCost{whole: math.Inf(1)}
		}
		return staticCost{whole: a.whole}
	})
	return c.whole, c.err
}

// oracle returns the best static setting and its cost, by trying all of them.
func (g *ground) oracle(ctx context.Context, seed uint64) (controller.Setting, float64, error) {
	_, p, err := g.scene(seed)
	if err != nil {
		return controller.Setting{}, 0, err
	}
	settings := g.static(&p)
	i, cost, err := rivals.Best(ctx, settings, func(ctx context.Context, s controller.Setting) (float64, error) {
		return g.stay(ctx, seed, s)
	})
	if err != nil {
		return controller.Setting{}, 0, fmt.Errorf("oracle: %w", err)
	}
	return settings[i], cost, nil
}

// onces computes values by key, each once, also where several workers ask.
type onces[K comparable, V any] struct{ of sync.Map }

func (o *onces[K, V]) get(key K, compute func() V) V {
	f, _ := o.of.LoadOrStore(key, sync.OnceValue(compute))
	return f.(func() V)() // nothing else is stored
}

// grid is up to n values of a knob, even on its scale, its initial one among them.
func grid(k controller.Knob, n int, initial float64) []float64 {
	low, high := k.Bounds()
	values := []float64{initial}
	for i := range n {
		u := float64(i) / float64(n-1)
		v := low + u*(high-low)
		if k.Scale == controller.Log {
			v = low * math.Pow(high/low, u)
		}
		if v = k.Clamp(v); v != initial {
			values = append(values, v)
		}
	}
	return values
}

// corners are all combinations of the given values of knobs, others as they are.
func corners(s controller.Setting, of map[string][]float64, names ...string) []controller.Setting {
	out := []controller.Setting{s}
	for _, name := range names {
		var next []controller.Setting
		for _, base := range out {
			for _, v := range of[name] {
				next = append(next, base.With(map[string]float64{name: v}))
			}
		}
		out = next
	}
	return out
}
