package executor

import (
	"crypto/sha256"
	"hash/maphash"
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
//     encoding. An entry is as large as its input.
//
// Both tell the same inputs apart, because both go by the same encoding, which
// encoding.go is about. What is kept under one kind is not found under the other.
//
// Of either kind, the cache and the signals go by a hash of it, which is computed
// once, in a few nanoseconds. What the cache finds is then compared whole: two
// identities with the same hash take each other's place, and never the other's result.
//
// An identity is a copy, taken when the execution begins: who changes an input
// afterwards has another input.
type identity struct {
	hash   uint64 // of the rest, never 0
	step   uint64 // twice its number, plus 1 for a digest
	number uint64 // an input of 1, 2, 4 or 8 bytes
	text   string // Key's answer, an input that is a string, an encoding, a digest
}

// identifier makes identities of one step's inputs.
type identifier[In any] struct {
	step  uint64
	salt  uint64          // of the step, for hashes
	shape shape           // of an input that is its own identity; else other
	key   func(In) string // nil if the encoding tells inputs apart
	plan  *encoding
}

// hashSeed is random, so that nobody outside can know which inputs have the same.
var hashSeed = maphash.MakeSeed()

// newIdentifier returns the identifier of a step, or why it needs a Key.
func newIdentifier[In any](step uint64, key func(In) string) (*identifier[In], error) {
	i := &identifier[In]{step: 2 * step, salt: maphash.Comparable(hashSeed, step), key: key}
	if key != nil {
		return i, nil
	}
	var err error
	if i.plan, err = encodingOf[In](); err != nil {
		return nil, err
	}
	i.shape = i.plan.shape
	return i, nil
}

// of returns an input's identity. Its text is valid until the held text is freed; own
// makes it last. ok is false for an input that has none: it is linked in a
// circle, or an interface in it holds something that cannot be encoded. hash is that
// of the exact identity if it is known, else 0.
func (i *identifier[In]) of(in In, exact bool, hash uint64) (id identity, s *heldText, ok bool) {
	id.step = i.step
	if exact {
		switch {
		case i.key != nil:
			id.text = i.key(in)
			id.hash = i.hashText(id.text)
			return id, nil, true
		case i.shape == text:
			id.text = *(*string)(unsafe.Pointer(&in)) //nolint:gosec // it is one
			if id.hash = hash; hash == 0 {
				id.hash = i.hashText(id.text)
			}
			return id, nil, true
		case i.shape != other:
			id.number = numeral(i.shape, unsafe.Pointer(&in)) //nolint:gosec // as large as its shape
			if id.hash = hash; hash == 0 {
				id.hash = i.hashNumber(id.number)
			}
			return id, nil, true
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
	id.hash = i.hashText(id.text)
	return id, s, true
}

// quick reports whether inputs are hashed in nanoseconds: without a Key or an
// encoding.
func (i *identifier[In]) quick() bool { return i.shape != other }

// hash returns the hash of the exact identity of a quick identifier's input.
func (i *identifier[In]) hash(in In) uint64 {
	if i.shape == text {
		return i.hashText(*(*string)(unsafe.Pointer(&in))) //nolint:gosec // it is one
	}
	return i.hashNumber(numeral(i.shape, unsafe.Pointer(&in))) //nolint:gosec // as large as its shape
}

// is reports whether an identity is the exact one of a quick identifier's input.
func (i *identifier[In]) is(id *identity, in In) bool {
	if id.step != i.step {
		return false
	}
	if i.shape == text {
		return id.text == *(*string)(unsafe.Pointer(&in)) //nolint:gosec // it is one
	}
	return id.number == numeral(i.shape, unsafe.Pointer(&in)) //nolint:gosec // as large as its shape
}

func (i *identifier[In]) hashText(s string) uint64 { return maphash.String(hashSeed, s) ^ i.salt | 1 }

func (i *identifier[In]) hashNumber(n uint64) uint64 { return mixed(n^i.salt) | 1 }

// mixed spreads a number over all bits: the finalizer of MurmurHash3.
func mixed(h uint64) uint64 {
	h ^= h >> 33
	h *= 0xff51afd7ed558ccd
	h ^= h >> 33
	h *= 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}

// numeral reads an input that is one.
func numeral(s shape, at unsafe.Pointer) uint64 {
	switch s {
	case byte8:
		return *(*uint64)(at)
	case byte4:
		return uint64(*(*uint32)(at))
	case byte2:
		return uint64(*(*uint16)(at))
	case byte1, text, other:
	}
	return uint64(*(*uint8)(at))
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
