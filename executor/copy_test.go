package executor

import (
	"math"
	"math/big"
	"net/netip"
	"reflect"
	"sync"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// list has a bit of everything that holds a reference.
type list struct {
	N     int
	name  string // unexported fields are part of a value
	Next  *list
	Bytes []byte
	Rest  []list
	named map[string]*list
	Pair  [2][]int
	Any   any
	When  time.Time
	Sum   big.Int
}

func drawList(t *rapid.T, depth int, known *[]*list) *list {
	l := &list{N: rapid.Int().Draw(t, "n"), name: rapid.String().Draw(t, "name"), When: time.Unix(1, 0)}
	*known = append(*known, l)
	l.Sum.SetInt64(rapid.Int64().Draw(t, "sum"))
	l.Bytes = rapid.OneOf(rapid.Just([]byte(nil)), rapid.SliceOf(rapid.Byte())).Draw(t, "bytes")
	l.Pair[1] = rapid.SliceOf(rapid.Int()).Draw(t, "pair")
	if rapid.Bool().Draw(t, "back") { // a circle, or a second way to the same
		l.Any = rapid.SampledFrom(*known).Draw(t, "to")
	}
	if depth == 0 {
		return l
	}
	switch rapid.IntRange(0, 5).Draw(t, "kind") {
	case 0:
		l.Next = drawList(t, depth-1, known)
	case 1:
		l.named = map[string]*list{"a": drawList(t, depth-1, known), "b": drawList(t, depth-1, known), "nil": nil}
	case 2:
		l.Rest = []list{{Next: drawList(t, depth-1, known)}, {}}
	case 3:
		l.Any = map[string]any{"x": []any{1, "two", drawList(t, depth-1, known)}, "y": map[any][]byte{3: {4}}}
	case 4:
		self := []any{nil, l}
		self[0] = self
		l.Any = self
	}
	return l
}

// memory collects where a value can be changed through references.
func memory(v reflect.Value, at map[unsafe.Pointer]bool) {
	switch v.Kind() { //nolint:exhaustive // the others refer to nothing
	case reflect.Pointer, reflect.Map, reflect.Slice:
		if v.IsNil() || v.Type() == reflect.TypeFor[*time.Location]() || v.Kind() == reflect.Slice && v.Len() == 0 {
			return
		}
		if at[v.UnsafePointer()] && v.Kind() != reflect.Slice {
			return
		}
		seen := at[v.UnsafePointer()]
		at[v.UnsafePointer()] = true
		if seen {
			return
		}
	}
	switch v.Kind() { //nolint:exhaustive // as above
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			memory(v.Elem(), at)
		}
	case reflect.Map:
		for it := v.MapRange(); it.Next(); {
			memory(it.Key(), at)
			memory(it.Value(), at)
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			memory(v.Index(i), at)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			memory(v.Field(i), at)
		}
	}
}

// A copy is equal to the original, as the original was, and has no memory in
// common with it that could be changed.
func TestCopy_isEqualAndSharesNothing(t *testing.T) {
	c, err := newCopier[*list](nil)
	require.NoError(t, err)
	rapid.Check(t, func(t *rapid.T) {
		l := drawList(t, 4, new([]*list))
		got, bytes, err := c.copy(l)
		require.NoError(t, err)
		require.True(t, reflect.DeepEqual(l, got))
		require.GreaterOrEqual(t, bytes, int(unsafe.Sizeof(*l)))
		ours, theirs := map[unsafe.Pointer]bool{}, map[unsafe.Pointer]bool{}
		memory(reflect.ValueOf(l), ours)
		memory(reflect.ValueOf(got), theirs)
		require.Len(t, theirs, len(ours), "what was one is one, and what was two is two")
		for p := range theirs {
			require.False(t, ours[p])
		}
	})
}

func copyOf[T any](t *testing.T, v T) T {
	t.Helper()
	c, err := newCopier[T](nil)
	require.NoError(t, err)
	got, _, err := c.copy(v)
	require.NoError(t, err)
	return got
}

func TestCopy_keepsWhatIsTheSame(t *testing.T) {
	n, m := 1, map[string]int{"a": 1}
	p := copyOf(t, []*int{&n, &n})
	require.Same(t, p[0], p[1])
	require.NotSame(t, &n, p[0])
	ms := copyOf(t, [2]map[string]int{m, m})
	ms[0]["b"] = 2
	require.Equal(t, 2, ms[1]["b"])
	require.Len(t, m, 1)

	type ring struct{ next *ring }
	r := &ring{}
	r.next = r
	got := copyOf(t, r)
	require.Same(t, got, got.next)
	require.NotSame(t, r, got)

	type nest []nest
	self := nest{nil}
	self[0] = self
	deep := copyOf(t, self)
	require.Same(t, &deep[0], &deep[0][0][0])
	require.NotSame(t, &self[0], &deep[0])

	keyed := copyOf(t, map[*int]int{&n: 5})
	for k, v := range keyed {
		require.NotSame(t, &n, k)
		require.Equal(t, []int{1, 5}, []int{*k, v})
	}
	require.Len(t, copyOf(t, map[float64]int{math.NaN(): 1}), 1)
	require.Nil(t, copyOf(t, []int(nil)))
	require.NotNil(t, copyOf(t, []int{}))
	require.Nil(t, copyOf(t, map[int]int(nil)))
	local := time.Now()
	require.Equal(t, local, copyOf(t, &struct{ T time.Time }{local}).T)
	address := netip.MustParseAddr("fe80::1%eth0")
	require.Equal(t, address, copyOf(t, []netip.Addr{address})[0])
	require.Equal(t, 4, cap(copyOf(t, make([]int, 4, 100))), "what is beyond the length stays out of reach")
}

func TestCopy_refusesWhatIsNoValue(t *testing.T) {
	type inner struct{ Mu sync.Mutex }
	type outer struct{ In map[string]*inner }
	_, err := newCopier[[]outer](nil)
	require.EqualError(t, err, "field In: field Mu: sync.Mutex, which is not copied: it needs a Copy")
	_, err = newCopier[error](nil)
	require.ErrorContains(t, err, "error is an error, which")
	_, err = newCopier[[]func()](nil)
	require.ErrorContains(t, err, "func() is a func, which")

	c, err := newCopier[map[string]any](nil)
	require.NoError(t, err)
	for _, v := range []any{make(chan int), &outer{}, errBroken, reflect.TypeFor[int]()} {
		_, _, err = c.copy(map[string]any{"a": 1, "b": []any{v}})
		require.ErrorIs(t, err, errNotCopied)
	}
	_, _, err = c.copy(map[string]any{"a": 1})
	require.NoError(t, err, "nothing is left of what failed")
}
