package executor

import (
	"context"
	"errors"
	"fmt"
)

// Node is what a flow is made of: a Step, a Func, another Flow, or several of
// them put together by Then, Sequence, If, Loop, Parallel, Both or Map. Nodes
// may be used in several places, and in several flows.
type Node[In, Out any] interface {
	// perform runs the node.
	perform(ctx context.Context, ex *Executor, in In) (Out, error)
	// check returns what is wrong with the node and those in it, for a flow of an executor.
	check(ex *Executor) error
}

// Flow is a graph of steps with a name, bound to an executor: bind it once, run
// it many times. What its nodes are to each other is in the code that puts them
// together:
//
//	flow, err := executor.NewFlow(ex, "quote",
//		executor.Then(load,
//			executor.Then(executor.Parallel(executor.Collect, airRate, seaRate),
//				cheapest)))
//
// A flow takes no permits; its steps do, when they call their functions.
type Flow[In, Out any] struct {
	ex     *Executor
	name   string
	body   Node[In, Out]
	layout *layout // nil without run state
}

// NewFlow returns a flow, with run state if keys are given. Its error has every
// fault of its nodes and keys.
func NewFlow[In, Out any](ex *Executor, name string, body Node[In, Out], keys ...StateKey) (*Flow[In, Out], error) {
	var errs []error
	bad := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("flow %s: "+format, append([]any{name}, args...)...))
	}
	if ex == nil {
		bad("executor: missing: a flow runs in one")
	}
	if name == "" {
		bad("name is empty: every flow needs one")
	}
	if err := check(ex, body); err != nil {
		bad("%w", err)
	}
	f := &Flow[In, Out]{ex: ex, name: name, body: body}
	if len(keys) > 0 {
		all := make([]*key, len(keys))
		for i, k := range keys {
			if all[i] = k.untyped(); all[i].fault != nil {
				bad("%w", all[i].fault)
			}
		}
		f.layout = newLayout(name, all)
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	if f.layout != nil {
		ex.bind(stateful)
	}
	return f, nil
}

// check returns what is wrong with a node that may be missing.
func check[In, Out any](ex *Executor, n Node[In, Out]) error {
	if n == nil {
		return errors.New("node: missing")
	}
	return n.check(ex)
}

// Name returns the flow's name.
func (f *Flow[In, Out]) Name() string { return f.name }

// Run runs the flow. An error is a *FlowError with the flow's name around that
// of the step which failed; the output is zero then. Whatever the flow started
// has ended when Run returns, so that a function that ignores its context holds
// it up, unless its step has a Timeout.
//
// In a step of a flow that has run state, it begins with the values of the keys
// that both have, and what is set of them comes back when it succeeds. A flow
// without keys of its own has those of the flow that it runs in, if that is in
// the same executor.
func (f *Flow[In, Out]) Run(ctx context.Context, in In) (Out, error) {
	out, _, err := f.run(ctx, nil, in)
	return out, err
}

// RunState runs the flow with the values of a state, and returns the state after
// it: unchanged if it fails. It has nothing to do with the run state of a step
// that it is called in.
func (f *Flow[In, Out]) RunState(ctx context.Context, s State, in In) (Out, State, error) {
	out, after, err := f.run(ctx, &s, in)
	if err != nil || f.layout == nil {
		return out, s, err
	}
	cells := make(map[*key]*cell, len(s.cells)+len(after))
	for k, c := range s.cells {
		cells[k] = c
	}
	for i, c := range after {
		if c != nil {
			cells[f.layout.keys[i]] = c
		}
	}
	return out, State{cells}, nil
}

func (f *Flow[In, Out]) run(ctx context.Context, s *State, in In) (out Out, after cells, err error) {
	f.ex.background.Add(1) // before the state is read: Close relies on it
	defer func() {
		if v := recover(); v != nil {
			err = f.ex.panicked(v)
		}
		if err != nil {
			var zero Out
			out, after, err = zero, nil, &FlowError{Flow: f.name, Err: err}
		}
		f.ex.background.Add(-1)
	}()
	st := f.ex.current.Load()
	if st.features&closed != 0 {
		return out, nil, ErrClosed
	}
	if err = ctx.Err(); err != nil {
		return out, nil, err
	}
	v, err := f.begin(ctx, st, s)
	if err != nil {
		return out, nil, err
	}
	if v == nil {
		out, err = f.body.perform(withoutState(ctx), f.ex, in)
		return out, nil, err
	}
	if out, err = f.body.perform(v, f.ex, in); err != nil {
		v.end()
		return out, nil, err
	}
	if v.parent != nil {
		return out, nil, v.commit()
	}
	return out, v.end(), nil
}

// begin returns the view in which a flow begins: with the values of a state, or,
// without one, of the step that it runs in. It is nil without run state.
func (f *Flow[In, Out]) begin(ctx context.Context, st *snapshot, s *State) (*view, error) {
	within := viewOf(ctx)
	if f.layout == nil {
		if s != nil || within == nil || within.run.ex != f.ex {
			return nil, nil
		}
		return within.branch(ctx)
	}
	run := &stateRun{ex: f.ex, sharing: st.features&sharingState != 0}
	if run.sharing {
		run.snapshots = st.snapshots
	}
	v := &view{Context: ctx, run: run, layout: f.layout, base: make(cells, len(f.layout.keys))}
	if s != nil {
		for i, k := range f.layout.keys {
			v.base[i] = s.cells[k]
		}
	} else if v.parent = within; v.parent != nil {
		now := v.parent.now.Load()
		if now == nil {
			return nil, ErrStateEnded
		}
		for i, k := range f.layout.keys {
			if j, ok := v.parent.at[k]; ok {
				v.base[i] = (*now)[j]
			}
		}
	}
	v.now.Store(&v.base)
	return v, nil
}

func (f *Flow[In, Out]) perform(ctx context.Context, _ *Executor, in In) (Out, error) {
	return f.Run(ctx, in)
}

func (f *Flow[In, Out]) check(*Executor) error {
	if f == nil {
		return errors.New("flow: missing")
	}
	return nil
}

func (s *Step[In, Out]) perform(ctx context.Context, _ *Executor, in In) (Out, error) {
	return s.Run(ctx, in)
}

func (s *Step[In, Out]) check(ex *Executor) error {
	if s == nil {
		return errors.New("step: missing")
	}
	if s.ex != ex && ex != nil {
		return fmt.Errorf("step %s: of another executor: a flow's steps run in its own", s.cfg.Name)
	}
	return nil
}

// Func is a function between steps that needs nothing of what a step has: no
// permit is taken for it, and it is not counted. A panic in it is an error under
// its name.
func Func[In, Out any](name string, f func(ctx context.Context, in In) (Out, error)) Node[In, Out] {
	return &function[In, Out]{name, f}
}

type function[In, Out any] struct {
	name string
	f    func(context.Context, In) (Out, error)
}

func (f *function[In, Out]) perform(ctx context.Context, ex *Executor, in In) (Out, error) {
	return called(ctx, ex, f.name, in, f.f)
}

func (f *function[In, Out]) check(*Executor) error {
	if f.f == nil {
		return fmt.Errorf("func %s: missing: a node needs a function", f.name)
	}
	return nil
}

// called calls a function of the user's that is no step, as a step would: with a
// copy of the run state, and its name around what goes wrong.
func called[In, Out any](ctx context.Context, ex *Executor, name string, in In, f func(context.Context, In) (Out, error)) (out Out, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = ex.panicked(v)
		}
		if err != nil {
			var zero Out
			out, err = zero, &StepError{Step: name, Err: err}
		}
	}()
	if err = ctx.Err(); err != nil {
		return out, err
	}
	if viewOf(ctx) == nil {
		return f(ctx, in)
	}
	return isolated(ctx, func(ctx context.Context) (Out, error) { return f(ctx, in) })
}
