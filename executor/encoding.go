package executor

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"sync"
	"unsafe"
)

// An encoding writes values of one type as bytes, so that two values have the same
// bytes only if no function that heeds what they hold can tell them apart: it goes
// by content, through pointers, slices, maps and interfaces. Go's == does not: a
// pointer is equal to itself after what it points to was changed, 0.0 and -0.0 are
// equal though 1/x tells them apart, NaN is not equal to itself, and slices cannot
// be compared at all.
//
// Numbers are their bits in memory, so -0.0, 0.0 and each NaN are different.
// Whatever varies in length has its length first. Nil and empty are different. What
// an interface holds has its type first. A map is its entries in the order of
// their bytes. Fields named _ are left out, and so is padding.
//
// What content does not say is not told apart: where things are in memory,
// whether two pointers are the same one, capacities, the order of a map. A function
// whose result hangs on those is not Pure.
//
// Channels and functions have no content, a lock or an atomic is not for reading,
// and a time.Time refers to a location that is loaded when it is first needed: a
// type that holds one of them has no encoding.
type encoding struct {
	shape shape
	ops   []op
}

// shape is a shortcut for a type that is one number or one string.
type shape uint8

const (
	other shape = iota
	text
	byte1
	byte2
	byte4
	byte8
)

// op writes a part of a value.
type op struct {
	kind   reflect.Kind // Uint8 stands for bytes that are as they are in memory
	offset uintptr
	size   uintptr // of the bytes, or of one element of an array or slice
	count  int     // of elements of an array
	elem   *encoding
	typ    reflect.Type // of a map or interface
	entry  reflect.Type // of a map: a struct of a key and a value
}

// maxDepth is how deep a value may be; what is deeper is taken to be a circle.
const maxDepth = 100

// encodings has those that were made, which may be used in others.
var encodings struct {
	sync.Mutex
	of map[reflect.Type]*encoding
}

// dynamic has the types that were met in interfaces, each with a number of its own.
var dynamic sync.Map // reflect.Type -> *dynamicType

type dynamicType struct {
	number   uint64
	encoding *encoding // nil if it has none
}

func encodingOf[T any]() (*encoding, error) { return makeEncoding(reflect.TypeFor[T]()) }

// makeEncoding returns the encoding of a type, or which part of it has none.
func makeEncoding(t reflect.Type) (*encoding, error) {
	encodings.Lock()
	defer encodings.Unlock()
	made := maps.Clone(encodings.of)
	if made == nil {
		made = map[reflect.Type]*encoding{}
	}
	e, err := compile(t, made)
	if err != nil {
		return nil, err // and nothing that refers to a half-made one is kept
	}
	encodings.of = made
	return e, nil
}

// compile makes an encoding, and those that it refers to, unless they are there.
func compile(t reflect.Type, made map[reflect.Type]*encoding) (*encoding, error) {
	if e := made[t]; e != nil {
		return e, nil // a type that refers to itself finds itself here
	}
	e := &encoding{}
	made[t] = e
	if err := e.add(t, 0, made); err != nil {
		return nil, err
	}
	if len(e.ops) == 1 && e.ops[0].offset == 0 {
		switch o := e.ops[0]; {
		case o.kind == reflect.String:
			e.shape = text
		case o.kind == reflect.Uint8 && o.size == t.Size() && o.size == uintptr(t.Align()):
			e.shape = map[uintptr]shape{1: byte1, 2: byte2, 4: byte4, 8: byte8}[o.size]
		}
	}
	return e, nil
}

// add appends what writes a part of type t at an offset.
func (e *encoding) add(t reflect.Type, offset uintptr, made map[reflect.Type]*encoding) (err error) {
	switch p := t.PkgPath(); {
	case t == timeType:
		return fmt.Errorf("%v refers to its location", t)
	case p == "sync" || p == "sync/atomic":
		return fmt.Errorf("%v is not data", t)
	}
	o := op{kind: t.Kind(), offset: offset, size: t.Size(), typ: t}
	switch t.Kind() {
	case reflect.Chan, reflect.Func, reflect.UnsafePointer, reflect.Invalid:
		return fmt.Errorf("%v is a %v", t, t.Kind())
	case reflect.Struct:
		for i := range t.NumField() {
			f := t.Field(i)
			if f.Name == "_" {
				continue
			}
			if err := e.add(f.Type, offset+f.Offset, made); err != nil {
				return fmt.Errorf("field %s: %w", f.Name, err)
			}
		}
		return nil
	case reflect.Array:
		if o.elem, err = compile(t.Elem(), made); err != nil {
			return err
		}
		o.size, o.count = t.Elem().Size(), t.Len()
		if o.elem.flat(o.size) {
			o.kind, o.size = reflect.Uint8, t.Size()
		}
	case reflect.Slice, reflect.Pointer:
		o.size = t.Elem().Size()
		if o.elem, err = compile(t.Elem(), made); err != nil {
			return err
		}
	case reflect.Map:
		o.entry = reflect.StructOf([]reflect.StructField{{Name: "Key", Type: t.Key()}, {Name: "Value", Type: t.Elem()}})
		if o.elem, err = compile(o.entry, made); err != nil {
			return err
		}
	case reflect.Interface, reflect.String:
	default: // numbers and booleans
		o.kind = reflect.Uint8
	}
	if last := len(e.ops) - 1; o.kind == reflect.Uint8 && last >= 0 && e.ops[last].kind == reflect.Uint8 && e.ops[last].offset+e.ops[last].size == offset {
		e.ops[last].size += o.size
		return nil
	}
	if o.kind != reflect.Uint8 || o.size > 0 {
		e.ops = append(e.ops, o)
	}
	return nil
}

// flat reports whether values of a size are all bytes, without padding.
func (e *encoding) flat(size uintptr) bool {
	return size == 0 || len(e.ops) == 1 && e.ops[0].kind == reflect.Uint8 && e.ops[0].size == size
}

// write appends the value at an address, or returns false if it has no encoding.
func (e *encoding) write(b []byte, at unsafe.Pointer, depth int) (_ []byte, ok bool) {
	if depth > maxDepth {
		return b, false
	}
	for i := range e.ops {
		o := &e.ops[i]
		p := unsafe.Add(at, o.offset)
		switch o.kind { //nolint:exhaustive // the kinds that add leaves
		case reflect.Uint8:
			b = append(b, unsafe.Slice((*byte)(p), o.size)...) //nolint:gosec // as large as the field
			continue
		case reflect.String:
			s := *(*string)(p)
			b = append(binary.AppendUvarint(b, uint64(len(s))), s...)
			continue
		case reflect.Array:
			b, ok = o.elem.writeAll(b, p, o.count, o.size, depth)
		case reflect.Slice:
			s := *(*[]struct{})(p) // no element is looked at: the size is another
			if s == nil {
				b = append(b, 0)
				continue
			}
			b = binary.AppendUvarint(append(b, 1), uint64(len(s)))
			b, ok = o.elem.writeAll(b, unsafe.Pointer(unsafe.SliceData(s)), len(s), o.size, depth) //nolint:gosec // its elements
		case reflect.Pointer:
			if p = *(*unsafe.Pointer)(p); p == nil {
				b = append(b, 0)
				continue
			}
			b, ok = o.elem.write(append(b, 1), p, depth+1)
		case reflect.Map:
			word := *(*unsafe.Pointer)(p)
			if word == nil {
				b = append(b, 0)
				continue
			}
			b, ok = o.writeMap(b, word, depth)
		case reflect.Interface:
			words := *(*[2]unsafe.Pointer)(p)
			if words[0] == nil {
				b = append(b, 0)
				continue
			}
			b, ok = o.writeDynamic(b, words, depth)
		}
		if !ok {
			return b, false
		}
	}
	return b, true
}

func (e *encoding) writeAll(b []byte, at unsafe.Pointer, count int, size uintptr, depth int) (_ []byte, ok bool) {
	if e.flat(size) {
		return append(b, unsafe.Slice((*byte)(at), uintptr(count)*size)...), true //nolint:gosec // a length
	}
	for i := range count {
		if b, ok = e.write(b, unsafe.Add(at, uintptr(i)*size), depth+1); !ok {
			return b, false
		}
	}
	return b, true
}

// writeMap writes the entries of a map, which is not nil, by its word.
func (o *op) writeMap(b []byte, word unsafe.Pointer, depth int) ([]byte, bool) {
	entry := reflect.New(o.entry).Elem()
	var entries [][]byte
	for it := reflect.NewAt(o.typ, unsafe.Pointer(&word)).Elem().MapRange(); it.Next(); { //nolint:gosec // a map is one word
		entry.Field(0).SetIterKey(it)
		entry.Field(1).SetIterValue(it)
		one, ok := o.elem.write(nil, entry.Addr().UnsafePointer(), depth+1)
		if !ok {
			return b, false
		}
		entries = append(entries, one)
	}
	slices.SortFunc(entries, bytes.Compare)
	b = binary.AppendUvarint(append(b, 1), uint64(len(entries)))
	for _, one := range entries {
		b = append(binary.AppendUvarint(b, uint64(len(one))), one...)
	}
	return b, true
}

// writeDynamic writes what the words of an interface, which is not nil, hold.
func (o *op) writeDynamic(b []byte, words [2]unsafe.Pointer, depth int) ([]byte, bool) {
	v := reflect.NewAt(o.typ, unsafe.Pointer(&words)).Elem().Elem() //nolint:gosec // an interface is two words
	d := dynamicOf(v.Type())
	if d.encoding == nil {
		return b, false
	}
	held := reflect.New(v.Type())
	held.Elem().Set(v)
	return d.encoding.write(binary.AppendUvarint(append(b, 1), d.number), held.UnsafePointer(), depth+1)
}

// dynamicOf numbers a type when it is first met.
func dynamicOf(t reflect.Type) *dynamicType {
	if d, ok := dynamic.Load(t); ok {
		return d.(*dynamicType)
	}
	e, _ := makeEncoding(t)
	numbering.Lock()
	defer numbering.Unlock()
	if d, ok := dynamic.Load(t); ok {
		return d.(*dynamicType)
	}
	numbering.last++
	d := &dynamicType{number: numbering.last, encoding: e}
	dynamic.Store(t, d)
	return d
}

var numbering struct {
	sync.Mutex
	last uint64
}
