package executor

import (
	"cmp"
	"errors"
)

// Merge decides what the value of a key is when branches that ran together have
// both set it. Base is the value when they began, the zero value if there was
// none; now is what the branches written down before have made of it, and set is
// what this one has set. All three are copies. It must not depend on anything
// else.
type Merge[T any] func(base, now, set T) (T, error)

// ErrConflict is returned when branches that ran together have set the same key
// and it has no Merge.
var ErrConflict = errors.New("set by branches that ran together, and has no Merge")

// Last takes what the branch written down last has set.
func Last[T any](_, _, set T) (T, error) { return set, nil }

// First takes what the branch written down first has set.
func First[T any](_, now, _ T) (T, error) { return now, nil }

// Number is any type with + and -.
type Number interface {
	~int | ~int8 | ~int16 | ~int32 | ~int64 | ~uint | ~uint8 | ~uint16 | ~uint32 | ~uint64 | ~uintptr |
		~float32 | ~float64 | ~complex64 | ~complex128
}

// Add adds up what the branches have each added.
func Add[T Number](base, now, set T) (T, error) { return now + (set - base), nil }

// Most takes the greatest value that a branch has set.
func Most[T cmp.Ordered](_, now, set T) (T, error) { return max(now, set), nil }

// Append appends what the branches have each appended. A branch that has
// shortened the slice is a conflict.
func Append[S ~[]E, E any](base, now, set S) (S, error) {
	if len(set) < len(base) {
		return nil, errors.New("shortened by a branch while others ran: Append merges only what is appended")
	}
	return append(now, set[len(base):]...), nil
}

// Union takes the entries that the branches have each changed, added and
// deleted. An entry that two branches have changed is that of the branch
// written down last.
func Union[M ~map[K]V, K, V comparable](base, now, set M) (M, error) {
	if now == nil {
		return set, nil
	}
	for k, v := range set {
		if was, ok := base[k]; !ok || v != was {
			now[k] = v
		}
	}
	for k := range base {
		if _, ok := set[k]; !ok {
			delete(now, k)
		}
	}
	return now, nil
}
