package executor

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
)

// Run state is what the steps of a flow pass along beside their inputs: values
// under typed keys. A flow has state if NewFlow is given keys.
//
// # Isolation
//
// Every step works on a copy of the state as it was when the step began. What
// Get returns is that step's own: it may change it, and keep it, and nobody sees
// that. Set copies what it is given. Between the two there is the value that
// nobody was ever handed: it does not change, and everybody's copy is of it.
//
// # Writes
//
// Only Set writes. What a step set comes back when it has succeeded, all of it
// or nothing: an attempt that failed, panicked or was left behind by its timeout
// leaves no trace. In a sequence, the next step sees it. Branches that run
// together do not see each other's; theirs come back when all have ended, in the
// order in which the branches are written down, and where two wrote the same
// key its rule decides.
//
// A function's own goroutines share its copy, and so does a step of another
// executor that it runs.
//
// # What the optimization changes
//
// Only when the copies are made. In the baseline a step gets a deep copy of the
// whole state before it begins. With enable_context_optimization all steps share
// the values that nobody was handed, and a value is copied for a step when it
// first asks for it. What a Derived computed of a value is kept, with
// context_cache_size and context_cache_ttl as its bounds.

// ErrNoState is returned by Set where there is no run state: outside a flow, in
// a flow without keys, and in a step that declares its results, because what
// reads state is not determined by its input.
var ErrNoState = errors.New("no run state here")

// ErrStateEnded is returned by Set when the step whose copy it is has ended: by
// goroutines that it left running.
var ErrStateEnded = errors.New("the step has ended, and its run state with it")

// State is run state before or after a run. It does not change, and is safe for
// concurrent use: one may begin any number of runs. The zero value is empty.
type State struct{ cells map[*key]*cell }

// Entry is a value under a key.
type Entry struct {
	key  *key
	cell *cell
	err  error
}

// NewState returns a state with copies of the values given. Its error has every
// value that could not be copied.
func NewState(entries ...Entry) (State, error) {
	return State{}.With(entries...)
}

// With returns a state that has these values too.
func (s State) With(entries ...Entry) (State, error) {
	cells := make(map[*key]*cell, len(s.cells)+len(entries))
	for k, c := range s.cells {
		cells[k] = c
	}
	var errs []error
	for _, e := range entries {
		if cells[e.key] = e.cell; e.err != nil {
			errs = append(errs, e.err)
		}
	}
	if err := errors.Join(errs...); err != nil {
		return State{}, err
	}
	return State{cells}, nil
}

// cell is a value that nobody was handed. It is never changed.
type cell struct{ value any }

// cells are the values of a flow's keys, nil where there is none. They are
// replaced, never changed.
type cells []*cell

// layout is which key is where in cells.
type layout struct {
	flow string
	keys []*key
	at   map[*key]int
}

func newLayout(flow string, keys []*key) *layout {
	l := &layout{flow: flow, keys: keys, at: map[*key]int{}}
	for i, k := range keys {
		l.at[k] = i
	}
	return l
}

// view is what one step, or one branch, sees of the run state. It is found
// through the context that it is.
type view struct {
	context.Context

	parent  *view
	run     *stateRun
	*layout                       // of parent too, unless a flow begins here
	base    cells                 // when it began
	now     atomic.Pointer[cells] // with what was set; nil after the end

	mu     sync.Mutex
	handed []handed // by key; guarded by mu
}

// handed is what a step was given of a cell.
type handed struct {
	of    *cell
	value any
}

// stateRun is what all views of one run have in common.
type stateRun struct {
	ex        *Executor
	sharing   bool
	snapshots *store[any] // nil unless sharing
}

type viewKey struct{}

// Value finds the view itself, so that a context and a value cost one allocation.
func (v *view) Value(key any) any {
	if key == (viewKey{}) {
		return v
	}
	return v.Context.Value(key)
}

func viewOf(ctx context.Context) *view {
	v, _ := ctx.Value(viewKey{}).(*view)
	return v
}

// stateless hides the run state.
type stateless struct{ context.Context }

func (s stateless) Value(key any) any {
	if key == (viewKey{}) {
		return (*view)(nil)
	}
	return s.Context.Value(key)
}

// withoutState returns a context in which there is no run state.
func withoutState(ctx context.Context) context.Context {
	if viewOf(ctx) == nil {
		return ctx
	}
	return stateless{ctx}
}

// branch returns a view for steps that see each other's writes.
func (v *view) branch(ctx context.Context) (*view, error) {
	now := v.now.Load()
	if now == nil {
		return nil, ErrStateEnded
	}
	b := &view{Context: ctx, parent: v, run: v.run, layout: v.layout, base: *now}
	b.now.Store(now)
	return b, nil
}

// step returns a view for a function.
func (v *view) step(ctx context.Context) (*view, error) {
	s, err := v.branch(ctx)
	if err != nil || v.run.sharing {
		return s, err
	}
	s.handed = make([]handed, len(s.keys))
	for i, c := range s.base {
		if c != nil {
			s.handed[i] = s.hand(i, c)
		}
	}
	return s, nil
}

// hand copies a cell.
func (v *view) hand(i int, c *cell) handed {
	value, n := v.keys[i].thaw(c)
	v.run.ex.counters.copied(n)
	return handed{c, value}
}

// get returns this view's own copy of a value, a *T, or nil.
func (v *view) get(k *key) any {
	i, ok := v.at[k]
	if !ok {
		return nil
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	now := v.now.Load()
	if now == nil || (*now)[i] == nil {
		return nil
	}
	if v.handed == nil {
		v.handed = make([]handed, len(v.keys))
	}
	if c := (*now)[i]; v.handed[i].of != c {
		v.handed[i] = v.hand(i, c)
	}
	return v.handed[i].value
}

// cell returns the value that nobody was handed, or nil.
func (v *view) cell(k *key) *cell {
	i, ok := v.at[k]
	now := v.now.Load()
	if !ok || now == nil {
		return nil
	}
	return (*now)[i]
}

// set puts a value that nobody else has.
func (v *view) set(k *key, c *cell) error {
	i, ok := v.at[k]
	if !ok {
		return fmt.Errorf("key %s: flow %s is not declared to have it", k.name, v.flow)
	}
	for {
		now := v.now.Load()
		if now == nil {
			return fmt.Errorf("key %s: %w", k.name, ErrStateEnded)
		}
		next := append(cells(nil), *now...)
		next[i] = c
		if v.now.CompareAndSwap(now, &next) {
			return nil
		}
	}
}

// end lets nothing further be written, and returns what the values are then.
func (v *view) end() cells {
	if now := v.now.Swap(nil); now != nil {
		return *now
	}
	return nil
}

// commit ends a view and writes back what was set in it: all, or, on an error,
// nothing.
func (v *view) commit() error {
	mine := v.end()
	for {
		now := v.parent.now.Load()
		if now == nil {
			return ErrStateEnded
		}
		next, err := v.merge(mine, *now)
		if err != nil {
			return err
		}
		if next == nil || v.parent.now.CompareAndSwap(now, &next) {
			return nil
		}
	}
}

// merge returns what the parent's values are with this view's writes, or nil if
// there are none.
func (v *view) merge(mine, theirs cells) (next cells, err error) {
	for i, c := range mine {
		if c == v.base[i] {
			continue
		}
		k, j := v.keys[i], i
		if v.layout != v.parent.layout {
			var ok bool
			if j, ok = v.parent.at[k]; !ok {
				continue // the flow's own
			}
		}
		if next == nil {
			next = append(cells(nil), theirs...)
		}
		if theirs[j] != v.base[i] {
			if c, err = k.merge(v.base[i], theirs[j], c); err != nil {
				return nil, fmt.Errorf("key %s: %w", k.name, err)
			}
		}
		next[j] = c
	}
	return next, nil
}

// isolated runs a function of the user's with a copy of the run state, and
// writes back what it set if it succeeds.
func isolated[Out any](ctx context.Context, f func(context.Context) (Out, error)) (out Out, err error) {
	within := viewOf(ctx)
	if within == nil {
		return f(ctx)
	}
	v, err := within.step(ctx)
	if err != nil {
		return out, err
	}
	if out, err = f(v); err != nil {
		v.end()
		return out, err
	}
	return out, v.commit()
}
