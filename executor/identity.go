package executor

import (
	"fmt"
	"math"
	"reflect"
	"unsafe"
)

// An identity says of which step and input a result is. Two executions have
// equal identities only if they are of the same step with the same input: the
// input itself is in it, not a hash, so there are no collisions.
//
// # Which inputs can be their own identity
//
// Go's == is not "the same input" for every type. A pointer is equal to itself
// after what it points to was changed. 0.0 and -0.0 are equal, and 1/x tells
// them apart. NaN is not equal to itself, so an entry under it could not even
// be removed. An interface may hold something that panics when compared.
// Therefore a type qualifies if it is built from numbers, strings and booleans
// by structs and arrays; a float in it that is NaN or -0.0 makes that one
// execution run as if nothing were declared. All other types need a Key.
//
// Strings and integers have fields of their own, because putting them into an
// interface costs an allocation for each lookup.
type identity struct {
	step   uint64
	number uint64 // an input that is an integer of 4 or 8 bytes
	text   string // Key's answer, or an input that is a string
	in     any    // any other input
}

// keyer makes identities of one step's inputs. ok is false for an input that
// has none.
type keyer[In any] func(in In) (id identity, ok bool)

// newKeyer returns the keyer of a step, or why In cannot have one without a Key.
func newKeyer[In any](step uint64, key func(In) string) (keyer[In], error) {
	if key != nil {
		return func(in In) (identity, bool) { return identity{step: step, text: key(in)}, true }, nil
	}
	t := reflect.TypeFor[In]()
	floats, err := floatsOf(t, 0, nil)
	if err != nil {
		return nil, err
	}
	switch t.Kind() { //nolint:exhaustive // the others share one way
	case reflect.String:
		return func(in In) (identity, bool) {
			return identity{step: step, text: *(*string)(unsafe.Pointer(&in))}, true //nolint:gosec // In is of that kind and size
		}, nil
	case reflect.Int, reflect.Int64, reflect.Uint, reflect.Uint64, reflect.Uintptr:
		if t.Size() == 8 {
			return func(in In) (identity, bool) {
				return identity{step: step, number: *(*uint64)(unsafe.Pointer(&in))}, true //nolint:gosec // In is of that kind and size
			}, nil
		}
	case reflect.Int32, reflect.Uint32:
		return func(in In) (identity, bool) {
			return identity{step: step, number: uint64(*(*uint32)(unsafe.Pointer(&in)))}, true //nolint:gosec // In is of that kind and size
		}, nil
	}
	if len(floats) == 0 {
		return func(in In) (identity, bool) { return identity{step: step, in: in}, true }, nil
	}
	return func(in In) (identity, bool) {
		for _, f := range floats {
			if !f.exact(unsafe.Pointer(&in)) { //nolint:gosec // offsets are of In's own fields
				return identity{}, false
			}
		}
		return identity{step: step, in: in}, true
	}, nil
}

// floatAt is where in an input a float is.
type floatAt struct {
	offset uintptr
	single bool // float32
}

// exact reports whether == means "the same bits" for the float at f.
func (f floatAt) exact(in unsafe.Pointer) bool {
	at := unsafe.Add(in, f.offset)
	v := 0.0
	if f.single {
		v = float64(*(*float32)(at))
	} else {
		v = *(*float64)(at)
	}
	return v == v && (v != 0 || !math.Signbit(v))
}

// maxFloats is how many floats an input may hold and still be its own identity.
const maxFloats = 256

// floatsOf appends where the floats of a type are, or says which part of the
// type cannot be in an identity.
func floatsOf(t reflect.Type, base uintptr, floats []floatAt) ([]floatAt, error) {
	var err error
	switch t.Kind() {
	case reflect.Float32, reflect.Float64:
		floats = append(floats, floatAt{base, t.Kind() == reflect.Float32})
	case reflect.Complex64, reflect.Complex128:
		half := t.Size() / 2
		single := t.Kind() == reflect.Complex64
		floats = append(floats, floatAt{base, single}, floatAt{base + half, single})
	case reflect.Array:
		for i := range t.Len() {
			before := len(floats)
			if floats, err = floatsOf(t.Elem(), base+uintptr(i)*t.Elem().Size(), floats); err != nil {
				return nil, err
			}
			if len(floats) == before {
				break // no element has any
			}
		}
	case reflect.Struct:
		for i := range t.NumField() {
			f := t.Field(i)
			if floats, err = floatsOf(f.Type, base+f.Offset, floats); err != nil {
				return nil, fmt.Errorf("field %s: %w", f.Name, err)
			}
		}
	case reflect.Chan, reflect.Func, reflect.Interface, reflect.Map, reflect.Pointer, reflect.Slice, reflect.UnsafePointer:
		return nil, fmt.Errorf("%v is a %v", t, t.Kind())
	default: // booleans, integers, strings
	}
	if len(floats) > maxFloats {
		return nil, fmt.Errorf("%v has more than %d floats", t, maxFloats)
	}
	return floats, nil
}
