package executor

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
)

// OnFailure says what branches that run together do about one that fails. In
// every case all have ended when the whole does: a branch that is canceled and
// ignores its context holds it up.
type OnFailure int

const (
	// CancelOthers is the default: the first failure cancels the others, and is
	// the error of the whole.
	CancelOthers OnFailure = iota
	// WaitForAll lets the others end, and returns all errors, joined.
	WaitForAll
	// TakeSucceeded goes on with the branches that succeeded. Only if none has are
	// their errors that of the whole.
	TakeSucceeded
	// FirstSuccess cancels the others as soon as one has succeeded, and goes on
	// with that one alone. If none has, their errors are that of the whole.
	FirstSuccess
)

var onFailures = [...]string{"cancel-others", "wait-for-all", "take-succeeded", "first-success"}

// String returns the strategy's name.
func (o OnFailure) String() string {
	if o < 0 || int(o) >= len(onFailures) {
		return "unknown"
	}
	return onFailures[o]
}

// errDecided is the cause of the end of branches that nobody needs any more.
var errDecided = errors.New("another branch has decided")

// fanout runs n branches, at most width at once, and waits for all that began.
// The caller's goroutine runs branches too. Each branch has a view of the run
// state of its own; those of the branches that count are written back in order.
//
// Run reports whether a branch succeeded through taken: those are the ones to
// go on with.
type fanout struct {
	ex       *Executor
	strategy OnFailure
	run      func(ctx context.Context, i int) error

	ctx    context.Context
	cancel context.CancelCauseFunc
	within *view
	views  []*view // nil without run state
	errs   []error
	taken  []bool
	next   atomic.Int64 // the next branch that nobody has begun

	mu      sync.Mutex
	decided bool  // guarded by mu
	first   error // guarded by mu; that canceled the others
}

// all runs the branches and returns the error of the whole.
func (f *fanout) all(ctx context.Context, n, width int) error {
	if n == 0 {
		return ctx.Err()
	}
	f.errs, f.taken = make([]error, n), make([]bool, n)
	f.ctx, f.cancel = context.WithCancelCause(ctx)
	defer f.cancel(nil)
	if f.within = viewOf(ctx); f.within != nil {
		f.views = make([]*view, n)
	}
	f.together(n, min(n, width))
	if err := f.outcome(ctx); err != nil {
		return err
	}
	for i, v := range f.views {
		if !f.taken[i] {
			continue
		}
		if err := v.commit(); err != nil {
			return err
		}
	}
	return nil
}

func (f *fanout) together(n, width int) {
	var others sync.WaitGroup
	mine := false
	defer others.Wait()
	defer func() {
		if !mine { // the goroutine ends, by runtime.Goexit
			f.cancel(ErrGoexit)
		}
	}()
	for range width - 1 {
		others.Go(func() { f.work(n) })
	}
	f.work(n)
	mine = true
}

// work runs branches until none is left.
func (f *fanout) work(n int) {
	for {
		i := int(f.next.Add(1)) - 1
		if i >= n {
			return
		}
		f.branch(i)
	}
}

func (f *fanout) branch(i int) {
	err := ErrGoexit // unless it returns
	defer func() {
		if v := recover(); v != nil {
			err = f.ex.panicked(v)
		}
		f.ended(i, err)
	}()
	ctx := f.ctx
	if err = ctx.Err(); err != nil {
		return
	}
	if f.within != nil {
		v, e := f.within.branch(ctx)
		if err = e; err != nil {
			return
		}
		f.views[i], ctx = v, v
	}
	err = ErrGoexit
	err = f.run(ctx, i)
}

// ended notes how a branch ended, and what follows for the others.
func (f *fanout) ended(i int, err error) {
	if f.errs[i] = err; err != nil && f.views != nil && f.views[i] != nil {
		f.views[i].end()
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case f.decided && f.strategy == FirstSuccess:
	case err == nil:
		f.taken[i] = true
		if f.strategy == FirstSuccess {
			f.decided = true
			f.cancel(errDecided)
		}
	case f.strategy == CancelOthers && !f.decided:
		f.decided, f.first = true, err
		f.cancel(err)
	}
}

// outcome is the error of the whole, whose branches have ended.
func (f *fanout) outcome(ctx context.Context) error {
	if f.first != nil {
		return f.first
	}
	failed, succeeded := false, false
	for i, err := range f.errs {
		failed = failed || err != nil
		succeeded = succeeded || f.taken[i]
	}
	switch {
	case !failed || f.strategy == FirstSuccess && succeeded:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case f.strategy == TakeSucceeded && succeeded:
		return nil
	default:
		return errors.Join(f.errs...)
	}
}
