package executor

import (
	"context"
	"errors"
	"fmt"
)

// Then runs one node after the other, the second with what the first returned.
func Then[In, Mid, Out any](first Node[In, Mid], second Node[Mid, Out]) Node[In, Out] {
	return &then[In, Mid, Out]{first, second}
}

type then[In, Mid, Out any] struct {
	first  Node[In, Mid]
	second Node[Mid, Out]
}

func (t *then[In, Mid, Out]) perform(ctx context.Context, ex *Executor, in In) (out Out, err error) {
	mid, err := t.first.perform(ctx, ex, in)
	if err != nil {
		return out, err
	}
	return t.second.perform(ctx, ex, mid)
}

func (t *then[In, Mid, Out]) check(ex *Executor) error {
	return errors.Join(check(ex, t.first), check(ex, t.second))
}

// Sequence runs nodes one after the other, each with what the one before
// returned. The first error ends it.
func Sequence[T any](nodes ...Node[T, T]) Node[T, T] { return sequence[T](nodes) }

type sequence[T any] []Node[T, T]

func (s sequence[T]) perform(ctx context.Context, ex *Executor, in T) (T, error) {
	for _, n := range s {
		out, err := n.perform(ctx, ex, in)
		if err != nil {
			var zero T
			return zero, err
		}
		in = out
	}
	return in, nil
}

func (s sequence[T]) check(ex *Executor) error {
	var errs []error
	if len(s) == 0 {
		errs = append(errs, errors.New("sequence: empty: it needs a node"))
	}
	for _, n := range s {
		errs = append(errs, check(ex, n))
	}
	return errors.Join(errs...)
}

// If runs one of two nodes. The condition may look at run state; what it sets
// there is dropped.
func If[In, Out any](condition func(ctx context.Context, in In) (bool, error), yes, no Node[In, Out]) Node[In, Out] {
	return &conditional[In, Out]{condition, yes, no}
}

type conditional[In, Out any] struct {
	condition func(context.Context, In) (bool, error)
	yes, no   Node[In, Out]
}

func (c *conditional[In, Out]) perform(ctx context.Context, ex *Executor, in In) (out Out, err error) {
	is, err := asked(ctx, ex, "if", in, c.condition)
	if err != nil {
		return out, err
	}
	if is {
		return c.yes.perform(ctx, ex, in)
	}
	return c.no.perform(ctx, ex, in)
}

func (c *conditional[In, Out]) check(ex *Executor) error {
	var err error
	if c.condition == nil {
		err = errors.New("if: condition: missing")
	}
	return errors.Join(err, check(ex, c.yes), check(ex, c.no))
}

// asked is called without what the function sets in run state.
func asked[In any](ctx context.Context, ex *Executor, name string, in In, f func(context.Context, In) (bool, error)) (bool, error) {
	within := viewOf(ctx)
	if within == nil {
		return called(ctx, ex, name, in, f)
	}
	aside, err := within.branch(ctx)
	if err != nil {
		return false, err
	}
	defer aside.end()
	return called(aside, ex, name, in, f)
}

// ErrLoopBound is returned by a Loop that was not done after as many rounds as
// it may have.
var ErrLoopBound = errors.New("loop: not done within its bound")

// Loop runs a node again and again, each time with what it returned before, until
// done says so of what it returned. It runs it at least once and at most bound
// times; if it is not done then, that is ErrLoopBound. What done sets in run
// state is dropped.
func Loop[T any](bound int, body Node[T, T], done func(ctx context.Context, out T) (bool, error)) Node[T, T] {
	return &loop[T]{bound, body, done}
}

type loop[T any] struct {
	bound int
	body  Node[T, T]
	done  func(context.Context, T) (bool, error)
}

func (l *loop[T]) perform(ctx context.Context, ex *Executor, in T) (out T, err error) {
	for range l.bound {
		if in, err = l.body.perform(ctx, ex, in); err != nil {
			return out, err
		}
		is, err := asked(ctx, ex, "loop", in, l.done)
		if err != nil {
			return out, err
		}
		if is {
			return in, nil
		}
	}
	return out, fmt.Errorf("%w of %d", ErrLoopBound, l.bound)
}

func (l *loop[T]) check(ex *Executor) error {
	var errs []error
	if l.bound < 1 {
		errs = append(errs, fmt.Errorf("loop: bound %d: must be at least 1", l.bound))
	}
	if l.done == nil {
		errs = append(errs, errors.New("loop: done: missing"))
	}
	return errors.Join(append(errs, check(ex, l.body))...)
}
