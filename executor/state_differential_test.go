package executor

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// Sharing state copy-on-write is Exact: random flows of steps that read, write,
// fail, panic, try again and nest see the same values and leave the same state
// as with deep copies, although they scribble over everything that they were
// ever handed, as long as they like. Under the race detector this also shows
// that no two steps are handed the same memory.

// chain is a value with pointers that lead to the same.
type chain struct {
	Numbers    []int
	Next, Twin *chain
}

func (c *chain) String() string {
	if c == nil {
		return "-"
	}
	return fmt.Sprint(c.Numbers, c.Next, c.Twin != nil && c.Twin == c.Next)
}

// world is what the steps of one play have in common.
type world struct {
	ex      *Executor
	maps    *Key[map[string][]int]
	chains  *Key[*chain]
	numbers *Key[int]
	any     *Key[any]
	longest *Derived[map[string][]int, []int]
	keys    []StateKey

	mu    sync.Mutex
	saw   map[int][]string // by step
	tried map[int]int
	kept  []any // all that was ever handed out, to scribble over
}

func newWorld(t require.TestingT, cfg Config) *world {
	ex, err := New(cfg)
	require.NoError(t, err)
	w := &world{
		ex: ex, saw: map[int][]string{}, tried: map[int]int{},
		maps:    NewKey(KeyConfig[map[string][]int]{Name: "maps"}), // two writers are a conflict
		chains:  NewKey(KeyConfig[*chain]{Name: "chains", Merge: Last[*chain]}),
		numbers: NewKey(KeyConfig[int]{Name: "numbers", Merge: Add[int]}),
	}
	// A rule that scribbles too.
	w.any = NewKey(KeyConfig[any]{Name: "any", Merge: func(base, now, set any) (any, error) {
		v := []any{fmt.Sprint(now), fmt.Sprint(set)}
		w.keep(base, now, set, v)
		return v, nil
	}})
	w.longest = Derive(w.maps, func(m map[string][]int) []int {
		var longest []int
		for _, k := range []string{"a", "b"} {
			if len(m[k]) > len(longest) {
				longest = m[k]
			}
		}
		out := slices.Clone(longest)
		w.keep(m)
		return out
	})
	w.keys = []StateKey{w.maps, w.chains, w.numbers, w.any}
	return w
}

func (w *world) keep(vs ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.kept = append(w.kept, vs...)
}

func (w *world) scribbleOverAll() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, v := range w.kept {
		scribble(v)
	}
}

// scribble changes all that can be changed through a value.
func scribble(v any) {
	switch v := v.(type) {
	case map[string][]int:
		for _, s := range v {
			scribble(s)
		}
		if v != nil {
			v["scribbled"] = []int{-1}
		}
	case []int:
		for i := range v {
			v[i]--
		}
	case *chain:
		for ; v != nil; v = v.Next {
			scribble(v.Numbers)
			v.Numbers = append(v.Numbers, -2)
		}
	case []any:
		for i := range v {
			scribble(v[i])
			v[i] = "scribbled"
		}
	case map[string]any:
		for k := range v {
			scribble(v[k])
			v[k] = -3
		}
	}
}

// deed is one thing that a step does.
type deed int

const (
	readsMaps deed = iota
	readsChains
	readsNumbers
	readsAny
	derives
	setsMaps
	setsChains
	setsNumbers
	setsAny
	scribbles // over what it has got itself, so far
	attacks   // all that anybody has got
	fails1    // the first time
	failsAlways
	panicsAlways
)

func (w *world) note(id int, saw string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.saw[id] = append(w.saw[id], saw)
}

// perform does the deeds, notes what it saw, and returns all that it was handed.
func (w *world) perform(ctx context.Context, id int, does []deed) (got []any, err error) {
	var saw []string
	w.mu.Lock()
	w.tried[id]++
	n := w.tried[id]
	w.mu.Unlock()
	defer func() {
		if v := recover(); v != nil {
			w.note(id, fmt.Sprint(saw, v))
			w.keep(got...)
			panic(v)
		}
		w.note(id, fmt.Sprint(saw, err))
	}()
	see := func(v any, ok bool) {
		saw, got = append(saw, fmt.Sprint(v, ok)), append(got, v)
	}
	for i, d := range does {
		switch d {
		case readsMaps:
			v, ok := w.maps.Get(ctx)
			see(v, ok)
		case readsChains:
			v, ok := w.chains.Get(ctx)
			see(v, ok)
		case readsNumbers:
			v, ok := w.numbers.Get(ctx)
			see(v, ok)
		case readsAny:
			v, ok := w.any.Get(ctx)
			see(v, ok)
		case derives:
			v, ok := w.longest.Get(ctx)
			see(v, ok)
		case setsMaps:
			v, _ := w.maps.Get(ctx)
			if v == nil {
				v = map[string][]int{}
			}
			v["a"] = append(v["a"], id, i)
			got = append(got, v)
			if err := w.maps.Set(ctx, v); err != nil {
				return got, err
			}
			v["b"] = append(v["b"], 99)
		case setsChains:
			v, _ := w.chains.Get(ctx)
			if v != nil && v.Next != nil {
				v = v.Next
			}
			v = &chain{Numbers: []int{id, i}, Next: v, Twin: v}
			got = append(got, v)
			if err := w.chains.Set(ctx, v); err != nil {
				return got, err
			}
		case setsNumbers:
			v, _ := w.numbers.Get(ctx)
			if err := w.numbers.Set(ctx, v+id); err != nil {
				return got, err
			}
		case setsAny:
			v := map[string]any{"id": id, "list": []any{i, []int{id}}}
			got = append(got, v)
			if err := w.any.Set(ctx, v); err != nil {
				return got, err
			}
		case scribbles:
			for _, v := range got {
				scribble(v)
			}
		case attacks:
			w.scribbleOverAll()
		case fails1:
			if n == 1 {
				return got, errBroken
			}
		case failsAlways:
			return got, errBroken
		case panicsAlways:
			panic(id)
		}
	}
	return got, nil
}

// drawLife returns a node of at most that depth; steps have numbers.
func drawLife(t *rapid.T, depth int, next *int) func(w *world) Node[int, int] {
	sub := func() func(w *world) Node[int, int] { return drawLife(t, depth-1, next) }
	kind := 0
	if depth > 0 {
		kind = rapid.IntRange(0, 5).Draw(t, "kind")
	}
	var parts []func(w *world) Node[int, int]
	if kind == 1 || kind == 2 {
		for range rapid.IntRange(2, 4).Draw(t, "parts") {
			parts = append(parts, sub())
		}
	}
	all := func(w *world) (nodes []Node[int, int]) {
		for _, p := range parts {
			nodes = append(nodes, p(w))
		}
		return nodes
	}
	*next++
	id := *next
	switch kind {
	case 1:
		return func(w *world) Node[int, int] { return Sequence(all(w)...) }
	case 2:
		on := rapid.SampledFrom([]OnFailure{WaitForAll, TakeSucceeded}).Draw(t, "strategy")
		return func(w *world) Node[int, int] {
			return Parallel(func([]int) (int, error) { return 0, nil }, all(w)...).OnFailure(on)
		}
	case 3: // as often as a number that it keeps in run state says
		body := sub()
		return func(w *world) Node[int, int] {
			return Loop(3, body(w), func(ctx context.Context, _ int) (bool, error) {
				v, _ := w.numbers.Get(ctx)
				return v%2 == 0, w.numbers.Set(ctx, 1000)
			})
		}
	case 4:
		body, nested := sub(), drawDeeds(t)
		return func(w *world) Node[int, int] { // a step that runs a flow
			inner, err := NewFlow(w.ex, fmt.Sprint("inner ", id), body(w), w.keys[1:]...)
			if err != nil {
				panic(err)
			}
			return w.step(id, nested, func(ctx context.Context) error {
				_, err := inner.Run(ctx, 0)
				w.note(id, fmt.Sprint(err))
				return nil // its steps' writes are dropped, its own are not
			})
		}
	default:
		does := drawDeeds(t)
		return func(w *world) Node[int, int] { return w.step(id, does, nil) }
	}
}

// drawDeeds returns what a step does; most steps succeed.
func drawDeeds(t *rapid.T) []deed {
	does := rapid.SliceOfN(rapid.Map(rapid.IntRange(0, int(attacks)), func(i int) deed { return deed(i) }), 1, 6).Draw(t, "deeds")
	if end := rapid.IntRange(0, 12).Draw(t, "end"); end < 3 {
		does = append(does, fails1+deed(end))
	}
	return does
}

func (w *world) step(id int, does []deed, between func(context.Context) error) Node[int, int] {
	s, err := NewStep(w.ex, StepConfig[int, int]{Name: fmt.Sprint(id), Attempts: 2, Run: func(ctx context.Context, in int) (int, error) {
		got, err := w.perform(ctx, id, does)
		defer func() { w.keep(got...) }() // others scribble over it when this step has ended
		if err != nil || between == nil {
			return in, err
		}
		if err := between(ctx); err != nil {
			return 0, err
		}
		more, err := w.perform(ctx, -id, does)
		got = append(got, more...)
		return in, err
	}})
	if err != nil {
		panic(err)
	}
	return s
}

// live runs a flow three times, each with the state that the one before left,
// under a configuration each, and returns all that could be seen.
func live(t require.TestingT, life func(w *world) Node[int, int], cfgs [3]Config) (seen []string) {
	w := newWorld(t, cfgs[0])
	f, err := NewFlow(w.ex, "life", life(w), w.keys...)
	require.NoError(t, err)
	given := map[string][]int{"a": {1, 2, 3}, "b": {4, 5, 6, 7}}
	link := &chain{Numbers: []int{1}}
	states := make([]State, 1, len(cfgs)+1)
	states[0], err = NewState(w.maps.Of(given), w.chains.Of(&chain{Next: link, Twin: link}))
	require.NoError(t, err)
	scribble(given)
	scribble(link)
	for i, cfg := range cfgs {
		require.NoError(t, w.ex.Apply(cfg))
		_, after, err := f.RunState(context.Background(), states[i], 0)
		seen = append(seen, fmt.Sprint("run ", i, ": ", err))
		states = append(states, after)
		w.scribbleOverAll()
		for j, s := range states {
			maps, _ := w.maps.From(s)
			chains, _ := w.chains.From(s)
			numbers, _ := w.numbers.From(s)
			other, _ := w.any.From(s)
			seen = append(seen, fmt.Sprint("state ", j, ": ", maps, chains, numbers, other))
			w.keep(maps, chains, other)
		}
	}
	require.NoError(t, w.ex.Close())
	for id, saw := range w.saw {
		seen = append(seen, fmt.Sprint("step ", id, ": ", saw))
	}
	slices.Sort(seen)
	return seen
}

func TestDifferential_copyOnWriteIsDeepCopy(t *testing.T) {
	on, tiny := Config{EnableContextOptimization: true}, Config{EnableContextOptimization: true, ContextCacheSize: 1}
	all := Config{
		EnableContextOptimization: true, EnableCacheOptimization: true, EnableStepOptimization: true,
		EnableConcurrencyOptimization: true, MaxConcurrentExecutions: 1,
	}
	rapid.Check(t, func(t *rapid.T) {
		life := drawLife(t, rapid.IntRange(1, 3).Draw(t, "depth"), new(int))
		want := live(t, life, [3]Config{})
		for name, cfgs := range map[string][3]Config{
			"on": {on, on, on}, "off between": {on, {}, on}, "on between": {{}, on, {}}, "tiny": {tiny, tiny, on}, "all": {all, all, all},
		} {
			require.Equal(t, want, live(t, life, cfgs), name)
		}
	})
}
