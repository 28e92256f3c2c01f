package experiments

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"autotune/catalog"
	"autotune/controller"
	"autotune/experiments/rivals"
)

// Everybody takes part somewhere, whoever does not has a reason, and scenarios
// have names of their own.
func TestGrounds_everybodyTakesPart(t *testing.T) {
	all := grounds()
	require.Len(t, all, len(allTraps())+5+4+len(rivals.Homes()))
	names, played := map[string]bool{}, map[string]int{}
	for _, g := range all {
		require.False(t, names[g.name], g.name)
		names[g.name] = true
		require.Contains(t, groups(), g.group)
		require.NotEmpty(t, g.doc)
		for _, e := range entrants() {
			if e.absent(&g) == "" {
				played[e.name]++
			}
		}
		for _, h := range rivals.Homes() {
			for _, e := range entrants() {
				if h.Name == g.name && (e.name == h.Rivals[0]) {
					require.Empty(t, e.absent(&g), "a rival is not left out at home")
				}
			}
		}
	}
	require.Len(t, played, len(entrants()))
	for _, short := range inShort() {
		require.True(t, names[short], short)
	}
	for name := range reasons {
		require.True(t, names[name], "a reason for a scenario that there is not: %s", name)
	}
}

// What a static setting costs is the same whoever asks, and what is played by the
// contender that puts it in force; doing nothing costs nothing.
func TestGround_oracleAndSessionsShareAWorld(t *testing.T) {
	for _, g := range grounds() {
		if g.group == workloadGroup || g.group == numberGroup && g.name != "cache_size, high-frequency" || g.horizon > time.Hour || g.turns == rivals.Share && g.group == homeGroup {
			continue // they take a while; one of each kind will do
		}
		t.Run(g.name, func(t *testing.T) {
			best, least, err := g.oracle(t.Context(), 5)
			require.NoError(t, err)
			require.LessOrEqual(t, least, 0.0, "doing nothing is among the settings")
			a, err := g.play(t.Context(), 5, contender{"", func(p play) (controller.Stepper, error) { return rivals.NewStatic(best, p.until), nil }})
			require.NoError(t, err)
			require.InDelta(t, least, a.whole, 0.5)
			b, err := g.play(t.Context(), 5, contender{"", func(p play) (controller.Stepper, error) {
				return rivals.NewStatic(controller.Setting{}, p.until), nil
			}})
			require.NoError(t, err)
			require.Zero(t, b.whole)
			require.Zero(t, b.harm)
		})
	}
}

func TestFlips(t *testing.T) {
	at := func(a, b float64) move {
		return move{to: controller.SettingOf(map[string]float64{"a": a, "b": b})}
	}
	for _, c := range []struct {
		held []move
		want int
	}{
		{[]move{at(1, 0)}, 0},
		{[]move{at(1, 0), at(2, 0), at(4, 0), at(8, 0)}, 0}, // on and on
		{[]move{at(1, 0), at(2, 0), at(1, 0), at(2, 0)}, 2}, // to and fro
		{[]move{at(1, 0), at(2, 0), at(2, 1), at(3, 1)}, 0}, // one knob and the other
		{[]move{at(1, 0), at(2, 1), at(1, 0)}, 2},           // both
		{[]move{at(1, 0), at(9, 0), at(8, 0), at(7, 0)}, 1}, // back once
		{[]move{at(1, 0), at(1, 1), at(1, 1), at(1, 0)}, 1}, // nothing in between
		{[]move{at(1, 0), at(2, 0), at(2, 1), at(1, 1)}, 1}, // back later
	} {
		require.Equal(t, c.want, flips(c.held), "%v", c.held)
	}
}

// A ledger counts what each stretch was worse by, and forgets no gain.
func TestLedger_harmIsOfTheStretchesThatWereWorse(t *testing.T) {
	now, excess := time.Duration(0), 0.0
	l := &ledger{
		Target: &idle{pass: func(d time.Duration) { now += d }}, age: func() time.Duration { return now }, horizon: 30 * time.Second,
		books: func() (float64, float64) { return 100*now.Seconds() + excess, excess },
	}
	for _, x := range []float64{10, 0, -40, 20, 0, 0} { // in stretches of 5 s
		excess += x
		_, err := l.Observe(t.Context(), 0, 5*time.Second)
		require.NoError(t, err)
	}
	a := l.account(&session{})
	require.InDelta(t, 30, a.paid, 1e-9)
	require.InDelta(t, 100*30.0/3000, a.harm, 1e-9)
	require.InDelta(t, 100*-10.0/3000, a.whole, 1e-9)
	require.InDelta(t, 0, a.end, 1e-9, "nothing happened in the last ten seconds")
}

// idle is a target in which only time passes.
type idle struct {
	controller.Target
	pass func(time.Duration)
}

func (i *idle) Observe(_ context.Context, _ uint64, d time.Duration) (controller.Sample, error) {
	i.pass(d)
	return controller.Sample{Over: d}, nil
}

// A limiter of its origin does not see the wait in front of it.
func TestInside_takesTheWaitOut(t *testing.T) {
	saw := &seen{}
	law := inside{saw}
	s := controller.Sample{
		Totals: map[controller.Metric]float64{controller.Completions: 100, catalog.QueueWaitSeconds: 1.5},
		Gauges: map[controller.Metric]float64{controller.InFlight: 30, controller.LatencyMean: 0.020, controller.LatencyP50: 0.016},
	}
	law.Next(&rivals.Window{Sample: &s, Value: 8})
	require.InDelta(t, 0.005, saw.w.Gauges[controller.LatencyMean], 1e-12) // 2 s, of which 1.5 s were waits
	require.InDelta(t, 0.004, saw.w.Gauges[controller.LatencyP50], 1e-12)
	require.InDelta(t, 8, saw.w.Gauges[controller.InFlight], 0)
	delete(s.Totals, catalog.QueueWaitSeconds)
	law.Next(&rivals.Window{Sample: &s, Value: 8})
	require.InDelta(t, 0.020, saw.w.Gauges[controller.LatencyMean], 1e-12, "where nothing waits")
}

type seen struct{ w rivals.Window }

func (s *seen) Begin(float64) rivals.Move { return rivals.Move{} }

func (s *seen) Next(w *rivals.Window) rivals.Move {
	s.w = *w
	return rivals.Move{}
}

func TestGridAndCorners(t *testing.T) {
	k := controller.Knob{Name: "n", Kind: controller.Int, Min: 1, Max: 16, Scale: controller.Log}
	require.Equal(t, []float64{3, 1, 2, 4, 8, 16}, grid(k, 5, 3))
	s := controller.SettingOf(map[string]float64{"a": 0, "b": 0, "c": 7})
	var got []string
	for _, x := range corners(s, map[string][]float64{"a": {0, 1}, "b": {0, 1}}, "a", "b") {
		got = append(got, x.String())
	}
	require.Equal(t, []string{"a=0 b=0 c=7", "a=0 b=1 c=7", "a=1 b=0 c=7", "a=1 b=1 c=7"}, got)
}
