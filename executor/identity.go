package executor

import (
	"crypto/sha256"
	"strings"
	"sync"
	"unsafe"
)

// An identity says of which step and input a result is. There are two kinds, and
// an executor changes from one to the other with enable_algorithm_optimization:
//
//   - a digest: the input's encoding through SHA-256. Two inputs that have the same
//     one have never been found, by anybody; every entry takes 32 bytes, however
//     large its input is.
//   - exact: the input itself, as a number or string if it is one, else as its
//     encoding. The cache hashes it in a few nanoseconds and then compares it, so
//     that a collision costs time and nothing else. An entry is as large as its input.
//
// Both tell the same inputs apart, because both go by the same encoding, which
// encoding.go is about. What is kept under one kind is not found under the other.
//
// An identity is a copy, taken when the execution begins: who changes an input
// afterwards has another input.
type identity struct {
	step   uint64 // twice its number, plus 1 for a digest
	number uint64 // an input of 1, 2, 4 or 8 bytes
	text   string // Key's answer, an input that is a string, an encoding, a digest
}

// identifier makes identities of one step's inputs.
type identifier[In any] struct {
	step uint64
	key  func(In) string // nil if the encoding tells inputs apart
	plan *encoding
}

// newIdentifier returns the identifier of a step, or why it needs a Key.
func newIdentifier[In any](step uint64, key func(In) string) (*identifier[In], error) {
	i := &identifier[In]{step: 2 * step, key: key}
	if key != nil {
		return i, nil
	}
	var err error
	i.plan, err = encodingOf[In]()
	return i, err
}

// of returns an input's identity. Its text is valid until the held text is freed; own
// makes it last. ok is false for an input that has none: it is linked in a
// circle, or an interface in it holds something that cannot be encoded.
func (i *identifier[In]) of(in In, exact bool) (id identity, s *heldText, ok bool) {
	id.step = i.step
	if exact {
		if i.key != nil {
			id.text = i.key(in)
			return id, nil, true
		}
		at := unsafe.Pointer(&in) //nolint:gosec // read by the plan, which is of In's own layout
		switch i.plan.shape {
		case text:
			id.text = *(*string)(at)
			return id, nil, true
		case byte1:
			id.number = uint64(*(*uint8)(at))
			return id, nil, true
		case byte2:
			id.number = uint64(*(*uint16)(at))
			return id, nil, true
		case byte4:
			id.number = uint64(*(*uint32)(at))
			return id, nil, true
		case byte8:
			id.number = *(*uint64)(at)
			return id, nil, true
		case other:
		}
	}
	s = heldTexts.Get().(*heldText)
	s.bytes = s.bytes[:0]
	if i.key != nil {
		s.bytes = append(s.bytes, i.key(in)...)
	} else if s.bytes, ok = i.plan.write(s.bytes, unsafe.Pointer(&in), 0); !ok { //nolint:gosec // as above
		s.free()
		return identity{}, nil, false
	}
	if !exact {
		id.step++
		sum := sha256.Sum256(s.bytes)
		s.bytes = append(s.bytes[:0], sum[:]...)
	}
	id.text = unsafe.String(unsafe.SliceData(s.bytes), len(s.bytes)) //nolint:gosec // until s is freed
	return id, s, true
}

// heldText holds the text of an identity while it is looked up. Most are looked up
// and found, and never need to be kept.
type heldText struct{ bytes []byte }

var heldTexts = sync.Pool{New: func() any { return &heldText{bytes: make([]byte, 0, 128)} }}

// free gives the text back. The identity from it must not be used again.
func (s *heldText) free() {
	const large = 1 << 16
	if s != nil && cap(s.bytes) <= large {
		heldTexts.Put(s)
	}
}

// own returns an identity that lasts, and frees the held text.
func (s *heldText) own(id identity) identity {
	if s != nil {
		id.text = strings.Clone(id.text)
		s.free()
	}
	return id
}
