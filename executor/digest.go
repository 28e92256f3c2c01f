package executor

import (
	"hash/maphash"
	"reflect"
	"unsafe"
)

// digester hashes the inputs of one step, without an allocation, where an
// identity may cost one. ok is false for an input that has no identity. Inputs
// that are the same have the same hash; others have another but for chance,
// which a signal can live with and a cache could not.
type digester[In any] func(in In) (hash uint64, ok bool)

// newDigester returns the digester of a step whose inputs have identities.
func newDigester[In any](seed maphash.Seed, step uint64, key func(In) string) digester[In] {
	base := maphash.Comparable(seed, step)
	if key != nil {
		return func(in In) (uint64, bool) { return mixed(maphash.String(seed, key(in)) ^ base), true }
	}
	t := reflect.TypeFor[In]()
	switch t.Kind() { //nolint:exhaustive // the others share one way
	case reflect.String:
		return func(in In) (uint64, bool) {
			return mixed(maphash.String(seed, *(*string)(unsafe.Pointer(&in))) ^ base), true //nolint:gosec // In is of that kind and size
		}
	case reflect.Int, reflect.Int64, reflect.Uint, reflect.Uint64, reflect.Uintptr:
		if t.Size() == 8 {
			return func(in In) (uint64, bool) {
				return mixed(mixed(*(*uint64)(unsafe.Pointer(&in))) ^ base), true //nolint:gosec // In is of that kind and size
			}
		}
	}
	floats, _ := floatsOf(t, 0, nil) // NewStep has rejected what cannot be
	spans := spansOf(t, 0, nil)
	return func(in In) (uint64, bool) {
		at := unsafe.Pointer(&in) //nolint:gosec // offsets are of In's own parts
		for _, f := range floats {
			if !f.exact(at) {
				return 0, false
			}
		}
		h := base
		for _, s := range spans {
			var part uint64
			switch p := unsafe.Add(at, s.offset); {
			case s.text:
				part = maphash.String(seed, *(*string)(p))
			case s.size == 8:
				part = *(*uint64)(p)
			case s.size == 4:
				part = uint64(*(*uint32)(p))
			case s.size == 1:
				part = uint64(*(*uint8)(p))
			default:
				part = maphash.Bytes(seed, unsafe.Slice((*byte)(p), s.size)) //nolint:gosec // of In itself
			}
			h = mixed(h ^ part)
		}
		return h, true
	}
}

// mixed spreads a number over all bits: the finalizer of MurmurHash3.
func mixed(h uint64) uint64 {
	h ^= h >> 33
	h *= 0xff51afd7ed558ccd
	h ^= h >> 33
	h *= 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}

// span is a part of an input that == compares: bytes, or a string.
type span struct {
	offset, size uintptr
	text         bool
}

// spansOf appends the spans of a type; bytes that follow each other are one.
// Padding and blank fields are not compared and are not in them.
func spansOf(t reflect.Type, base uintptr, spans []span) []span {
	switch t.Kind() { //nolint:exhaustive // the others are bytes
	case reflect.String:
		return append(spans, span{base, t.Size(), true})
	case reflect.Struct:
		for i := range t.NumField() {
			if f := t.Field(i); f.Name != "_" {
				spans = spansOf(f.Type, base+f.Offset, spans)
			}
		}
		return spans
	case reflect.Array:
		for i := range t.Len() {
			spans = spansOf(t.Elem(), base+uintptr(i)*t.Elem().Size(), spans)
		}
		return spans
	}
	if n := len(spans); n > 0 && !spans[n-1].text && spans[n-1].offset+spans[n-1].size == base {
		spans[n-1].size += t.Size()
		return spans
	}
	return append(spans, span{base, t.Size(), false})
}
