package executor

import (
	"hash/maphash"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// What == compares, and nothing else, is in a hash.
func TestDigest_isOfWhatIsCompared(t *testing.T) {
	seed := maphash.MakeSeed()
	digest := newDigester[mixedInput](seed, 1, nil)
	of := func(in mixedInput) uint64 {
		h, ok := digest(in)
		require.True(t, ok)
		return h
	}
	base := mixedInput{A: 1, B: "x", C: [2]float32{1, 2}, D: true}
	for name, other := range map[string]mixedInput{
		"first":  {A: 2, B: "x", C: [2]float32{1, 2}, D: true},
		"text":   {A: 1, B: "y", C: [2]float32{1, 2}, D: true},
		"array":  {A: 1, B: "x", C: [2]float32{1, 3}, D: true},
		"switch": {A: 1, B: "x", C: [2]float32{1, 2}},
		"swap":   {A: 1, B: "x", C: [2]float32{2, 1}, D: true},
	} {
		require.NotEqual(t, of(base), of(other), name)
	}
	// Padding and blank fields may hold anything.
	dirty := base
	bytes := unsafe.Slice((*byte)(unsafe.Pointer(&dirty)), unsafe.Sizeof(dirty))
	for i := 1; i < int(unsafe.Offsetof(dirty.B)); i++ {
		bytes[i] = 0xff
	}
	require.True(t, base == dirty)
	require.Equal(t, of(base), of(dirty))
}

func TestDigest_equalIfAndOnlyIfIdentical(t *testing.T) {
	type pair struct{ A, B string }
	seed := maphash.MakeSeed()
	digest := newDigester[pair](seed, 1, nil)
	text := rapid.SampledFrom([]string{"", "a", "b", "ab", "abc", "\x00"})
	rapid.Check(t, func(t *rapid.T) {
		a, b := pair{text.Draw(t, "a"), text.Draw(t, "b")}, pair{text.Draw(t, "c"), text.Draw(t, "d")}
		ha, _ := digest(a)
		hb, _ := digest(pair{string([]byte(b.A)), string([]byte(b.B))})
		require.Equal(t, a == b, ha == hb, "%q %q", a, b)
	})
}
