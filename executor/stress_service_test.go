package executor

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// stressed is an executor under stress: steps and flows of every kind, and the
// books on what became of their executions.
type stressed struct {
	ex     *Executor
	down   atomic.Bool // what some steps depend on
	calls  []*call
	pure   *Step[int, []int]
	nested *Step[int, int]

	panicked, timedOut, saved atomic.Uint64 // seen by callers
	// Rejections that were seen, by ErrCircuitOpen and ErrConcurrencyTimeout: of
	// steps that declare nothing each is seen once; of the others, by all who share it.
	once, shared      [2]atomic.Uint64
	entered, returned atomic.Int64 // functions
}

// call is something that callers do again and again.
type call struct {
	name string
	// run returns whether the output is right; that matters if there is no error.
	run func(ctx context.Context, in int) (right bool, err error)
	// fails says whether it may fail by itself.
	fails func(in int) bool
	// runs is how often functions run if it works; nil if that depends.
	runs func(in int) int64
	// leaf is whether that is one function, once, if it was called at all.
	leaf bool
	// leaves is whether a function may still run when it has ended.
	leaves bool

	asked, ran atomic.Int64
	ended      [endings]atomic.Int64
}

// ending is what becomes of an execution: one of these, whatever happens.
type ending int

const (
	endWorked   ending = iota
	endFailed          // by its own error, panic or timeout
	endBroken          // its circuit was open
	endRejected        // it waited too long for a permit
	endCanceled
	endStrange // none of these, which does not happen
	endings
)

// endingOf takes the errors of several branches as the first of these that they hold.
func endingOf(ctx context.Context, err error) ending {
	switch {
	case err == nil:
		return endWorked
	case ctx.Err() != nil && errors.Is(err, ctx.Err()):
		return endCanceled
	case errors.Is(err, ErrCircuitOpen):
		return endBroken
	case errors.Is(err, ErrConcurrencyTimeout):
		return endRejected
	case errors.Is(err, errBroken), errors.Is(err, ErrTimeout), isPanic(err):
		return endFailed
	}
	return endStrange
}

// tally is what the functions of one call did.
type tally struct {
	runs, running atomic.Int64
	mu            sync.Mutex
	tried         map[int]bool // guarded by mu; inputs
}

type tallyKey struct{}

// enter notes that a function runs, until the result is called.
func (s *stressed) enter(ctx context.Context) (leave func()) {
	s.entered.Add(1)
	t, _ := ctx.Value(tallyKey{}).(*tally)
	t.runs.Add(1)
	t.running.Add(1)
	return func() {
		t.running.Add(-1)
		s.returned.Add(1)
	}
}

// first reports whether this is a call's first attempt at an input.
func first(ctx context.Context, in int) bool {
	t, _ := ctx.Value(tallyKey{}).(*tally)
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.tried == nil {
		t.tried = map[int]bool{}
	}
	was := t.tried[in]
	t.tried[in] = true
	return !was
}

// do makes a call, and returns what was wrong with it.
func (s *stressed) do(ctx context.Context, c *call, in int) error {
	t := &tally{}
	c.asked.Add(1)
	right, err := c.run(context.WithValue(ctx, tallyKey{}, t), in)
	end := endingOf(ctx, err)
	c.ended[end].Add(1)
	runs := t.runs.Load()
	c.ran.Add(runs)
	wrong := ""
	switch {
	case end == endStrange:
		wrong = "a strange error"
	case end == endWorked && !right:
		wrong = "a wrong answer"
	case end == endFailed && (c.fails == nil || !c.fails(in)):
		wrong = "an error for nothing"
	case end == endWorked && c.runs != nil && runs != c.runs(in):
		wrong = fmt.Sprintf("%d runs of functions, not %d", runs, c.runs(in))
	case c.leaf && (end == endWorked || end == endFailed) != (runs == 1) || c.leaf && runs > 1:
		wrong = fmt.Sprintf("%d runs of its function", runs)
	case !c.leaves && t.running.Load() != 0:
		wrong = "it has ended, and its functions have not"
	default:
		return nil
	}
	return fmt.Errorf("%s %d: %s: %w", c.name, in, wrong, err)
}

// see books a step's own rejection.
func (s *stressed) see(books *[2]atomic.Uint64, err error) {
	if named, ok := err.(*StepError); ok { //nolint:errorlint // not that of a step within
		err = named.Err
	}
	for i, own := range []error{ErrCircuitOpen, ErrConcurrencyTimeout} {
		if err == own { //nolint:errorlint // as above
			books[i].Add(1)
		}
	}
}

// witness is a node whose step's rejections are booked.
type witness[In, Out any] struct {
	Node[In, Out]
	s     *stressed
	books *[2]atomic.Uint64
}

func (n witness[In, Out]) perform(ctx context.Context, ex *Executor, in In) (Out, error) {
	out, err := n.Node.perform(ctx, ex, in)
	n.s.see(n.books, err)
	return out, err
}

// booked binds a step.
func booked[In, Out any](t testing.TB, s *stressed, cfg StepConfig[In, Out]) (Node[In, Out], *Step[In, Out]) {
	step := bind(t, s.ex, cfg)
	books := &s.once
	if cfg.Results.declared {
		books = &s.shared
	}
	return witness[In, Out]{step, s, books}, step
}

func newStressed(t *testing.T, options ...Option) *stressed {
	ex, err := New(Config{}, options...)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, ex.Close()) })
	s := &stressed{ex: ex}
	s.leaves(t)
	s.declared(t)
	for _, on := range []OnFailure{CancelOthers, WaitForAll} {
		s.flow(t, on)
	}
	return s
}

func (s *stressed) offer(c *call) { s.calls = append(s.calls, c) }

// leaves are steps that declare nothing and run no others.
func (s *stressed) leaves(t *testing.T) {
	leaf := func(c *call, cfg StepConfig[int, int]) {
		run := cfg.Run
		cfg.Name = c.name
		cfg.Run = func(ctx context.Context, in int) (int, error) {
			defer s.enter(ctx)()
			return run(ctx, in)
		}
		node, _ := booked(t, s, cfg)
		if c.run == nil {
			c.run = func(ctx context.Context, in int) (bool, error) {
				out, err := node.perform(ctx, s.ex, in)
				switch {
				case isPanic(err):
					s.panicked.Add(1)
				case errors.Is(err, ErrTimeout):
					s.timedOut.Add(1)
				}
				return out == -in, err
			}
		}
		s.offer(c)
	}
	always := func(int) bool { return true }
	pool, err := NewPool(s.ex, PoolConfig[[]int]{Reset: func(v *[]int) { *v = (*v)[:0] }})
	require.NoError(t, err)
	negated := func(_ context.Context, in int) (int, error) {
		scratch := pool.Get()
		defer pool.Put(scratch)
		*scratch = append(*scratch, -in)
		runtime.Gosched()
		return (*scratch)[0] * len(*scratch), nil
	}
	flaky := func(_ context.Context, in int) (int, error) {
		if s.down.Load() || in%16 == 3 {
			return 0, errBroken
		}
		return -in, nil
	}
	leaf(&call{name: "plain", leaf: true}, StepConfig[int, int]{Run: negated})
	leaf(&call{name: "flaky", leaf: true, fails: always}, StepConfig[int, int]{Run: flaky})
	leaf(&call{name: "panicky", leaf: true, fails: func(in int) bool { return in%16 == 5 }}, StepConfig[int, int]{Run: func(_ context.Context, in int) (int, error) {
		if in%16 == 5 {
			panic(in)
		}
		return -in, nil
	}})
	leaf(&call{name: "saved", fails: always}, StepConfig[int, int]{Run: flaky, Fallback: func(_ context.Context, in int, err error) (int, error) {
		s.saved.Add(1)
		s.see(&s.once, err)
		return -in, nil
	}})
	leaf(&call{
		name:  "stubborn",
		fails: func(in int) bool { return in%4 == 0 || in%16 == 3 },
		runs: func(in int) int64 {
			if in%4 == 0 {
				return 2
			}
			return 1
		},
	}, StepConfig[int, int]{Attempts: 2, Run: func(ctx context.Context, in int) (int, error) {
		if in%16 == 3 || in%4 == 0 && first(ctx, in) {
			return 0, errBroken
		}
		return -in, nil
	}})
	leaf(&call{name: "late", fails: always, leaves: true}, StepConfig[int, int]{Timeout: 2 * time.Millisecond, Run: func(_ context.Context, in int) (int, error) {
		if in%16 == 7 {
			time.Sleep(3 * time.Millisecond) // it does not heed its context
		}
		return -in, nil
	}})
}

// declared are steps whose results may be kept and shared.
func (s *stressed) declared(t *testing.T) {
	pure, step := booked(t, s, StepConfig[int, []int]{
		Name: "pure", Results: Pure(), Copy: slices.Clone[[]int], Attempts: 2,
		Run: func(_ context.Context, in int) ([]int, error) {
			if in%16 == 3 {
				return nil, errBroken
			}
			if in%8 == 0 {
				runtime.Gosched()
			}
			return []int{in}, nil
		},
	})
	s.pure = step
	s.offer(&call{name: "pure", fails: func(in int) bool { return in%16 == 3 }, run: func(ctx context.Context, in int) (bool, error) {
		out, err := pure.perform(ctx, s.ex, in)
		right := len(out) == 1 && out[0] == in
		if right {
			out[0] = -1
		}
		return right, err
	}})
	fresh, _ := booked(t, s, StepConfig[string, string]{
		Name: "fresh", Results: FreshFor(time.Millisecond), Timeout: time.Minute,
		Run: func(_ context.Context, in string) (string, error) { return in + "!", nil },
	})
	s.offer(&call{name: "fresh", leaves: true, run: func(ctx context.Context, _ int) (bool, error) {
		out, err := fresh.perform(ctx, s.ex, "a")
		return out == "a!", err
	}})
	nested, outer := booked(t, s, StepConfig[int, int]{Name: "nested", Results: Pure(), Run: func(ctx context.Context, in int) (int, error) {
		out, err := pure.perform(ctx, s.ex, in*16)
		if err != nil {
			return 0, err
		}
		return out[0] + in, nil
	}})
	s.nested = outer
	s.offer(&call{name: "nested", run: func(ctx context.Context, in int) (bool, error) {
		out, err := nested.perform(ctx, s.ex, in)
		return out == 17*in, err
	}})
	s.offer(&call{name: "invalidate", run: func(_ context.Context, in int) (bool, error) {
		s.pure.Invalidate(in)
		s.nested.Invalidate(in)
		return true, nil
	}})
}

// flow is one with run state and all that flows are made of. What it returns,
// and leaves in its state, is what it does when everything is off.
func (s *stressed) flow(t *testing.T, on OnFailure) {
	visits := NewKey(KeyConfig[int]{Name: "visits", Merge: Add[int]})
	trail := NewKey(KeyConfig[[]int]{Name: "trail", Merge: Append[[]int]})
	length := Derive(trail, func(v []int) int { return len(v) })
	write := func(ctx context.Context, in int) error {
		n, _ := visits.Get(ctx)
		steps, _ := trail.Get(ctx)
		if l, _ := length.Get(ctx); l != n || len(steps) != n {
			return fmt.Errorf("%d visits, and a trail of %d (%d)", n, len(steps), l)
		}
		steps = append(steps, in)
		err := errors.Join(visits.Set(ctx, n+1), trail.Set(ctx, steps))
		for i := range steps {
			steps[i] = -1 // it is the step's own
		}
		return err
	}
	visit, _ := booked(t, s, StepConfig[int, int]{Name: "visit", Run: func(ctx context.Context, in int) (int, error) {
		defer s.enter(ctx)()
		return in + 1, write(ctx, in)
	}})
	falter, _ := booked(t, s, StepConfig[int, int]{Name: "falter", Attempts: 2, Run: func(ctx context.Context, in int) (int, error) {
		defer s.enter(ctx)()
		if err := write(ctx, in); err != nil {
			return 0, err
		}
		if first(ctx, in) {
			return 0, errBroken // and leaves no trace
		}
		return in + 1, nil
	}})
	square, _ := booked(t, s, StepConfig[int, int]{Name: "square", Results: Pure(), Run: func(_ context.Context, in int) (int, error) { return in * in, nil }})
	inner, err := NewFlow(s.ex, "inner", Sequence(visit, square, visit))
	require.NoError(t, err)
	twice, _ := booked(t, s, StepConfig[int, int]{Name: "twice", Run: func(ctx context.Context, in int) (int, error) {
		defer s.enter(ctx)()
		a, err := inner.Run(ctx, in)
		if err != nil {
			return 0, err
		}
		b, err := inner.Run(ctx, in)
		return a + b, err
	}})
	sum := func(a, b int) int { return a + b }
	odd := func(_ context.Context, n int) (bool, error) { return n%2 == 1, nil }
	fourth := func(_ context.Context, n int) (bool, error) { return n%4 == 0, nil }
	split := Func("split", func(_ context.Context, n int) ([]int, error) { return []int{n, n + 1, n + 2}, nil })
	whole := Func("whole", func(_ context.Context, ns []int) (int, error) { return ns[0] + ns[1] + ns[2], nil })
	branches := Parallel(Reduce(sum), visit, Sequence(visit, square), twice).OnFailure(on)
	each := Map(Sequence(visit, If(odd, visit, square))).Width(2).OnFailure(on)
	tour, err := NewFlow(s.ex, "tour", Sequence(
		visit, If(odd, Node[int, int](branches), Sequence(falter, twice)), Loop(4, visit, fourth), Then(split, Then(Node[[]int, []int](each), whole)),
	), visits, trail)
	require.NoError(t, err)

	begin, err := NewState(visits.Of(1), trail.Of([]int{-7}))
	require.NoError(t, err)
	type result struct {
		out, visits int
		trail       []int
	}
	run := func(ctx context.Context, in int) (r result, err error) {
		var after State
		r.out, after, err = tour.RunState(ctx, begin, in)
		r.visits, _ = visits.From(after)
		r.trail, _ = trail.From(after)
		return r, err
	}
	var want [stressInputs]result
	var runs [stressInputs]int64
	for in := range want {
		counts := &tally{}
		want[in], err = run(context.WithValue(context.Background(), tallyKey{}, counts), in)
		require.NoError(t, err)
		runs[in] = counts.runs.Load()
	}
	s.offer(&call{
		name: "flow that " + map[OnFailure]string{CancelOthers: "cancels", WaitForAll: "waits"}[on],
		// Its one failure is final when retries are too expensive.
		fails: func(in int) bool { return in%2 == 1 },
		runs:  func(in int) int64 { return runs[in] },
		run: func(ctx context.Context, in int) (bool, error) {
			got, err := run(ctx, in)
			if err != nil && (got.visits != 1 || len(got.trail) != 1 || got.trail[0] != -7) {
				return false, fmt.Errorf("it failed, and left %v: %w", got, errTrace)
			}
			return got.out == want[in].out && got.visits == want[in].visits && slices.Equal(got.trail, want[in].trail), err
		},
	})
}

var errTrace = errors.New("a trace")

// moody exports spans as its mood is.
type moody struct {
	mood  atomic.Int32
	taken atomic.Uint64
}

const (
	quick int32 = iota
	slow
	loses  // half of them
	shut   // takes nothing
	panicy // whenever it is called
	ends   // its goroutine
	moods
)

func (m *moody) Begin(ctx context.Context, _ string, _ time.Time) (context.Context, any) {
	if m.mood.Load() == panicy {
		panic("begin")
	}
	return ctx, nil
}

func (m *moody) Export(_ context.Context, spans []*Span) error {
	lost := 0
	switch m.mood.Load() {
	case slow:
		time.Sleep(5 * time.Millisecond)
	case loses:
		lost = len(spans) / 2
	case shut:
		return errBroken
	case panicy:
		panic("export")
	case ends:
		runtime.Goexit()
	}
	m.taken.Add(uint64(len(spans) - lost))
	if lost > 0 {
		return LostSpans(lost)
	}
	return nil
}
