package executor

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// Both ways of keeping steps apart.
var isolations = map[string]Config{"deep copy": {}, "copy-on-write": {EnableContextOptimization: true}}

func eachIsolation(t *testing.T, f func(t *testing.T, ex *Executor)) {
	for name, cfg := range isolations {
		t.Run(name, func(t *testing.T) { f(t, start(t, cfg)) })
	}
}

func keyOf[T any](merge Merge[T]) *Key[T] { return NewKey(KeyConfig[T]{Name: "key", Merge: merge}) }

// does returns a node for what a step does with run state.
func does(f func(ctx context.Context) error) Node[int, int] {
	return Func("does", func(ctx context.Context, in int) (int, error) { return in, f(ctx) })
}

func TestState_aStepChangesItsOwnCopyOnly(t *testing.T) {
	eachIsolation(t, func(t *testing.T, ex *Executor) {
		k := keyOf[map[string][]int](nil)
		given := map[string][]int{"a": {1}}
		s := must(NewState(k.Of(given)))(t)
		given["a"][0] = 66
		var kept map[string][]int
		scribbles := does(func(ctx context.Context) error {
			v, ok := k.Get(ctx)
			require.True(t, ok)
			require.Equal(t, map[string][]int{"a": {1}}, v)
			v["a"][0] = 99
			again, _ := k.Get(ctx)
			require.Equal(t, 99, again["a"][0], "it is the step's own")
			kept = v
			return nil
		})
		sets := does(func(ctx context.Context) error {
			kept["a"][0] = 98
			v, _ := k.Get(ctx)
			require.Equal(t, map[string][]int{"a": {1}}, v)
			v["b"] = []int{2}
			require.NoError(t, k.Set(ctx, v))
			v["b"][0] = 97
			again, _ := k.Get(ctx)
			require.Equal(t, 2, again["b"][0], "Set has copied")
			return nil
		})
		reads := does(func(ctx context.Context) error {
			v, _ := k.Get(ctx)
			require.Equal(t, map[string][]int{"a": {1}, "b": {2}}, v)
			return nil
		})
		f := flowOf(t, ex, Sequence(scribbles, sets, reads), k)
		_, after, err := f.RunState(t.Context(), s, 0)
		require.NoError(t, err)
		v, _ := k.From(after)
		require.Equal(t, map[string][]int{"a": {1}, "b": {2}}, v)
		v["a"][0] = 96
		v, _ = k.From(after)
		require.Equal(t, 1, v["a"][0])
		v, _ = k.From(s)
		require.Equal(t, map[string][]int{"a": {1}}, v)
	})
}

// An attempt that fails, panics or is left behind leaves no trace.
func TestState_onlyWhatSucceedsWrites(t *testing.T) {
	for name, cfg := range isolations {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ex := start(t, cfg)
				k := keyOf[[]int](nil)
				var tried atomic.Int64
				late := make(chan error, 1)
				tries := bind(t, ex, StepConfig[int, int]{Attempts: 3, Timeout: time.Second, Run: func(ctx context.Context, _ int) (int, error) {
					n := int(tried.Add(1))
					v, _ := k.Get(ctx)
					v = append(v, n)
					if n > 1 && len(v) > 1 {
						t.Error("sees the attempt before")
					}
					require.NoError(t, k.Set(ctx, v))
					switch n {
					case 1:
						return 0, errBroken
					case 2:
						time.Sleep(time.Minute) // ignores its context
						late <- k.Set(ctx, []int{2})
					}
					return n, nil
				}})
				f := flowOf(t, ex, Node[int, int](tries), k)
				out, s, err := f.RunState(t.Context(), State{}, 0)
				require.NoError(t, err)
				require.Equal(t, 3, out)
				v, _ := k.From(s)
				require.Equal(t, []int{3}, v)
				time.Sleep(time.Hour)
				require.ErrorIs(t, <-late, ErrStateEnded)

				fails := flowOf(t, ex, Sequence(does(func(ctx context.Context) error { return k.Set(ctx, nil) }), broken("b")), k)
				_, after, err := fails.RunState(t.Context(), s, 0)
				require.ErrorIs(t, err, errBroken)
				require.Equal(t, s, after, "unchanged")
			})
		})
	}
}

func TestState_whereThereIsNone(t *testing.T) {
	eachIsolation(t, func(t *testing.T, ex *Executor) {
		k, other := keyOf[int](nil), NewKey(KeyConfig[int]{Name: "other"})
		_, ok := k.Get(t.Context())
		require.False(t, ok)
		require.ErrorIs(t, k.Set(t.Context(), 1), ErrNoState)
		pure := bind(t, ex, StepConfig[int, int]{Results: Pure(), Run: func(ctx context.Context, in int) (int, error) {
			_, ok := k.Get(ctx)
			require.False(t, ok, "what it returns must not depend on run state")
			require.ErrorIs(t, k.Set(ctx, 1), ErrNoState)
			return in, nil
		}})
		var stray func() error
		f := flowOf(t, ex, Sequence(
			does(func(ctx context.Context) error {
				require.ErrorContains(t, other.Set(ctx, 1), "key other: flow flow is not declared to have it")
				_, ok := other.Get(ctx)
				require.False(t, ok)
				_, ok = k.Get(ctx)
				require.False(t, ok, "not set")
				stray = func() error { return k.Set(ctx, 1) }
				return k.Set(ctx, 5)
			}),
			Node[int, int](pure),
			If(func(ctx context.Context, _ int) (bool, error) {
				n, _ := k.Get(ctx)
				return n == 5, k.Set(ctx, 77)
			}, does(func(ctx context.Context) error {
				n, _ := k.Get(ctx)
				require.Equal(t, 5, n, "what a condition sets is dropped")
				return nil
			}), broken("not 5")),
		), k)
		require.Equal(t, 1, must(f.Run(t.Context(), 1))(t))
		require.ErrorIs(t, stray(), ErrStateEnded)
		require.NoError(t, flowOf(t, ex, does(func(ctx context.Context) error {
			if !errors.Is(k.Set(ctx, 1), ErrNoState) {
				return errBroken
			}
			return nil
		})).ex.Apply(ex.Config()))
	})
}

func TestState_nestedStepsAndFlows(t *testing.T) {
	eachIsolation(t, func(t *testing.T, ex *Executor) {
		k, own := keyOf[[]int](nil), NewKey(KeyConfig[int]{Name: "own"})
		appends := func(n int) func(ctx context.Context, in int) (int, error) {
			return func(ctx context.Context, in int) (int, error) {
				v, _ := k.Get(ctx)
				if err := k.Set(ctx, append(v, n)); err != nil {
					return 0, err
				}
				if n < 0 {
					return 0, errBroken
				}
				return in, nil
			}
		}
		leaf := bind(t, ex, StepConfig[int, int]{Name: "leaf", Run: appends(2)})
		fails := bind(t, ex, StepConfig[int, int]{Name: "fails", Run: appends(-1)})
		inner := flowOf(t, ex, Sequence(Func("own", func(ctx context.Context, in int) (int, error) {
			return in, own.Set(ctx, 1)
		}), Func("3", appends(3))), k, own)
		outer := bind(t, ex, StepConfig[int, int]{Name: "outer", Run: func(ctx context.Context, in int) (int, error) {
			_, _ = appends(1)(ctx, in)
			_, _ = leaf.Run(ctx, in)
			_, _ = fails.Run(ctx, in)
			_, _ = inner.Run(ctx, in)
			_, alone, err := inner.RunState(ctx, State{}, in)
			require.NoError(t, err)
			v, _ := k.From(alone)
			require.Equal(t, []int{3}, v, "RunState is on its own")
			v, _ = k.Get(ctx)
			require.Equal(t, []int{1, 2, 3}, v)
			return in, nil
		}})
		_, s, err := flowOf(t, ex, Node[int, int](outer), k).RunState(t.Context(), State{}, 0)
		require.NoError(t, err)
		v, _ := k.From(s)
		require.Equal(t, []int{1, 2, 3}, v)
		_, ok := own.From(s)
		require.False(t, ok)
	})
}

func TestState_mergesInTheOrderOfBranches(t *testing.T) {
	sum := func(base, now, set int) (int, error) { return now + 100*(set-base), nil }
	for _, c := range []struct {
		name  string
		merge Merge[int]
		want  int
		err   string
	}{
		{"no rule", nil, 5, "flow flow: key key: set by branches that ran together, and has no Merge"},
		{"last", Last[int], 8, ""},
		{"first", First[int], 6, ""},
		{"add", Add[int], 5 + 1 + 2 + 3, ""},
		{"most", Most[int], 8, ""},
		{"own", sum, 6 + 200 + 300, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			eachIsolation(t, func(t *testing.T, ex *Executor) {
				k := keyOf(c.merge)
				adds := func(n int) Node[int, int] {
					return does(func(ctx context.Context) error {
						time.Sleep(time.Duration(3-n) * 100 * time.Microsecond) // the last is the first to end
						v, _ := k.Get(ctx)
						return k.Set(ctx, v+n)
					})
				}
				reads := does(func(ctx context.Context) error {
					if v, _ := k.Get(ctx); v != 5 {
						t.Errorf("a branch sees %d", v)
					}
					return nil
				})
				fails := Then(adds(50), broken("b"))
				body := Parallel(Only[int], adds(1), reads, adds(2), fails, adds(3)).OnFailure(TakeSucceeded)
				s := must(NewState(k.Of(5)))(t)
				_, after, err := flowOf(t, ex, body, k).RunState(t.Context(), s, 0)
				v, _ := k.From(after)
				require.Equal(t, c.want, v)
				if c.err == "" {
					require.NoError(t, err)
				} else {
					require.EqualError(t, err, c.err)
					require.ErrorIs(t, err, ErrConflict)
				}
			})
		})
	}
}

func TestMerge_rules(t *testing.T) {
	got, err := Append([]int{1}, []int{1, 2}, []int{1, 3})
	require.NoError(t, err)
	require.Equal(t, []int{1, 2, 3}, got)
	_, err = Append([]int{1, 2}, []int{1, 2, 3}, []int{1})
	require.ErrorContains(t, err, "shortened")
	type m = map[string]int
	base := m{"same": 1, "ours": 1, "theirs": 1, "gone": 1, "gone too": 1, "both": 1}
	now := m{"same": 1, "ours": 2, "theirs": 1, "gone too": 1, "both": 2, "new": 1}
	set := m{"same": 1, "ours": 1, "theirs": 3, "gone": 1, "both": 3, "newer": 1}
	union, err := Union(base, now, set)
	require.NoError(t, err)
	require.Equal(t, m{"same": 1, "ours": 2, "theirs": 3, "both": 3, "new": 1, "newer": 1}, union)
	union, err = Union(nil, nil, set)
	require.NoError(t, err)
	require.Equal(t, set, union)
}

// Off, a step gets a copy of everything; on, of what it asks for. It moves live:
// a run goes on as it began.
func TestState_optimizationCopiesOnlyWhatIsAskedFor(t *testing.T) {
	on := Config{EnableContextOptimization: true}
	ex := start(t, Config{})
	large, small := keyOf[[]byte](nil), NewKey(KeyConfig[[]byte]{Name: "small"})
	read := func(then func()) Node[int, int] {
		return does(func(ctx context.Context) error {
			v, _ := small.Get(ctx)
			require.Len(t, v, 10)
			then()
			return nil
		})
	}
	s := must(NewState(large.Of(make([]byte, 1e5)), small.Of(make([]byte, 10))))(t)
	copied := func(body Node[int, int]) uint64 {
		before := ex.Stats().StateBytes
		_, _, err := flowOf(t, ex, body, large, small).RunState(t.Context(), s, 0)
		require.NoError(t, err)
		return ex.Stats().StateBytes - before
	}
	none := func() {}
	body := Sequence(read(none), read(none))
	require.EqualValues(t, 2*100_010, copied(body))
	require.NoError(t, ex.Apply(on))
	require.EqualValues(t, 2*10, copied(body))
	off := func() { require.NoError(t, ex.Apply(Config{})) }
	require.EqualValues(t, 2*10, copied(Sequence(read(off), read(none))))
	require.EqualValues(t, 2*100_010, copied(Sequence(read(func() { require.NoError(t, ex.Apply(on)) }), read(none))))
}

// derivation is a flow that reads something derived of a state, and counts how
// often it is computed.
func derivation(t *testing.T, ex *Executor) (of func(n int) State, read func(State) int, computed *int) {
	k := keyOf[[]int](nil)
	computed = new(int)
	twice := Derive(k, func(v []int) []int {
		*computed++
		v[0] *= 2
		return v // of its own copy
	})
	f := flowOf(t, ex, Func("read", func(ctx context.Context, _ int) (int, error) {
		v, ok := twice.Get(ctx)
		require.True(t, ok)
		out := v[0]
		v[0] = -1
		return out, nil
	}), k)
	of = func(n int) State { return must(NewState(k.Of([]int{n})))(t) }
	read = func(s State) int {
		out, _, err := f.RunState(t.Context(), s, 0)
		require.NoError(t, err)
		return out
	}
	return of, read, computed
}

func TestDerived_sizeBoundsWhatIsKept(t *testing.T) {
	ex := start(t, Config{})
	of, read, computed := derivation(t, ex)
	states := make([]State, 50)
	for i := range states {
		states[i] = of(i)
	}
	round := func(cfg Config) int {
		require.NoError(t, ex.Apply(cfg))
		before := *computed
		for i, s := range states {
			require.Equal(t, 2*i, read(s))
		}
		return *computed - before
	}
	require.Equal(t, 50, round(Config{}))
	require.Equal(t, 50, round(Config{}), "off, nothing is kept")
	on := Config{EnableContextOptimization: true, ContextCacheSize: 100}
	require.Equal(t, 50, round(on))
	require.Zero(t, round(on))
	require.EqualValues(t, 50, ex.Stats().SnapshotHits)
	on.ContextCacheSize = 5
	require.GreaterOrEqual(t, round(on), 45)
	require.EqualValues(t, 5, must2(ex.Setting().Get("context_cache_size")))
	on.ContextCacheSize = 100
	round(on)
	require.Zero(t, round(on))
	require.Equal(t, 50, round(Config{}), "off releases what was kept")
	require.Equal(t, 50, round(on))
}

func must2[T any](v T, _ bool) T { return v }

func TestDerived_ttlBoundsHowLongItIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		on := Config{EnableContextOptimization: true, ContextCacheTTL: time.Minute}
		ex := start(t, on)
		of, read, computed := derivation(t, ex)
		s := of(3)
		for _, want := range []int{1, 1, 2} { // at 0, 40 s and 80 s
			require.Equal(t, 6, read(s))
			require.Equal(t, want, *computed)
			time.Sleep(40 * time.Second)
		}
		on.ContextCacheTTL = time.Hour // the entry is 40 s old
		require.NoError(t, ex.Apply(on))
		time.Sleep(50 * time.Minute)
		read(s)
		require.Equal(t, 2, *computed)
		on.ContextCacheTTL = time.Second
		require.NoError(t, ex.Apply(on))
		read(s)
		require.Equal(t, 3, *computed)
	})
}
