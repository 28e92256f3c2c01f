package controller_test

import (
	"encoding/json"
	"maps"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	. "autotune/controller" //nolint:revive // the tests of a vocabulary read better with it
)

// A setting is a map that nobody can change.
func TestSetting_isAnImmutableMap(t *testing.T) {
	values := rapid.MapOf(rapid.StringMatching(`[a-z_]{1,4}`), rapid.Float64())
	rapid.Check(t, func(t *rapid.T) {
		m, change := values.Draw(t, "m"), values.Draw(t, "change")
		s := SettingOf(m)
		was := maps.Clone(m)
		with := s.With(change)
		for name, v := range change {
			if _, known := m[name]; known {
				m[name] = v
			}
		}
		if !maps.Equal(s.Map(), was) || !maps.Equal(with.Map(), m) {
			t.Fatalf("%v with %v is %v", was, change, with)
		}
		if !s.With(s.Diff(with)).Equal(with) || s.Equal(with) != (len(s.Diff(with)) == 0) {
			t.Fatalf("%v to %v differs by %v", s, with, s.Diff(with))
		}
		text, err := json.Marshal(with)
		var back Setting
		if err == nil {
			err = json.Unmarshal(text, &back)
		}
		if err != nil || !back.Equal(with) {
			t.Fatal(err, back, with)
		}
	})
}

func TestSetting_readsAsText(t *testing.T) {
	s := SettingOf(map[string]float64{"b": 0.5, "a": 1, "c": 1e9})
	require.Equal(t, "a=1 b=0.5 c=1e+09", s.String())
	require.True(t, s.On("a"))
	require.False(t, s.On("z"))
	require.Equal(t, 3, s.Len())
	require.True(t, Setting{}.IsZero())
	require.Error(t, new(Setting).UnmarshalJSON([]byte(`{"a":"x"}`)))
}
