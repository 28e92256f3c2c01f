package experiments

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"autotune/controller"
	"autotune/simulate/table"
)

// released is a table whose environments pass while a session goes on: releases of
// a program, each in force for the same number of draws. The books are open: each
// draw costs what the configuration in force is truly worse by than the best of
// its release, in log units. Candidates cost as long as they are in force.
type released struct {
	*table.Target
	table   *table.Table
	order   []int // of environments
	every   int   // draws that each lasts
	place   int   // in order
	draws   int
	regrets []float64 // by place
	stride  int       // draws that an Observe takes; their mean is seen
	truth   error     // what is in force is not in the table
}

// newReleased starts with configuration i in force.
func newReleased(t *table.Table, order []int, every, i int, seed uint64) *released {
	r := &released{Target: t.NewTarget(i, table.Resampled, seed), table: t, stride: 1, order: order, every: every, regrets: make([]float64, len(order))}
	r.Switch(order[0])
	return r
}

// over reports whether every release had its time.
func (r *released) over() bool { return r.place == len(r.order) }

// Observe draws, and keeps the books.
func (r *released) Observe(ctx context.Context, epoch uint64, d time.Duration) (controller.Sample, error) {
	var all controller.Sample
	sum := 0.0
	for range r.stride {
		s, err := r.Target.Observe(ctx, epoch, d)
		if err != nil || s.Over == 0 || r.over() {
			return s, err
		}
		r.pay()
		sum += s.Gauges[table.Value]
		s.Over += all.Over
		all = s
	}
	all.Gauges[table.Value] = sum / float64(r.stride)
	return all, nil
}

// pay is what a draw costs.
func (r *released) pay() {
	set, _ := r.Current(context.Background())
	i, err := r.table.Find(set)
	r.truth = errors.Join(r.truth, err)
	e := r.order[r.place]
	r.regrets[r.place] += math.Abs(math.Log(r.table.Value(e, i) / r.table.Best(e)))
	if r.draws++; r.draws%r.every == 0 {
		if r.place++; !r.over() {
			r.Switch(r.order[r.place])
		}
	}
}

// idleStride is how many draws a look lasts while a controller waits for a cool-down.
const idleStride = 8

// bestAt is a best configuration of an environment.
func bestAt(t *table.Table, environment int) int {
	best := 0
	for i := range t.Len() {
		if t.Better(t.Value(environment, i), t.Value(environment, best)) {
			best = i
		}
	}
	return best
}

// tuner is who decides over the releases of a program.
type tuner struct {
	name string
	// policy of a process; nil: the setting of the start stays.
	policy func() (controller.Policy, error)
	// deployed: each release is a process of its own, as a deploy is, which starts
	// with the initial setting. Otherwise one process sees all of them, told nothing.
	deployed bool
	// forgets: a process knows nothing of the one before, but for what was kept.
	forgets bool
}

// changes of what is in force, by place: kept candidates, and what went back.
type lifetime struct {
	target  *released
	changes []int
	state   *controller.State
}

// Append counts.
func (l *lifetime) Append(r controller.Record) error {
	switch r.Kind {
	case controller.RecordVerdict:
		if r.Trial.Outcome == controller.Kept {
			l.changes[min(l.target.place, len(l.changes)-1)]++
		}
	case controller.RecordPhase:
		l.target.stride = 1
		if r.Phase.Phase == controller.Idle {
			l.target.stride = idleStride
		}
	case controller.RecordState:
		l.state = r.State
	}
	return nil
}

// Sync has nothing to do.
func (*lifetime) Sync() error { return nil }

// live plays the releases from configuration i on.
func (u tuner) live(ctx context.Context, t *table.Table, order []int, every, i int, seed uint64) (*lifetime, error) {
	target := newReleased(t, order, every, i, seed)
	l := &lifetime{target: target, changes: make([]int, len(order))}
	initial := t.Setting(i)
	for process := uint64(0); !target.over(); process++ {
		if u.policy == nil {
			if _, err := target.Observe(ctx, 0, time.Second); err != nil {
				return nil, err
			}
			continue
		}
		from := target.place
		cfg, err := u.config(t, l.state, seed+process)
		if err != nil {
			return nil, err
		}
		core, err := controller.New(cfg)
		if err != nil {
			return nil, err
		}
		loop := controller.Loop{Record: l, Ask: func() controller.Ask {
			if target.over() || u.deployed && target.place > from {
				return controller.Stop
			}
			return 0
		}}
		if err := controller.Run(ctx, target, core, loop); err != nil {
			return nil, err
		}
		if u.deployed && !u.forgets {
			if err := target.Apply(ctx, initial); err != nil {
				return nil, err
			}
		}
	}
	if target.truth != nil {
		return nil, fmt.Errorf("in force: %w", target.truth)
	}
	return l, nil
}

// config of a process.
func (u tuner) config(t *table.Table, state *controller.State, seed uint64) (controller.Config, error) {
	policy, err := u.policy()
	if err != nil {
		return controller.Config{}, err
	}
	cfg := t.Controller(policy)
	cfg.Seed = seed
	if !u.forgets {
		cfg.State = state
	}
	return cfg, nil
}
