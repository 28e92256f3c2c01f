package executor

import (
	"context"
	"errors"
	"fmt"
)

// KeyConfig says what a key of run state is. Only Name is needed.
type KeyConfig[T any] struct {
	// Name in errors.
	Name string
	// Merge decides when branches that ran together have both set the key; by
	// default that is ErrConflict.
	Merge Merge[T]
	// Copy returns a copy that shares nothing changeable with its argument, which
	// it must not change. The default copies by reflection, and refuses what it
	// cannot copy. ReadOnly is for values that nobody changes. It may be called
	// from several goroutines with the same argument.
	Copy func(T) T
}

// Key is the name and type of a value in run state. Two keys are never the
// same, whatever their names: keep it in a variable.
type Key[T any] struct {
	key
	copier *copier[T]
}

// key is a Key without its type.
type key struct {
	name  string
	fault error
	// thaw returns a *T with a copy of the value, and how many bytes that took.
	thaw func(*cell) (any, int)
	// merge returns the value when two were set; base is nil if there was none.
	merge func(base, now, set *cell) (*cell, error)
}

// StateKey is any Key, for NewFlow.
type StateKey interface{ untyped() *key }

func (k *key) untyped() *key { return k }

// NewKey returns a key. What is wrong with it is reported by NewFlow, and by all
// that would set it.
func NewKey[T any](cfg KeyConfig[T]) *Key[T] {
	k := &Key[T]{key: key{name: cfg.Name}}
	if k.copier, k.fault = newCopier(cfg.Copy); k.fault != nil {
		k.fault = fmt.Errorf("key %s: %w", cfg.Name, k.fault)
		k.copier = &copier[T]{} // nothing is ever set
	}
	if cfg.Name == "" {
		k.fault = errors.Join(errors.New("key: name is empty: every key needs one"), k.fault)
	}
	k.thaw = func(c *cell) (any, int) {
		v, n := k.open(c)
		return &v, n
	}
	k.key.merge = func(base, now, set *cell) (*cell, error) {
		if cfg.Merge == nil {
			return nil, ErrConflict
		}
		b, _ := k.open(base)
		n, _ := k.open(now)
		s, _ := k.open(set)
		v, err := cfg.Merge(b, n, s)
		if err != nil {
			return nil, err
		}
		return k.close(v)
	}
	return k
}

// open returns a copy of what is in a cell; of none, the zero value.
func (k *Key[T]) open(c *cell) (v T, bytes int) {
	if c == nil {
		return v, 0
	}
	v, bytes, _ = k.copier.copy(c.value.(T)) // the error is of values that are in no cell
	return v, bytes
}

// close returns a cell with a copy of a value.
func (k *Key[T]) close(v T) (*cell, error) {
	if k.fault != nil {
		return nil, k.fault
	}
	own, _, err := k.copier.copy(v)
	if err != nil {
		return nil, fmt.Errorf("key %s: %w", k.name, err)
	}
	return &cell{own}, nil
}

// Get returns the value that the running step sees, and whether there is one.
// The value is the step's own, and the same each time until it is set.
func (k *Key[T]) Get(ctx context.Context) (v T, ok bool) {
	if within := viewOf(ctx); within != nil {
		if p, ok := within.get(&k.key).(*T); ok {
			return *p, true
		}
	}
	return v, false
}

// Set sets the value to a copy of v, for the running step, and for those after
// it if it succeeds.
func (k *Key[T]) Set(ctx context.Context, v T) error {
	within := viewOf(ctx)
	if within == nil {
		return fmt.Errorf("key %s: %w", k.name, ErrNoState)
	}
	c, err := k.close(v)
	if err != nil {
		return err
	}
	return within.set(&k.key, c)
}

// Of returns an entry with a copy of v, for NewState.
func (k *Key[T]) Of(v T) Entry {
	c, err := k.close(v)
	return Entry{&k.key, c, err}
}

// From returns a copy of the value in a state, and whether there is one.
func (k *Key[T]) From(s State) (T, bool) {
	c := s.cells[&k.key]
	v, _ := k.open(c)
	return v, c != nil
}
