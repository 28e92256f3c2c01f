package executor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

type shapeless interface{ shape() }

type (
	circle struct{ R float64 }
	square struct{ R float64 }
)

func (circle) shape()  {}
func (*square) shape() {}

// everything has each kind that an input may be made of.
type everything struct {
	Flag  bool
	_     int
	Small int8
	Large uint64
	Float [2]float64
	Half  complex64
	Text  string
	Bytes []byte
	Texts []string
	Index map[string]*int
	Deep  []map[any][]int16
	Any   any
	shapeless
	next *everything
}

// floats are those that == gets wrong, and others.
var floats = []float64{0, math.Copysign(0, -1), math.NaN(), math.Float64frombits(0x7ff8000000000002), 1, math.Inf(1)}

func drawEverything(t *rapid.T, depth int) *everything {
	pick := func(n int) int { return rapid.IntRange(0, n-1).Draw(t, "pick") }
	texts := func() []string {
		return [][]string{nil, {}, {""}, {"", ""}, {"a", "b"}, {"ab"}, {"a", "", "b"}}[pick(7)]
	}
	number := func() *int { return []*int{nil, new(int), new(int)}[pick(3)] }
	var value func(depth int) any
	value = func(depth int) any {
		switch pick(9 + depth) {
		case 0:
			return nil
		case 1:
			return 0
		case 2:
			return int8(0)
		case 3:
			return floats[pick(len(floats))]
		case 4:
			return circle{}
		case 5:
			return &square{R: float64(pick(2))}
		case 6:
			return (*square)(nil)
		case 7:
			return texts()
		case 8:
			return errors.New([]string{"x", "y"}[pick(2)])
		default:
			return []any{value(depth - 1), value(depth - 1)}
		}
	}
	e := &everything{}
	// Few fields at once, so that equal ones are common too.
	for range pick(3) {
		switch pick(13) {
		case 0:
			e.Flag = true
		case 1:
			e.Small = int8(pick(3) - 1)
		case 2:
			e.Large = uint64(pick(2)) << 63
		case 3:
			e.Float[pick(2)] = floats[pick(len(floats))]
		case 4:
			e.Half = complex(float32(floats[pick(len(floats))]), 0)
		case 5:
			e.Text = []string{"", "\x00", "a"}[pick(3)]
		case 6:
			e.Bytes = [][]byte{nil, {}, {0}, {0, 0}}[pick(4)]
		case 7:
			e.Texts = texts()
		case 8:
			e.Index = []map[string]*int{nil, {}, {"a": number()}, {"a": number(), "b": number()}, {"b": number()}}[pick(5)]
		case 9:
			e.Deep = []map[any][]int16{nil, {}, {1: {2}}, {int16(1): {2}, math.NaN(): nil, "x": {}}}[:pick(5)]
		case 10:
			e.Any = value(2)
		case 11:
			e.shapeless = []shapeless{nil, circle{}, circle{R: 1}, &square{}, (*square)(nil)}[pick(5)]
		case 12:
			if depth > 0 {
				e.next = drawEverything(t, depth-1)
			}
		}
	}
	return e
}

// same is what an encoding must agree with, found by looking at both values
// together and at no bytes.
func same(a, b reflect.Value) bool {
	if a.IsValid() != b.IsValid() {
		return false
	}
	if !a.IsValid() {
		return true
	}
	if a.Type() != b.Type() {
		return false
	}
	bits := func(x, y float64) bool { return math.Float64bits(x) == math.Float64bits(y) }
	switch a.Kind() {
	case reflect.Float64, reflect.Float32:
		return bits(a.Float(), b.Float())
	case reflect.Complex64, reflect.Complex128:
		return bits(real(a.Complex()), real(b.Complex())) && bits(imag(a.Complex()), imag(b.Complex()))
	case reflect.Struct:
		for i := range a.NumField() {
			if a.Type().Field(i).Name != "_" && !same(a.Field(i), b.Field(i)) {
				return false
			}
		}
		return true
	case reflect.Pointer, reflect.Interface:
		return a.IsNil() == b.IsNil() && (a.IsNil() || same(a.Elem(), b.Elem()))
	case reflect.Slice, reflect.Array:
		if a.Kind() == reflect.Slice && a.IsNil() != b.IsNil() || a.Len() != b.Len() {
			return false
		}
		for i := range a.Len() {
			if !same(a.Index(i), b.Index(i)) {
				return false
			}
		}
		return true
	case reflect.Map:
		if a.IsNil() != b.IsNil() || a.Len() != b.Len() {
			return false
		}
		var left [][2]reflect.Value
		for it := b.MapRange(); it.Next(); {
			left = append(left, [2]reflect.Value{it.Key(), it.Value()})
		}
		for it := a.MapRange(); it.Next(); {
			i := slices.IndexFunc(left, func(e [2]reflect.Value) bool { return same(it.Key(), e[0]) && same(it.Value(), e[1]) })
			if i < 0 {
				return false
			}
			left = slices.Delete(left, i, i+1)
		}
		return true
	default:
		return a.Equal(b)
	}
}

// Both kinds of identity tell apart exactly what differs, and nothing else.
func TestIdentity_bothKindsTellTheSameApart(t *testing.T) {
	id, err := newIdentifier[*everything](1, nil)
	require.NoError(t, err)
	of := func(e *everything, exact bool) identity {
		got, held, ok := id.of(e, exact, 0)
		require.True(t, ok)
		return held.own(got)
	}
	equal, all := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		some := make([]*everything, 8)
		for i := range some {
			some[i] = drawEverything(t, 2)
			require.NotEqual(t, of(some[i], false), of(some[i], true), "one kind is never found under the other")
		}
		for i, a := range some {
			for _, b := range some[i:] {
				want := same(reflect.ValueOf(a), reflect.ValueOf(b))
				if all++; want && a != b {
					equal++
				}
				for _, exact := range []bool{false, true} {
					require.Equal(t, want, of(a, exact) == of(b, exact), "exact %v:\n%+v\n%+v", exact, a, b)
				}
			}
		}
	})
	t.Logf("%d of %d pairs were equal", equal, all)
	require.Positive(t, equal)
	require.Less(t, equal, all)
}

// Flat inputs go other ways, so they are drawn apart.
func TestIdentity_numbersAndTexts(t *testing.T) {
	type pair struct {
		A int8
		B int32 // behind padding
		C string
	}
	rapid.Check(t, func(t *rapid.T) {
		differ(t, rapid.Map(rapid.IntRange(-2, 2), func(i int) int8 { return int8(i) }))
		differ(t, rapid.Map(rapid.IntRange(0, 3), func(i int) uint16 { return uint16(i) << 14 }))
		differ(t, rapid.Map(rapid.IntRange(-2, 2), func(i int) float32 { return float32(floats[(i+5)%5]) }))
		differ(t, rapid.SampledFrom(floats))
		differ(t, rapid.SampledFrom([]string{"", "\x00", "a", "aa"}))
		differ(t, rapid.SampledFrom([][4]uint8{{}, {0, 0, 0, 1}, {1}, {1, 0, 0, 1}}))
		differ(t, rapid.SampledFrom([]pair{{}, {A: 1}, {B: 1}, {C: "\x00"}, {A: -1, B: -1}}))
		differ(t, rapid.SampledFrom([]struct{}{{}}))
	})
}

func differ[In any](t *rapid.T, g *rapid.Generator[In]) {
	id, err := newIdentifier[In](7, nil)
	require.NoError(t, err)
	a, b := g.Draw(t, "a"), g.Draw(t, "b")
	for _, exact := range []bool{false, true} {
		x, hx, okx := id.of(a, exact, 0)
		y, hy, oky := id.of(b, exact, 0)
		require.True(t, okx && oky)
		require.Equal(t, same(reflect.ValueOf(a), reflect.ValueOf(b)), hx.own(x) == hy.own(y), "%v %v", a, b)
	}
}

// What is in a circle, or cannot be read, has no identity: it runs as if nothing
// were declared.
func TestIdentity_inputsWithoutOne(t *testing.T) {
	loop := &everything{}
	loop.next = loop
	for _, exact := range []bool{false, true} {
		runs := 0
		ex := start(t, Config{EnableCacheOptimization: true, EnableStepOptimization: true, EnableAlgorithmOptimization: exact})
		s := bind(t, ex, StepConfig[*everything, int]{Results: Pure(), Run: func(context.Context, *everything) (int, error) { runs++; return runs, nil }})
		for i, in := range []*everything{loop, loop, {Any: make(chan int)}, {Any: time.Now()}, {Any: func() {}}, {Deep: []map[any][]int16{{io.EOF: nil, struct{ f func() }{}.f == nil: nil}}}} {
			require.Equal(t, i+1, must(s.Run(t.Context(), in))(t))
			s.Invalidate(in)
		}
		require.LessOrEqual(t, ex.Stats().CacheEntries, uint64(1))
	}
}

// Who changes an input has another, and what was kept for the one before stays
// what it was, whether it is changed after, or while the step runs.
func TestAlgorithm_changedInputsAreNeverConfused(t *testing.T) {
	for _, exact := range []bool{false, true} {
		ex := start(t, Config{EnableCacheOptimization: true, EnableStepOptimization: true, EnableAlgorithmOptimization: exact})
		s := bind(t, ex, StepConfig[map[string][]int, string]{Results: Pure(), Run: func(_ context.Context, in map[string][]int) (string, error) {
			return fmt.Sprint(in), nil
		}})
		changes := bind(t, ex, StepConfig[[]int, int]{Results: Pure(), Run: func(_ context.Context, in []int) (int, error) {
			was := in[0]
			in[0] = 99
			return was, nil
		}})
		in := map[string][]int{"a": {1}}
		for i := range 50 {
			in["a"][0] = i % 5
			if i%7 == 0 {
				in[strings.Repeat("x", i)] = nil
			}
			require.Equal(t, fmt.Sprint(in), must(s.Run(t.Context(), in))(t))
			require.Equal(t, 3, must(changes.Run(t.Context(), []int{3}))(t))
		}
		require.Positive(t, ex.Stats().CacheHits)
	}
}

// The switch moves which kind is used, and so what is found; Invalidate reaches both.
func TestAlgorithm_switchesTheKindOfIdentity(t *testing.T) {
	runs := 0
	off := Config{EnableCacheOptimization: true}
	on := off
	on.EnableAlgorithmOptimization = true
	ex := start(t, off)
	s := bind(t, ex, StepConfig[int, int]{Results: Pure(), Run: counted(&runs)})
	run := func(cfg Config, want int) {
		t.Helper()
		require.NoError(t, ex.Apply(cfg))
		require.Equal(t, 8, must(s.Run(t.Context(), 4))(t))
		require.Equal(t, want, runs)
	}
	run(off, 1)
	run(on, 2)
	run(on, 2)
	run(off, 2) // what was kept is still there
	s.Invalidate(4)
	run(on, 3)
	run(off, 4)
	require.NoError(t, ex.Apply(on))
	s.Invalidate(4)
	run(off, 5)
	run(on, 6)

	// A hit allocates nothing with it on, whatever the input is; SHA-256 takes longer.
	deep := bind(t, ex, StepConfig[*everything, int]{Results: Pure(), Run: func(context.Context, *everything) (int, error) { return 1, nil }})
	in := &everything{Text: "x", Texts: []string{"a", "b"}, next: &everything{}}
	must(deep.Run(t.Context(), in))(t)
	if !raceOn {
		require.LessOrEqual(t, testing.AllocsPerRun(1000, func() { _, _ = deep.Run(t.Context(), in) }), 0.1)
	}
}
