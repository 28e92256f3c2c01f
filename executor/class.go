package executor

import (
	"context"
	"errors"
	"hash/maphash"
	"io/fs"
	"reflect"
	"strconv"
	"sync/atomic"
	"syscall"
)

// ErrorClass says what can be done about an error.
type ErrorClass uint8

const (
	// Unclassified leaves an error to the default classification.
	Unclassified ErrorClass = iota
	// Transient errors may be gone at the next attempt.
	Transient
	// Permanent errors come again at every attempt: the input is wrong, what was
	// asked for is not there, the function panicked.
	Permanent
	// Overload is a rejection by who has too much to do already. Another attempt
	// would be more of it.
	Overload
	// Canceled is the end of whoever wanted the result.
	Canceled
)

// String returns the class's name.
func (c ErrorClass) String() string {
	switch c {
	case Transient:
		return "transient"
	case Permanent:
		return "permanent"
	case Overload:
		return "overload"
	case Canceled:
		return "canceled"
	case Unclassified:
	}
	return "unclassified"
}

// permanent errors of the standard library and this package, and those that mean
// too much work. What is not known is transient.
var (
	permanent = []error{
		ErrClosed, ErrGoexit, errors.ErrUnsupported,
		fs.ErrNotExist, fs.ErrExist, fs.ErrPermission, fs.ErrInvalid,
		strconv.ErrSyntax, strconv.ErrRange,
	}
	overload = []error{ErrConcurrencyTimeout, ErrCircuitOpen, syscall.EMFILE, syscall.ENFILE, syscall.ENOMEM}
)

// classOf is the default classification.
func classOf(err error) ErrorClass {
	switch {
	case isPanic(err):
		return Permanent // whatever it panicked with
	case errors.Is(err, context.Canceled):
		return Canceled
	case isAny(err, overload):
		return Overload
	case isAny(err, permanent):
		return Permanent
	default:
		return Transient
	}
}

func isAny(err error, of []error) bool {
	for _, e := range of {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// classify says once what an attempt's error is; retrying, the circuit and the
// counters go by it. While the switch is off only what no attempt can mend is
// told from the rest.
func (s *Step[In, Out]) classify(ctx context.Context, st *snapshot, err error) ErrorClass {
	switch {
	case ctx.Err() != nil:
		return Canceled
	case st.features&classified == 0:
		if final(err) {
			return Permanent
		}
		return Transient
	case final(err):
		return classOf(err) // a step's owner cannot want these again
	case s.cfg.Classify == nil:
		// A nested step's name is no news.
		for inner, ok := err.(*StepError); ok; inner, ok = err.(*StepError) { //nolint:errorlint // one layer at a time
			err = inner.Err
		}
		return st.classes.of(0, err, classOf)
	default:
		return st.classes.of(s.id, err, func(err error) ErrorClass {
			if class := s.cfg.Classify(err); class != Unclassified && class <= Canceled {
				return class
			}
			return classOf(err)
		})
	}
}

// errorClasses is the part of enable_optimized_error_handling.
type errorClasses struct {
	nothingToTrim

	table *classTable // guarded by the executor's lock
}

func (e *errorClasses) reconcile(next *snapshot) {
	switch size := next.config.ErrorCacheSize; {
	case next.features&classified == 0:
		e.table = nil
	case e.table == nil:
		e.table = newClassTable(size)
	case len(e.table.slots) != size:
		e.table = e.table.resized(size)
	}
	next.classes = e.table
}

func (e *errorClasses) readBack(c *Config) {
	if e.table != nil {
		c.ErrorCacheSize = len(e.table.slots)
	}
}

func (e *errorClasses) stop() {}

// classTable keeps the classes of errors that were met, one in each slot: a newer
// one takes the place of an older one. An error is found by being the same value,
// which says something only about errors that are met more than once (io.EOF and
// its like) and are not changed, as errors never should be. It is not found by
// its text: different errors have the same.
type classTable struct {
	seed  maphash.Seed
	slots []atomic.Pointer[classEntry]
}

type classKey struct {
	by  uint64 // the step whose Classify said so; 0 is the default
	err error
}

type classEntry struct {
	classKey
	class ErrorClass
}

func newClassTable(size int) *classTable {
	return &classTable{seed: maphash.MakeSeed(), slots: make([]atomic.Pointer[classEntry], size)}
}

// resized returns a table with what fits of this one.
func (t *classTable) resized(size int) *classTable {
	next := newClassTable(size)
	for i := range t.slots {
		if e := t.slots[i].Load(); e != nil {
			next.slot(e.classKey).Store(e)
		}
	}
	return next
}

func (t *classTable) slot(k classKey) *atomic.Pointer[classEntry] {
	return &t.slots[maphash.Comparable(t.seed, k)%uint64(len(t.slots))]
}

// of returns the class that is kept for an error, or keeps what classify says.
func (t *classTable) of(by uint64, err error, classify func(error) ErrorClass) ErrorClass {
	if reflect.TypeOf(err).Kind() != reflect.Pointer { // a value may hold what == panics at
		return classify(err)
	}
	k := classKey{by, err}
	slot := t.slot(k)
	if e := slot.Load(); e != nil && e.classKey == k {
		return e.class
	}
	e := &classEntry{k, classify(err)}
	slot.Store(e)
	return e.class
}
