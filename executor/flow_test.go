package executor

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func flowOf[In, Out any](t testing.TB, ex *Executor, body Node[In, Out], keys ...StateKey) *Flow[In, Out] {
	t.Helper()
	f, err := NewFlow(ex, "flow", body, keys...)
	require.NoError(t, err)
	return f
}

// add returns a node that adds n.
func add(n int) Node[int, int] {
	return Func("add", func(_ context.Context, in int) (int, error) { return in + n, nil })
}

func broken(name string) Node[int, int] {
	return Func(name, func(context.Context, int) (int, error) { return 1, errBroken })
}

func TestFlow_faultsAllAtOnce(t *testing.T) {
	ex := start(t, Config{})
	var missing *Step[int, int]
	locked := Func("locked", func(context.Context, chan int) (int, error) { return 0, nil })
	_, err := NewFlow(ex, "", Sequence(
		Node[int, int](missing), nil, Sequence[int](),
		Loop[int](0, add(1), nil), If[int, int](nil, add(1), nil),
		Parallel[int, int, int](nil).OnFailure(9), Parallel(Only[int], Func[int, int]("none", nil)),
		Then(Func("chan", func(context.Context, int) (chan int, error) { return nil, nil }), Node[chan int, int](Parallel(Only[int], locked))),
		Then(Func("two", func(context.Context, int) ([]int, error) { return nil, nil }),
			Then(Node[[]int, []int](Map(add(1)).Width(-1)), Func("sum", func(context.Context, []int) (int, error) { return 0, nil }))),
	), NewKey(KeyConfig[func()]{Name: "f"}), NewKey(KeyConfig[int]{}))
	require.EqualError(t, err, strings.TrimSpace(`
flow : name is empty: every flow needs one
flow : step: missing
node: missing
sequence: empty: it needs a node
loop: bound 0: must be at least 1
loop: done: missing
if: condition: missing
node: missing
parallel: empty: it needs a branch
parallel: combine: missing
parallel: failure strategy 9: unknown
func none: missing: a node needs a function
parallel: input chan int: chan int is a chan, which is not copied: it needs a Copy: use CopyInput
map: width -1: must be at least 1
flow : key f: func() is a func, which is not copied: it needs a Copy
flow : key: name is empty: every key needs one`))
	_, err = NewFlow[int, int](nil, "f", add(1))
	require.EqualError(t, err, "flow f: executor: missing: a flow runs in one")
}

func TestFlow_runsWhatItSays(t *testing.T) {
	ex := start(t, Config{})
	small := func(_ context.Context, n int) (bool, error) { return n < 10, nil }
	large := func(_ context.Context, n int) (bool, error) { return n >= 10, nil }
	refuses := func(context.Context, int) (bool, error) { return false, errBroken }
	for _, c := range []struct {
		name string
		body Node[int, int]
		in   int
		want int
		err  string
	}{
		{"sequence", Sequence(add(1), add(2)), 1, 4, ""},
		{"the first error ends it", Sequence(add(1), broken("b"), broken("never")), 1, 0, "flow flow: step b: broken"},
		{"if", If(small, add(1), add(2)), 1, 2, ""},
		{"else", If(small, add(1), add(2)), 10, 12, ""},
		{"a condition may fail", If(refuses, add(1), add(2)), 1, 0, "flow flow: step if: broken"},
		{"loop", Loop(4, add(3), large), 1, 10, ""},
		{"loop runs at least once", Loop(1, add(3), large), 10, 13, ""},
		{"loop is bounded", Loop(2, add(3), large), 1, 0, "flow flow: loop: not done within its bound of 2"},
		{"loop may fail", Loop(2, add(3), refuses), 1, 0, "flow flow: step loop: broken"},
		{"parallel", Parallel(Reduce(func(a, b int) int { return 10*a + b }), add(0), add(1), add(2)), 1, 123, ""},
		{"both", Both(add(0), add(1), func(a, b int) (int, error) { return 10*a + b, nil }), 1, 12, ""},
		{"flow in a flow", Then(add(1), Node[int, int](flowOf(t, ex, broken("b")))), 1, 0, "flow flow: flow flow: step b: broken"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := flowOf(t, ex, c.body).Run(t.Context(), c.in)
			require.Equal(t, c.want, got)
			if c.err == "" {
				require.NoError(t, err)
			} else {
				require.EqualError(t, err, c.err)
			}
		})
	}
}

// Whatever panics is an error with the name of what it was and the stack of
// where it was, in the caller's goroutine or in a branch's.
func TestFlow_panicsAreErrors(t *testing.T) {
	ex := start(t, Config{})
	panics := func(context.Context, int) (int, error) { panic("oops") }
	asks := func(context.Context, int) (bool, error) { panic("oops") }
	step := bind(t, ex, StepConfig[int, int]{Name: "panics", Run: panics})
	for name, body := range map[string]Node[int, int]{
		"step panics: panic":      Sequence(add(1), Node[int, int](step)),
		"step f: panic":           Func("f", panics),
		"step if: panic":          If(asks, add(1), add(1)),
		"step loop: panic":        Loop(1, add(1), asks),
		"step combine: panic":     Parallel(func([]int) (int, error) { panic("oops") }, add(1)),
		"flow: panic":             Parallel(Only[int], add(1), add(2)).CopyInput(func(int) int { panic("oops") }),
		"step a branch: panic":    Parallel(Only[int], add(1), Func("a branch", panics)),
		"step of a branch: panic": Parallel(Only[int], Sequence(add(1), Func("of a branch", panics)), add(2)),
	} {
		before := ex.Stats().Panics
		_, err := flowOf(t, ex, body).Run(t.Context(), 1)
		var p *PanicError
		require.ErrorAs(t, err, &p, name)
		require.ErrorContains(t, err, name)
		require.Equal(t, "oops", p.Value)
		require.Contains(t, string(p.Stack), "flow_test.go", name)
		require.Greater(t, ex.Stats().Panics, before, name)
	}
}

func TestFlow_endsWithItsContext(t *testing.T) {
	ex := start(t, Config{})
	never := func(context.Context, int) (bool, error) { return false, nil }
	cancels := func(cancel context.CancelFunc) Node[int, int] {
		return Func("cancels", func(context.Context, int) (int, error) { cancel(); return 0, nil })
	}
	for name, body := range map[string]func(Node[int, int]) Node[int, int]{
		"sequence": func(n Node[int, int]) Node[int, int] { return Sequence(n, broken("never")) },
		"loop":     func(n Node[int, int]) Node[int, int] { return Loop(1e9, n, never) },
		"if":       func(n Node[int, int]) Node[int, int] { return Then(n, If(never, broken("a"), broken("b"))) },
		"parallel": func(n Node[int, int]) Node[int, int] { return Then(n, Parallel(Only[int], broken("a"), broken("b"))) },
		"combine":  func(n Node[int, int]) Node[int, int] { return Parallel(Only[int], n) },
	} {
		ctx, cancel := context.WithCancel(t.Context())
		_, err := flowOf(t, ex, body(cancels(cancel))).Run(ctx, 1)
		require.ErrorIs(t, err, context.Canceled, name)
		require.NotErrorIs(t, err, errBroken, name)
		_, err = flowOf(t, ex, body(broken("never"))).Run(ctx, 1)
		require.EqualError(t, err, "flow flow: context canceled", name)
	}
}

func TestFlow_closeWaitsForIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ex, err := New(Config{})
		require.NoError(t, err)
		ended := 0
		slow := Func("slow", func(context.Context, int) (int, error) {
			time.Sleep(time.Second)
			ended++
			return 0, nil
		})
		f := flowOf(t, ex, Parallel(Only[int], slow, add(1)))
		all := newGroup(1, func() { _, _ = f.Run(t.Context(), 1) })
		synctest.Wait()
		require.NoError(t, ex.Close())
		require.Equal(t, 1, ended)
		all.Wait()
		_, err = f.Run(t.Context(), 1)
		require.ErrorIs(t, err, ErrClosed)
	})
}

// timed returns a node that ends after d with n, or with an error if n is
// negative, and heeds its context.
func timed(d time.Duration, n int, canceled *[]string) Node[int, int] {
	name := fmt.Sprint("after ", d)
	return Func(name, func(ctx context.Context, _ int) (int, error) {
		select {
		case <-time.After(d):
		case <-ctx.Done():
			*canceled = append(*canceled, fmt.Sprintf("%s: %v", name, context.Cause(ctx)))
			return 0, ctx.Err()
		}
		if n < 0 {
			return 0, fmt.Errorf("error %d", n)
		}
		return n, nil
	})
}

func TestParallel_strategies(t *testing.T) {
	type branch struct {
		after time.Duration
		n     int // negative: an error
	}
	const s = time.Second
	for _, c := range []struct {
		name     string
		on       OnFailure
		branches []branch
		takes    time.Duration
		want     []int
		err      string
		canceled []string
	}{
		{"all succeed", CancelOthers, []branch{{3 * s, 1}, {s, 2}}, 3 * s, []int{1, 2}, "", nil},
		{"a failure cancels", CancelOthers, []branch{{5 * s, 1}, {2 * s, -2}}, 2 * s, nil, "flow flow: step after 2s: error -2", []string{"after 5s: step after 2s: error -2"}},
		{"the first failure counts", CancelOthers, []branch{{5 * s, -1}, {2 * s, -2}}, 2 * s, nil, "flow flow: step after 2s: error -2", []string{"after 5s: step after 2s: error -2"}},
		{"waits", WaitForAll, []branch{{5 * s, 1}, {2 * s, -2}, {s, -3}}, 5 * s, nil, "flow flow: step after 2s: error -2\nstep after 1s: error -3", nil},
		{"waits and succeeds", WaitForAll, []branch{{5 * s, 1}, {2 * s, 2}}, 5 * s, []int{1, 2}, "", nil},
		{"takes what succeeded", TakeSucceeded, []branch{{5 * s, 1}, {2 * s, -2}, {s, 3}}, 5 * s, []int{1, 3}, "", nil},
		{"none succeeded", TakeSucceeded, []branch{{2 * s, -2}, {s, -3}}, 2 * s, nil, "flow flow: step after 2s: error -2\nstep after 1s: error -3", nil},
		{"first success", FirstSuccess, []branch{{5 * s, 1}, {2 * s, 2}, {s, -3}}, 2 * s, []int{2}, "", []string{"after 5s: another branch has decided"}},
		{"no success", FirstSuccess, []branch{{2 * s, -2}, {s, -3}}, 2 * s, nil, "flow flow: step after 2s: error -2\nstep after 1s: error -3", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ex := start(t, Config{})
				var canceled []string
				var nodes []Node[int, int]
				for _, b := range c.branches {
					nodes = append(nodes, timed(b.after, b.n, &canceled))
				}
				begin := time.Now()
				got, err := flowOf(t, ex, Parallel(Collect[int], nodes...).OnFailure(c.on)).Run(t.Context(), 1)
				require.Equal(t, c.takes, time.Since(begin))
				require.Equal(t, c.want, got)
				require.Equal(t, c.canceled, canceled)
				if c.err == "" {
					require.NoError(t, err)
				} else {
					require.EqualError(t, err, c.err)
				}
			})
		})
	}
	require.Equal(t, "take-succeeded", TakeSucceeded.String())
}

func TestParallel_callersCancelIsTheError(t *testing.T) {
	for _, on := range []OnFailure{CancelOthers, WaitForAll, TakeSucceeded, FirstSuccess} {
		synctest.Test(t, func(t *testing.T) {
			ex := start(t, Config{})
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
			defer cancel()
			var canceled []string
			body := Parallel(Collect[int], timed(time.Hour, 1, &canceled), timed(time.Second, 1, &canceled)).OnFailure(on)
			_, err := flowOf(t, ex, body).Run(ctx, 1)
			if on == FirstSuccess {
				require.NoError(t, err)
			} else {
				require.ErrorIs(t, err, context.DeadlineExceeded, on)
			}
		})
	}
}

func TestMap_boundsItsGoroutinesAndKeepsTheOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ex := start(t, Config{})
		var p peak
		f := flowOf(t, ex, Map(Func("in", func(ctx context.Context, in int) (int, error) {
			_, _ = p.run(ctx, in)
			if in == 2 {
				return 0, errBroken
			}
			return 10 * in, nil
		})).Width(3).OnFailure(TakeSucceeded))
		out, err := f.Run(t.Context(), []int{0, 1, 2, 3, 4, 5, 6})
		require.NoError(t, err)
		require.Equal(t, []int{0, 10, 30, 40, 50, 60}, out)
		require.EqualValues(t, 3, p.most.Load())
		out, err = f.Run(t.Context(), nil)
		require.NoError(t, err)
		require.Empty(t, out)
	})
}

// No branch sees what another, or the caller, changes in an input, nor does the caller.
func TestParallel_branchesHaveInputsOfTheirOwn(t *testing.T) {
	ex := start(t, Config{})
	scribble := Func("scribble", func(_ context.Context, in map[string][]int) (int, error) {
		sum := in["a"][0]
		in["a"][0]++
		delete(in, "a")
		return sum, nil
	})
	in := map[string][]int{"a": {1}}
	f := flowOf(t, ex, Parallel(Collect[int], scribble, scribble, scribble))
	require.Equal(t, []int{1, 1, 1}, must(f.Run(t.Context(), in))(t))
	two := flowOf(t, ex, Both(scribble, scribble, func(a, b int) (int, error) { return a + b, nil }))
	require.Equal(t, 2, must(two.Run(t.Context(), in))(t))
	each := flowOf(t, ex, Map(scribble))
	require.Equal(t, []int{1, 1}, must(each.Run(t.Context(), []map[string][]int{in, in}))(t))
	require.Equal(t, map[string][]int{"a": {1}}, in)
	shared := flowOf(t, ex, Parallel(Collect[int], scribble).CopyInput(ReadOnly[map[string][]int]))
	require.Equal(t, []int{1}, must(shared.Run(t.Context(), in))(t))
	require.Empty(t, in, "ReadOnly is a promise")

	anything := flowOf(t, ex, Parallel(Only[int], Func("any", func(context.Context, any) (int, error) { return 0, nil })))
	_, err := anything.Run(t.Context(), []any{errors.New("an error")})
	require.ErrorContains(t, err, "*errors.errorString is an error, which is not copied")
}
