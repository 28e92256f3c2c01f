package predicted

import (
	"context"
	"errors"
	"flag"
	"io/fs"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"autotune/controller"
)

var update = flag.Bool("update", false, "write docs/predicted.md")

func TestCell_agreement(t *testing.T) {
	for _, c := range []struct {
		live, low, high, model float64
		want                   Agreement
	}{
		{-0.3, -0.4, -0.2, -0.25, Agreed},
		{-0.3, -0.4, -0.2, -0.16, Factor},
		{-0.3, -0.4, -0.2, -0.6, Factor},
		{-0.3, -0.4, -0.2, 0.1, Opposed},
		{-0.3, -0.4, -0.2, 0, Opposed},
		{0.02, 0.01, 0.03, 0.02, Agreed},
		{-0.1, -0.3, 0.1, 0, Allowed},
		{-0.1, -0.3, 0.1, -0.45, Allowed},
		{-0.1, -0.3, 0.1, 0.3, Outside},
	} {
		cell := Cell{Live: controller.Compared{Effect: c.live, Low: c.low, High: c.high}, Model: controller.Compared{Effect: c.model}}
		require.Equal(t, c.want, cell.Agreement(), "%+v", c)
		require.NotContains(t, c.want.String(), "Agreement")
	}
}

func TestReadLive_faults(t *testing.T) {
	const header = "switch,workload,metric,pairs,effect,low,high,verdict,p\n"
	for in, want := range map[string]string{
		"":                                     `line 1: header []: must be ["switch"`,
		header + "a,b,c,1,x,0,0,unclear,1\n":   `line 2, column "effect": "x": must be a number of at least -1`,
		header + "a,b,c,one,0,0,0,unclear,1\n": `line 2, column "pairs": "one": must be a whole number`,
		header + "a,b,c,1,0,0,0,unclear,2\n":   `line 2, column "p": "2": must be from 0 to 1`,
		header + "a,b\n":                       "wrong number of fields",
	} {
		_, err := ReadLive(strings.NewReader(in))
		require.ErrorContains(t, err, want)
	}
}

func TestPredict_unknown(t *testing.T) {
	_, err := Predict(context.Background(), []Cell{{Switch: "enable_cache_optimization", Workload: "night"}})
	require.ErrorContains(t, err, `scenario "night": must be one of`)
	_, err = Predict(context.Background(), []Cell{{Switch: "enable_cash_optimization", Workload: "everyday"}})
	require.ErrorContains(t, err, "the nearest is enable_cache_optimization")
}

// What the model says about docs/effects.csv; with -update it is written to
// docs/predicted.md. Four in five of the effects that stand agree, or the model is no
// model.
func TestPredict_liveTable(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes most of a minute")
	}
	f, err := os.Open("../../docs/effects.csv")
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip("docs/effects.csv is not there: nothing was measured live")
	}
	require.NoError(t, err)
	defer f.Close()
	live, err := ReadLive(f)
	require.NoError(t, err)
	cells, err := Predict(context.Background(), live)
	require.NoError(t, err)
	if *update {
		require.NoError(t, os.WriteFile("../../docs/predicted.md", Markdown(live, cells), 0o644))
	}
	agreed, both := 0, 0
	for i := range cells {
		if c := &cells[i]; c.Stands {
			both++
			if c.Agreement() == Agreed {
				agreed++
			} else {
				t.Logf("%s on %s, %s: predicted %v, measured %v", c.Switch, c.Workload, c.Live.Metric, c.Model.Effect, c.Live.Effect)
			}
		}
	}
	t.Logf("%d of %d agree", agreed, both)
	require.GreaterOrEqual(t, 5*agreed, 4*both)
}
