package executor

import (
	"context"
	"weak"
)

// Derived is something computed of a value in run state: a sum, an index, the
// few fields of something large that a step needs.
//
// In the baseline it is computed each time it is asked for, of a copy. With
// enable_context_optimization it is kept with the value it was computed of, as
// long as context_cache_size and context_cache_ttl allow, over all runs that
// begin with the same State; then neither a copy of the value nor a computation
// is needed. Whoever asks gets a copy of the result; if that holds nothing
// changeable, it costs nothing.
type Derived[T, D any] struct {
	of     *Key[T]
	f      func(T) D
	copier *copier[D] // nil if a result cannot be copied, and is not kept
}

// Derive returns what f computes of a key's value. The result must depend on
// nothing else. f gets a copy.
func Derive[T, D any](of *Key[T], f func(T) D) *Derived[T, D] {
	c, err := newCopier[D](nil)
	if err != nil {
		c = nil
	}
	return &Derived[T, D]{of, f, c}
}

// snapshotOf is which result is kept: of which value, and computed by what. It
// keeps neither of them in memory, and is never equal to that of another.
type snapshotOf[T, D any] struct {
	cell weak.Pointer[cell]
	by   weak.Pointer[Derived[T, D]]
}

// Get returns what is computed of the value that the running step sees, and
// whether there is one. What a step has changed in a value that it got counts
// only when it is set.
func (d *Derived[T, D]) Get(ctx context.Context) (out D, ok bool) {
	within := viewOf(ctx)
	if within == nil {
		return out, false
	}
	c := within.cell(&d.of.key)
	if c == nil {
		return out, false
	}
	kept := within.run.snapshots
	if kept == nil || d.copier == nil {
		return d.compute(within.run.ex, c), true
	}
	ex := within.run.ex
	var id any = snapshotOf[T, D]{weak.Make(c), weak.Make(d)}
	if e, ok := kept.get(id); ok {
		ex.counters.snapshotHits.Add(1)
		out, _, _ = d.copier.copy(e.(*result[D]).out) // it could be copied before
		return out, true
	}
	ex.counters.snapshotMisses.Add(1)
	generation, from := kept.generation(id), origin{born: ex.clock.NowNano()}
	out = d.compute(ex, c)
	if own, _, err := d.copier.copy(out); err == nil {
		kept.put(id, generation, &result[D]{origin: from, out: own})
	}
	return out, true
}

func (d *Derived[T, D]) compute(ex *Executor, c *cell) D {
	v, n := d.of.open(c)
	ex.counters.copied(n)
	return d.f(v)
}
