package executor

import (
	"errors"
	"fmt"
	"reflect"
	"sync"
	"time"
	"unsafe"
)

// copier makes deep copies of values of one type: whatever is changed through
// a copy is not seen through the original, nor the other way round.
//
// # Algorithm
//
// A copy begins as the value itself, assigned. Then each reference in it is
// replaced by one to a copy of what it refers to. Where the references of a
// type are is found out once, and kept as a plan; a type without any costs an
// assignment. Unexported fields are part of a value, so that fields are reached
// by their offsets and not by their names.
//
// Two pointers, or two maps, that are the same in the original are the same in
// the copy, and circles stay circles. Two slices over one array become two
// arrays, and a copy of a slice has no room beyond its length.
//
// # What is not copied
//
// Strings, and what a time.Time or a unique.Handle points to, cannot be changed
// and are shared. Channels, functions, locks and atomics are no values: a type
// that holds one needs a copy function of its own. So do errors, because what
// an error is depends on its address. Behind an interface all this shows only
// when there is a value, so that copying can fail.
type copier[T any] struct {
	root  *plan // nil if nothing in T can be shared
	own   func(T) T
	plans *plans
}

func newCopier[T any](own func(T) T) (*copier[T], error) {
	if own != nil {
		return &copier[T]{own: own}, nil
	}
	ps := &plans{of: map[reflect.Type]*plan{}}
	root, err := ps.get(reflect.TypeFor[T]())
	if err != nil {
		return nil, err
	}
	if root.fix == nil {
		return &copier[T]{}, nil
	}
	return &copier[T]{root: root, plans: ps}, nil
}

// copy returns a copy, and about how many bytes were allocated for it.
func (c *copier[T]) copy(v T) (T, int, error) {
	if c.own != nil {
		return c.own(v), int(unsafe.Sizeof(v)), nil
	}
	if c.root == nil {
		return v, 0, nil
	}
	var w copying
	w.plans = c.plans
	out := v
	c.root.fix(unsafe.Pointer(&out), &w) //nolint:gosec // the plan is of T
	if w.err != nil {
		var zero T
		return zero, 0, w.err
	}
	return out, w.bytes, nil
}

// copying is one copy while it is made.
type copying struct {
	plans *plans
	seen  map[reference]unsafe.Pointer // what has a copy already
	bytes int
	err   error // the first thing behind an interface that is not copied
}

// reference is something that a value refers to, as a value of a type.
type reference struct {
	at   unsafe.Pointer
	plan *plan
	n    int // elements of a slice
}

func (w *copying) note(r reference, copied unsafe.Pointer) {
	if w.seen == nil {
		w.seen = map[reference]unsafe.Pointer{}
	}
	w.seen[r] = copied
}

// plan says how the references in a value of a type are replaced.
type plan struct {
	typ reflect.Type
	// fix replaces the references in the value at p, which is a copy that was
	// assigned. It is nil for a type without any.
	fix func(p unsafe.Pointer, w *copying)
}

// plans grow with the types that are found behind interfaces.
type plans struct {
	mu sync.RWMutex
	of map[reflect.Type]*plan // nil for a type that is not copied
}

// get returns the plan of a type, or which part of the type is not copied.
func (ps *plans) get(t reflect.Type) (*plan, error) {
	ps.mu.RLock()
	p := ps.of[t]
	ps.mu.RUnlock()
	if p != nil {
		return p, nil
	}
	ps.mu.Lock()
	defer ps.mu.Unlock()
	b := planning{known: ps.of, made: map[reflect.Type]*plan{}}
	p, err := b.plan(t)
	if err != nil {
		return nil, err
	}
	for t, p := range b.made {
		ps.of[t] = p
	}
	return p, nil
}

var (
	errorType    = reflect.TypeFor[error]()
	locationType = reflect.TypeFor[time.Location]()
	errNotCopied = errors.New("which is not copied: it needs a Copy")
)

// planning makes the plan of a type and of all that it is made of.
type planning struct {
	known map[reflect.Type]*plan
	made  map[reflect.Type]*plan // the ones under way included
}

func (b *planning) plan(t reflect.Type) (*plan, error) {
	if p := b.known[t]; p != nil {
		return p, nil
	}
	if p := b.made[t]; p != nil {
		return p, nil
	}
	p := &plan{typ: t}
	if t.PkgPath() == "unique" || t == timeType || t.Kind() == reflect.Pointer && t.Elem() == locationType {
		return p, nil
	}
	switch t.PkgPath() {
	case "sync", "sync/atomic", "reflect", "internal/sync":
		return nil, fmt.Errorf("%v, %w", t, errNotCopied)
	}
	if k := t.Kind(); (k == reflect.Pointer || k == reflect.Interface) && t.Implements(errorType) {
		return nil, fmt.Errorf("%v is an error, %w", t, errNotCopied)
	}
	// What leads back to a type under way leads through a reference: its fix is
	// known not to be nil before it is there.
	b.made[t] = p
	err := b.fill(p)
	return p, err
}

func (b *planning) fill(p *plan) (err error) {
	t := p.typ
	switch t.Kind() {
	case reflect.Array:
		p.fix, err = b.array(t)
	case reflect.Struct:
		p.fix, err = b.fields(t)
	case reflect.Pointer:
		p.fix = func(unsafe.Pointer, *copying) {} // while it is under way
		p.fix, err = b.pointer(p)
	case reflect.Slice:
		p.fix = func(unsafe.Pointer, *copying) {}
		p.fix, err = b.slice(p)
	case reflect.Map:
		p.fix = func(unsafe.Pointer, *copying) {}
		p.fix, err = b.mapping(p)
	case reflect.Interface:
		p.fix = fixInterface(t)
	case reflect.Chan, reflect.Func, reflect.UnsafePointer:
		err = fmt.Errorf("%v is a %v, %w", t, t.Kind(), errNotCopied)
	default: // booleans, numbers, strings
	}
	return err
}

func (b *planning) array(t reflect.Type) (func(unsafe.Pointer, *copying), error) {
	elem, err := b.plan(t.Elem())
	if err != nil || elem.fix == nil {
		return nil, err
	}
	n, size := t.Len(), t.Elem().Size()
	return func(p unsafe.Pointer, w *copying) {
		for i := range n {
			elem.fix(unsafe.Add(p, uintptr(i)*size), w)
		}
	}, nil
}

func (b *planning) fields(t reflect.Type) (func(unsafe.Pointer, *copying), error) {
	type field struct {
		offset uintptr
		*plan
	}
	var fields []field
	for i := range t.NumField() {
		f := t.Field(i)
		p, err := b.plan(f.Type)
		if err != nil {
			return nil, fmt.Errorf("field %s: %w", f.Name, err)
		}
		if p.fix != nil {
			fields = append(fields, field{f.Offset, p})
		}
	}
	if fields == nil {
		return nil, nil
	}
	return func(p unsafe.Pointer, w *copying) {
		for _, f := range fields {
			f.fix(unsafe.Add(p, f.offset), w)
		}
	}, nil
}

func (b *planning) pointer(p *plan) (func(unsafe.Pointer, *copying), error) {
	to := p.typ.Elem()
	elem, err := b.plan(to)
	if err != nil {
		return nil, err
	}
	return func(at unsafe.Pointer, w *copying) {
		ref := (*unsafe.Pointer)(at)
		if *ref == nil {
			return
		}
		r := reference{at: *ref, plan: p}
		if had, ok := w.seen[r]; ok {
			*ref = had
			return
		}
		fresh := reflect.New(to)
		fresh.Elem().Set(reflect.NewAt(to, *ref).Elem())
		w.bytes += int(to.Size())
		*ref = fresh.UnsafePointer()
		w.note(r, *ref)
		if elem.fix != nil {
			elem.fix(*ref, w)
		}
	}, nil
}

func (b *planning) slice(p *plan) (func(unsafe.Pointer, *copying), error) {
	t := p.typ
	elem, err := b.plan(t.Elem())
	if err != nil {
		return nil, err
	}
	size := t.Elem().Size()
	return func(at unsafe.Pointer, w *copying) {
		s := reflect.NewAt(t, at).Elem()
		if s.IsNil() {
			return
		}
		n := s.Len()
		r := reference{at: s.UnsafePointer(), plan: p, n: n}
		fresh := reflect.MakeSlice(t, n, n)
		if elem.fix != nil && n > 0 {
			if had, ok := w.seen[r]; ok {
				s.Set(reflect.NewAt(t, had).Elem())
				return
			}
			header := reflect.New(t)
			header.Elem().Set(fresh)
			w.note(r, header.UnsafePointer())
		}
		reflect.Copy(fresh, s)
		s.Set(fresh)
		w.bytes += n * int(size)
		if elem.fix != nil {
			first := fresh.UnsafePointer()
			for i := range n {
				elem.fix(unsafe.Add(first, uintptr(i)*size), w)
			}
		}
	}, nil
}

func (b *planning) mapping(p *plan) (func(unsafe.Pointer, *copying), error) {
	t := p.typ
	key, err := b.plan(t.Key())
	if err != nil {
		return nil, err
	}
	elem, err := b.plan(t.Elem())
	if err != nil {
		return nil, err
	}
	size := int(t.Key().Size() + t.Elem().Size())
	return func(at unsafe.Pointer, w *copying) {
		ref := (*unsafe.Pointer)(at) // a map is a pointer to what is in it
		if *ref == nil {
			return
		}
		r := reference{at: *ref, plan: p}
		if had, ok := w.seen[r]; ok {
			*ref = had
			return
		}
		m := reflect.NewAt(t, at).Elem()
		it := m.MapRange()
		fresh := reflect.MakeMapWithSize(t, m.Len())
		w.note(r, fresh.UnsafePointer())
		w.bytes += m.Len() * size
		k, v := reflect.New(t.Key()), reflect.New(t.Elem())
		for it.Next() {
			k.Elem().SetIterKey(it)
			v.Elem().SetIterValue(it)
			if key.fix != nil {
				key.fix(k.UnsafePointer(), w)
			}
			if elem.fix != nil {
				elem.fix(v.UnsafePointer(), w)
			}
			fresh.SetMapIndex(k.Elem(), v.Elem())
		}
		m.Set(fresh)
	}, nil
}

func fixInterface(t reflect.Type) func(unsafe.Pointer, *copying) {
	return func(at unsafe.Pointer, w *copying) {
		i := reflect.NewAt(t, at).Elem()
		if i.IsNil() || w.err != nil {
			return
		}
		of := i.Elem().Type()
		p, err := w.plans.get(of)
		if err != nil {
			w.err = err
			return
		}
		if p.fix == nil {
			return // nobody can change what is in an interface
		}
		fresh := reflect.New(of)
		fresh.Elem().Set(i.Elem())
		w.bytes += int(of.Size())
		p.fix(fresh.UnsafePointer(), w)
		i.Set(fresh.Elem())
	}
}
