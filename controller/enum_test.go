package controller_test

import (
	"encoding"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	. "autotune/controller" //nolint:revive // the tests of a vocabulary read better with it
)

// Each value of an enum has a name, of its own, and one past the last has none.
func TestEnums_eachValueHasAName(t *testing.T) {
	for kind, e := range map[string]struct {
		last int
		name func(int) string
	}{
		"Kind":        {int(Enum), func(i int) string { return Kind(i).String() }},
		"Scale":       {int(Log), func(i int) string { return Scale(i).String() }},
		"Equivalence": {int(Bounded), func(i int) string { return Equivalence(i).String() }},
		"Phase":       {int(Ended), func(i int) string { return Phase(i).String() }},
		"Outcome":     {int(Errored), func(i int) string { return Outcome(i).String() }},
		"Reason":      {int(Degradation), func(i int) string { return Reason(i).String() }},
		"WishKind":    {int(WishResume), func(i int) string { return WishKind(i).String() }},
		"Ask":         {int(StopToInitial), func(i int) string { return Ask(i).String() }},
	} {
		seen := map[string]bool{}
		for i := 1; i <= e.last; i++ {
			name := e.name(i)
			require.NotEmpty(t, name)
			require.False(t, strings.Contains(name, "("), "%s %d has no name", kind, i)
			require.False(t, seen[name], "%s: two are called %s", kind, name)
			seen[name] = true
		}
		for _, i := range []int{-1, 0, e.last + 1} {
			require.Equal(t, fmt.Sprintf("%s(%d)", kind, i), e.name(i))
		}
	}
}

func TestEnums_roundTripAsText(t *testing.T) {
	check := func(last int, at func(int) encoding.TextMarshaler, into func() encoding.TextUnmarshaler, back func(encoding.TextUnmarshaler) int) {
		for i := 1; i <= last; i++ {
			text, err := at(i).MarshalText()
			require.NoError(t, err)
			v := into()
			require.NoError(t, v.UnmarshalText(text))
			require.Equal(t, i, back(v))
		}
		for _, bad := range []string{"", "Kept", "kept ", "Phase(3)", "nonsense"} {
			require.ErrorContains(t, into().UnmarshalText([]byte(bad)), "must be one of", "%q", bad)
		}
	}
	check(int(Ended), func(i int) encoding.TextMarshaler { return Phase(i) },
		func() encoding.TextUnmarshaler { return new(Phase) }, func(v encoding.TextUnmarshaler) int { return int(*v.(*Phase)) })
	check(int(Errored), func(i int) encoding.TextMarshaler { return Outcome(i) },
		func() encoding.TextUnmarshaler { return new(Outcome) }, func(v encoding.TextUnmarshaler) int { return int(*v.(*Outcome)) })
	check(int(WishResume), func(i int) encoding.TextMarshaler { return WishKind(i) },
		func() encoding.TextUnmarshaler { return new(WishKind) }, func(v encoding.TextUnmarshaler) int { return int(*v.(*WishKind)) })
	check(int(Degradation), func(i int) encoding.TextMarshaler { return Reason(i) },
		func() encoding.TextUnmarshaler { return new(Reason) }, func(v encoding.TextUnmarshaler) int { return int(*v.(*Reason)) })
}
