package executor

import (
	"context"
	"errors"
	"fmt"
	"reflect"
)

// Combine makes one result of those of the branches that succeeded, in the order
// in which the branches are written down. The slice is its own.
type Combine[Out, Whole any] func(outs []Out) (Whole, error)

// Collect returns the results themselves.
func Collect[Out any](outs []Out) ([]Out, error) { return outs, nil }

// Only returns the result of the first branch that succeeded, by order: with
// FirstSuccess there is only one.
func Only[Out any](outs []Out) (Out, error) { return outs[0], nil }

// Reduce combines the results two by two, from the first to the last.
func Reduce[Out any](f func(a, b Out) Out) Combine[Out, Out] {
	return func(outs []Out) (Out, error) {
		whole := outs[0]
		for _, o := range outs[1:] {
			whole = f(whole, o)
		}
		return whole, nil
	}
}

// Parallel runs nodes together, each with a copy of the same input, and combines
// their results. What it does about a failure is set by OnFailure.
func Parallel[In, Out, Whole any](combine Combine[Out, Whole], branches ...Node[In, Out]) *ParallelNode[In, Out, Whole] {
	p := &ParallelNode[In, Out, Whole]{combine: combine, branches: branches}
	p.copier, p.fault = newCopier[In](nil)
	return p
}

// ParallelNode is made by Parallel. Its methods return another one.
type ParallelNode[In, Out, Whole any] struct {
	combine  Combine[Out, Whole]
	branches []Node[In, Out]
	strategy OnFailure
	copier   *copier[In]
	fault    error // of the copier
}

// OnFailure sets what the branches do about one that fails; CancelOthers by default.
func (p ParallelNode[In, Out, Whole]) OnFailure(o OnFailure) *ParallelNode[In, Out, Whole] {
	p.strategy = o
	return &p
}

// CopyInput sets how the input is copied for each branch, so that none sees what
// another changes in it. ReadOnly is for branches that change nothing. The
// default copies by reflection; an input that holds nothing changeable costs
// nothing.
func (p ParallelNode[In, Out, Whole]) CopyInput(f func(In) In) *ParallelNode[In, Out, Whole] {
	p.copier, p.fault = newCopier(f)
	return &p
}

func (p *ParallelNode[In, Out, Whole]) perform(ctx context.Context, ex *Executor, in In) (whole Whole, err error) {
	outs := make([]Out, len(p.branches))
	f := fanout{ex: ex, strategy: p.strategy, run: func(ctx context.Context, i int) error {
		own, _, err := p.copier.copy(in)
		if err == nil {
			outs[i], err = p.branches[i].perform(ctx, ex, own)
		}
		return err
	}}
	if err = f.all(ctx, len(outs), len(outs)); err != nil {
		return whole, err
	}
	return called(ctx, ex, "combine", succeeded(outs, f.taken), func(_ context.Context, outs []Out) (Whole, error) {
		return p.combine(outs)
	})
}

// succeeded returns the results that were taken.
func succeeded[Out any](outs []Out, taken []bool) []Out {
	n := 0
	for i, ok := range taken {
		if ok {
			outs[n] = outs[i]
			n++
		}
	}
	return outs[:n:n]
}

func (p *ParallelNode[In, Out, Whole]) check(ex *Executor) error {
	var errs []error
	if len(p.branches) == 0 {
		errs = append(errs, errors.New("parallel: empty: it needs a branch"))
	}
	if p.combine == nil {
		errs = append(errs, errors.New("parallel: combine: missing"))
	}
	if p.strategy < CancelOthers || p.strategy > FirstSuccess {
		errs = append(errs, fmt.Errorf("parallel: failure strategy %d: unknown", p.strategy))
	}
	if p.fault != nil {
		errs = append(errs, fmt.Errorf("parallel: input %v: %w: use CopyInput", reflect.TypeFor[In](), p.fault))
	}
	for _, b := range p.branches {
		errs = append(errs, check(ex, b))
	}
	return errors.Join(errs...)
}

// Both runs two nodes of different results together, and combines them. The
// first failure cancels the other.
func Both[In, A, B, Whole any](a Node[In, A], b Node[In, B], combine func(A, B) (Whole, error)) Node[In, Whole] {
	n := &both[In, A, B, Whole]{a: a, b: b, combine: combine}
	n.copier, n.fault = newCopier[In](nil)
	return n
}

type both[In, A, B, Whole any] struct {
	a       Node[In, A]
	b       Node[In, B]
	combine func(A, B) (Whole, error)
	copier  *copier[In]
	fault   error
}

func (n *both[In, A, B, Whole]) perform(ctx context.Context, ex *Executor, in In) (whole Whole, err error) {
	type pair struct {
		a A
		b B
	}
	var of pair
	f := fanout{ex: ex, run: func(ctx context.Context, i int) error {
		own, _, err := n.copier.copy(in)
		switch {
		case err != nil:
		case i == 0:
			of.a, err = n.a.perform(ctx, ex, own)
		default:
			of.b, err = n.b.perform(ctx, ex, own)
		}
		return err
	}}
	if err = f.all(ctx, 2, 2); err != nil {
		return whole, err
	}
	return called(ctx, ex, "combine", of, func(_ context.Context, p pair) (Whole, error) { return n.combine(p.a, p.b) })
}

func (n *both[In, A, B, Whole]) check(ex *Executor) error {
	var errs []error
	if n.combine == nil {
		errs = append(errs, errors.New("both: combine: missing"))
	}
	if n.fault != nil {
		errs = append(errs, fmt.Errorf("both: input %v: %w", reflect.TypeFor[In](), n.fault))
	}
	return errors.Join(append(errs, check(ex, n.a), check(ex, n.b))...)
}

// defaultWidth is how many inputs of a Map run at once.
const defaultWidth = 64

// Map runs a node for a copy of each of the inputs, many at once, and returns the results
// in the inputs' order: of those that succeeded, if its strategy goes on without
// the others. Each run begins with the run state as it was before the Map.
func Map[In, Out any](body Node[In, Out]) *MapNode[In, Out] {
	m := &MapNode[In, Out]{body: body, width: defaultWidth}
	m.copier, m.fault = newCopier[In](nil)
	return m
}

// MapNode is made by Map. Its methods return another one.
type MapNode[In, Out any] struct {
	body     Node[In, Out]
	strategy OnFailure
	width    int
	copier   *copier[In]
	fault    error // of the copier
}

// CopyInput sets how an input is copied, as for Parallel.
func (m MapNode[In, Out]) CopyInput(f func(In) In) *MapNode[In, Out] {
	m.copier, m.fault = newCopier(f)
	return &m
}

// OnFailure sets what the others do about an input that fails; CancelOthers by default.
func (m MapNode[In, Out]) OnFailure(o OnFailure) *MapNode[In, Out] {
	m.strategy = o
	return &m
}

// Width sets how many goroutines run inputs at once; 64 by default. How many
// call their functions is the executor's to limit.
func (m MapNode[In, Out]) Width(n int) *MapNode[In, Out] {
	m.width = n
	return &m
}

func (m *MapNode[In, Out]) perform(ctx context.Context, ex *Executor, ins []In) ([]Out, error) {
	outs := make([]Out, len(ins))
	f := fanout{ex: ex, strategy: m.strategy, run: func(ctx context.Context, i int) error {
		own, _, err := m.copier.copy(ins[i])
		if err == nil {
			outs[i], err = m.body.perform(ctx, ex, own)
		}
		return err
	}}
	if err := f.all(ctx, len(ins), m.width); err != nil {
		return nil, err
	}
	return succeeded(outs, f.taken), nil
}

func (m *MapNode[In, Out]) check(ex *Executor) error {
	var errs []error
	if m.width < 1 {
		errs = append(errs, fmt.Errorf("map: width %d: must be at least 1", m.width))
	}
	if m.strategy < CancelOthers || m.strategy > FirstSuccess {
		errs = append(errs, fmt.Errorf("map: failure strategy %d: unknown", m.strategy))
	}
	if m.fault != nil {
		errs = append(errs, fmt.Errorf("map: input %v: %w: use CopyInput", reflect.TypeFor[In](), m.fault))
	}
	return errors.Join(append(errs, check(ex, m.body))...)
}
