package policies

import (
	"errors"
	"fmt"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"autotune/controller"
)

func TestRegistry_refusesWhatItDoesNotKnow(t *testing.T) {
	known := Builtin()
	known["mine"] = Factory{
		Params: map[string]string{"patience": "failures before it gives up"},
		New: func(p map[string]string) (controller.Policy, error) {
			if _, err := strconv.Atoi(p["patience"]); err != nil {
				return nil, errors.New(`parameter patience "` + p["patience"] + `": must be a whole number`)
			}
			return Static{}, nil
		},
	}
	for text, want := range map[string]string{
		"oracle":                    `policy "oracle": must be one of guide, mine, static`,
		"giude":                     `policy "giude": must be one of guide, mine, static: did you mean guide?`,
		"Guide":                     `policy "Guide": must be one of guide, mine, static: did you mean guide?`,
		"static/high-frequency":     `policy static: parameter "workload": it takes none`,
		"mine/patients=3":           `policy mine: parameter "patients": must be one of patience: did you mean patience?`,
		"mine/patience=three":       `policy mine: parameter patience "three": must be a whole number`,
		"guide/fast":                `policy guide: workload "fast": must be one of high-allocation, large-context, cpu-intensive, high-frequency, low-latency, or empty`,
		"guide/order=1/workload=":   `policy guide: parameter workload "": must be a text behind the "=", without control characters`,
		"guide/order=1":             `policy guide: parameter "order": must be one of workload`,
		"":                          `policy "": must be a word, as in "guide/workload=high-frequency"`,
		"the guide":                 `policy "the guide": must be a word, as in "guide/workload=high-frequency"`,
		"guide/low-latency/x=1/x=2": `policy guide: parameter x "2": is given twice`,
		"guide/a b=1":               `policy guide: parameter "a b": must be a word, as in "guide/workload=high-frequency"`,
	} {
		s, err := ParseSpec(text)
		if err == nil {
			_, err = known.New(s)
		}
		require.EqualError(t, err, want, text)
	}
	p, err := known.New(Spec{Name: "mine", Params: map[string]string{"patience": "3"}})
	require.NoError(t, err)
	require.Equal(t, Static{}, p)
	require.NotContains(t, Names(), "mine", "a registry is a copy")
}

// Journals of earlier versions name the guide's workload without "workload=".
func TestSpec_workloadWithoutItsName(t *testing.T) {
	for _, text := range []string{"guide/high-frequency", "guide/workload=high-frequency"} {
		s, err := ParseSpec(text)
		require.NoError(t, err)
		require.Equal(t, "guide/high-frequency", s.String())
		p, err := Builtin().New(s)
		require.NoError(t, err)
		require.Equal(t, s.String(), fmt.Sprint(p))
	}
}

func FuzzParseSpec(f *testing.F) {
	for _, text := range []string{"static", "guide/high-frequency", "mine/patience=3/workload=a=b", "a/b/c", "/", "=", "a/=", "a/\x00=1"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := ParseSpec(text)
		if err != nil {
			return
		}
		again, err := ParseSpec(s.String())
		require.NoError(t, err)
		require.Equal(t, s, again)
	})
}
