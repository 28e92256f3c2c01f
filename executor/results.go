package executor

import (
	"fmt"
	"reflect"
	"time"
)

// Results is what a step declares about its results. The zero value declares
// nothing: every execution runs the function, whatever is switched on.
type Results struct {
	declared bool
	fresh    time.Duration // 0: for ever
}

// Pure declares that the same input gives the same output, and that running the
// function less often is not noticed: no side effect that anybody relies on.
func Pure() Results { return Results{declared: true} }

// FreshFor declares that a result may be served to requests that arrive less
// than d after the execution that computed it began. d must be above 0.
func FreshFor(d time.Duration) Results {
	if d == 0 {
		d = -1 // told from Pure, and rejected by NewStep
	}
	return Results{declared: true, fresh: d}
}

// limit is how old a result may get, at a given cache_ttl.
func (r Results) limit(ttl time.Duration) time.Duration {
	if r.fresh > 0 {
		return min(r.fresh, ttl)
	}
	return ttl
}

// ReadOnly returns v itself. As a step's Copy it is a promise by the step's
// owner: nobody who gets a result ever changes what it points to.
func ReadOnly[T any](v T) T { return v }

var timeType = reflect.TypeFor[time.Time]()

// shares finds a part of a type through which two copies of a value reach the
// same memory, and describes it; it returns "" if there is none. Strings are
// immutable, and so is what a time.Time points to.
func shares(t reflect.Type) string {
	if t == timeType {
		return ""
	}
	switch t.Kind() {
	case reflect.Array:
		return shares(t.Elem())
	case reflect.Struct:
		for i := range t.NumField() {
			f := t.Field(i)
			if s := shares(f.Type); s != "" {
				return fmt.Sprintf("field %s: %s", f.Name, s)
			}
		}
		return ""
	case reflect.Chan, reflect.Func, reflect.Interface, reflect.Map, reflect.Pointer, reflect.Slice, reflect.UnsafePointer:
		return fmt.Sprintf("%v is a %v", t, t.Kind())
	default:
		return ""
	}
}
