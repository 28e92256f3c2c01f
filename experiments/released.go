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

// inForce is the configuration in force.
func (r *released) inForce() (int, error) {
	set, err := r.Current(context.Background())
	if err != nil {
		return 0, err
	}
	return r.table.Find(set)
}

// pay is what a draw costs.
func (r *released) pay() {
	i, err := r.inForce()
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
const idleStride = 16

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
	policy func(*table.Table) (controller.Policy, error)
	// deployed: each release is a process of its own, as a deploy is, which starts
	// with the initial setting. Otherwise one process sees all of them, told nothing.
	deployed bool
	// forgets: a process knows nothing of the one before, but for what was kept.
	forgets bool
	// rule judges in the controller's place; nil: the controller does.
	rule *Rule
	// joint changes are allowed.
	joint bool
}

// lifetime is what became of a session.
type lifetime struct {
	target  *released
	changes []int // of what is in force, by place: candidates kept, and keeps rolled back
	kept    int   // candidates
	worse   int   // of them, truly, where they were kept
	pairs   int
	state   *controller.State
}

// Append counts.
func (l *lifetime) Append(r controller.Record) error {
	switch r.Kind {
	case controller.RecordVerdict:
		l.pairs += r.Trial.Pairs
		if r.Trial.Outcome != controller.Kept {
			break
		}
		place := min(l.target.place, len(l.changes)-1)
		l.changes[place]++
		if r.Trial.Audit != 0 {
			break
		}
		l.kept++
		t, e := l.target.table, l.target.order[place]
		from, errFrom := t.Find(r.Trial.From)
		to, errTo := t.Find(r.Trial.To)
		if errFrom == nil && errTo == nil && t.Better(t.Value(e, from), t.Value(e, to)) {
			l.worse++
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
		core, err := u.core(t, l.state, seed+process, t.Environments()[order[from]])
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

// core of a process.
func (u tuner) core(t *table.Table, state *controller.State, seed uint64, build string) (controller.Stepper, error) {
	policy, err := u.policy(t)
	if err != nil {
		return nil, err
	}
	cfg := t.Controller(policy)
	cfg.Seed, cfg.Joint = seed, u.joint
	if !u.forgets {
		cfg.State = state
		if u.deployed {
			cfg.Build = build
		}
	}
	if u.rule != nil {
		return newRival(*u.rule, play{
			space: cfg.Space, offered: cfg.Offered, goals: cfg.Goals, seed: seed, policy: func() controller.Policy { return cfg.Policy },
			timing: controller.Timing{Measure: cfg.Timing.Measure, Tick: cfg.Timing.Tick}, until: time.Unix(1<<40, 0),
		}), nil
	}
	return controller.New(cfg)
}
