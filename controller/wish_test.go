package controller_test

import (
	"context"
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	. "autotune/controller" //nolint:revive // the tests of a vocabulary read better with it
)

var ann = Operator{Who: "ann", Why: "load test"}

// wishAt has an operator wish something at a step.
func wishAt(wishes map[int]Wish) func(int, *Input) {
	return func(step int, in *Input) {
		if w, ok := wishes[step]; ok {
			w.By = ann
			in.Wish = &w
		}
	}
}

// gainID is the id of turning the switch gain on.
var gainID = Proposal{Optimization: "gain", Move: MoveOn, Change: map[string]float64{"gain": 1}}.ID()

var wishScenarios = map[string]scenario{
	"pin": {
		about: "The operator pins a switch in the middle of its trial, at step 60: the trial\nends as pinned, and the switch stays as it was. At step 100 the pin is let go,\nand the switch is tried again.",
		names: []string{"gain"},
		cfg:   func(c *Config) { c.Policy = always{} },
		plant: func(p *plant) { p.effect = on("gain", -0.36) },
		told:  wishAt(map[int]Wish{60: {Kind: WishPin, Name: "gain"}, 100: {Kind: WishUnpin, Name: "gain"}}),
	},
	"pin-at": {
		about: "The operator turns a switch on by hand, in the middle of the trial of another\none, at step 60. The noise is measured anew under what is in force now. The\nnext process starts with the switch off, and puts the pinned value back.",
		names: []string{"gain", "other"},
		cfg: func(c *Config) {
			c.Policy, c.Budget.Until = always{}, epochZero.Add(90*time.Second)
		},
		told: wishAt(map[int]Wish{60: {Kind: WishPinAt, Name: "other", Value: 1}}),
		most: 80,
		then: &scenario{told: func(int, *Input) {}, cfg: func(c *Config) { c.Budget.Until = epochZero.Add(110 * time.Second) }},
	},
	"pause-by-name": {
		about: "The operator pauses by name in the middle of a trial at step 60: the candidate\nis withdrawn. The process dies; the next one puts nothing new in force and is\npaused still, until it is resumed at its step 20.",
		names: []string{"gain"},
		cfg:   func(c *Config) { c.Policy = always{} },
		plant: func(p *plant) { p.effect = on("gain", -0.36) },
		told:  wishAt(map[int]Wish{60: {Kind: WishPause}}),
		most:  75,
		then: &scenario{
			told: wishAt(map[int]Wish{20: {Kind: WishResume}, 22: {Kind: WishResume}}),
			cfg:  func(c *Config) { c.Policy, c.Budget.Until = always{}, epochZero.Add(90*time.Second) },
		},
	},
	"revert": {
		about: "The switch gain is kept by trial 1. At step 80 the operator reverts that: it is\noff in the next command, and left alone for long.",
		names: []string{"gain"},
		cfg:   func(c *Config) { c.Policy = again{} },
		plant: func(p *plant) { p.effect = on("gain", -0.36) },
		told:  wishAt(map[int]Wish{80: {Kind: WishRevert, Trial: 1}, 85: {Kind: WishRevert, Trial: 1}}),
	},
	"approve": {
		about: "Advice only, with two proposals. At step 60 the operator declines one and at step\n62 approves the other, which is tried as in any trial, kept on evidence, and\naudited. The next process in advise mode puts back what was approved.",
		names: []string{"gain", "harm"},
		cfg: func(c *Config) {
			c.Advise, c.Policy, c.Budget.Until = true, again{}, epochZero.Add(90*time.Second)
		},
		plant: func(p *plant) { p.effect = on("gain", -0.36) },
		told: wishAt(map[int]Wish{
			60: {Kind: WishDecline, Proposal: Proposal{Optimization: "harm", Move: MoveOn, Change: map[string]float64{"harm": 1}}.ID()},
			62: {Kind: WishApprove, Proposal: gainID},
		}),
		most: 105,
		then: &scenario{told: func(int, *Input) {}, cfg: func(c *Config) { c.Policy, c.Budget.Until = again{}, epochZero.Add(120*time.Second) }},
	},
}

// session runs a plant with one switch or more that pay, with wishes by step, and
// returns the core and what it recorded.
func session(t *testing.T, wishes map[int]Wish, change func(*Config, *plant)) (*Controller, *Trace) {
	t.Helper()
	space, offered, initial := switches("gain", "more")
	space.Knobs = append(space.Knobs, Knob{Name: "n", Kind: Int, Min: 1, Max: 100, Floor: new(10.0)}, Knob{Name: "fixed", Kind: Switch})
	offered[1].Knobs = []string{"n"}
	initial["n"], initial["fixed"] = 20, 0
	cfg := Config{
		Space: space, Offered: offered, Goals: []Goal{{Metric: "cost"}}, Policy: again{}, Seed: 1,
		Timing: fast, Budget: Budget{Until: epochZero.Add(160 * time.Second)}, Pinned: []string{"fixed"},
	}
	p := newPlant(1, space, initial)
	p.effect = func(s Setting, age time.Duration) float64 { return on("gain", -0.4)(s, age) + on("more", -0.4)(s, age) }
	if change != nil {
		change(&cfg, p)
	}
	p.space = cfg.Space
	core, err := New(cfg)
	require.NoError(t, err)
	step, trace := 0, &Trace{}
	require.NoError(t, Run(context.Background(), p, core, Loop{Record: trace, Wish: func() *Wish {
		step++
		w, ok := wishes[step]
		if !ok {
			return nil
		}
		if w.By == (Operator{}) {
			w.By = ann
		}
		return &w
	}}))
	return core, trace
}

func answers(trace *Trace) []string {
	var out []string
	for _, r := range trace.Records {
		switch {
		case r.Kind != RecordWish:
		case r.Wish.Refused != "":
			out = append(out, "refused: "+r.Wish.Refused)
		default:
			out = append(out, r.Wish.Then)
		}
	}
	return out
}

// Each refusal is one line with field, value and rule.
func TestWish_refusals(t *testing.T) {
	for name, c := range map[string]struct {
		wish Wish
		want string
	}{
		"pin a stranger":           {Wish{Kind: WishPin, Name: "gian"}, `pin "gian": must name a knob or an optimization that is offered; did you mean gain?`},
		"pin nothing":              {Wish{Kind: WishPin}, `pin "": must name a knob or an optimization that is offered`},
		"pin-at a stranger":        {Wish{Kind: WishPinAt, Name: "moer", Value: 1}, `pin-at "moer": must name a knob; did you mean more?`},
		"pin-at out of bounds":     {Wish{Kind: WishPinAt, Name: "n", Value: 101}, "pin-at n 101: must be within 1..100"},
		"pin-at below the floor":   {Wish{Kind: WishPinAt, Name: "n", Value: 9}, "pin-at n 9: must be within the owner's limits 10..100"},
		"pin-at a fraction":        {Wish{Kind: WishPinAt, Name: "n", Value: 20.5}, "pin-at n 20.5: must be a whole number"},
		"pin-at half a switch":     {Wish{Kind: WishPinAt, Name: "gain", Value: 0.5}, "pin-at gain 0.5: must be 0 (off) or 1 (on)"},
		"unpin what is not":        {Wish{Kind: WishUnpin, Name: "gain"}, `unpin "gain": must be pinned: nothing is`},
		"unpin what is configured": {Wish{Kind: WishUnpin, Name: "fixed"}, `unpin "fixed": pinned by the configuration: must be changed there`},
		"revert a stranger":        {Wish{Kind: WishRevert, Trial: 7}, "revert trial 7: must be a kept change that is in force: there is none"},
		"approve without advice":   {Wish{Kind: WishApprove, Proposal: gainID}, `approve "` + gainID + `": must be in advise mode: otherwise nothing waits for approval`},
		"decline a stranger":       {Wish{Kind: WishDecline, Proposal: "x"}, `decline "x": must be the id of a proposal: there is none now`},
	} {
		t.Run(name, func(t *testing.T) {
			_, trace := session(t, map[int]Wish{5: c.wish}, func(cfg *Config, _ *plant) { cfg.Budget.Until = epochZero.Add(20 * time.Second) })
			require.Equal(t, []string{"refused: " + c.want}, answers(trace))
		})
	}
}

// What is not fit for a journal is not told to the core at all, and a core that
// is told refuses it without repeating it.
func TestWish_textsAreBounded(t *testing.T) {
	pin := Wish{Kind: WishPin, Name: "gain", By: ann}
	for name, c := range map[string]struct {
		change func(*Wish)
		want   string
	}{
		"nobody":       {func(w *Wish) { w.By.Who = "" }, "pin: who is empty: every wish needs a name for the journal"},
		"long name":    {func(w *Wish) { w.By.Who = strings.Repeat("x", 65) }, "pin: who of 65 bytes: must be at most 64"},
		"long why":     {func(w *Wish) { w.By.Why = strings.Repeat("x", 257) }, "pin: why of 257 bytes: must be at most 256"},
		"control":      {func(w *Wish) { w.By.Why = "a\x1b[2Jb" }, `pin: why "a\x1b[2Jb": must have no control characters`},
		"a line":       {func(w *Wish) { w.By.Who = "a\nb" }, `pin: who "a\nb": must have no control characters`},
		"bidi":         {func(w *Wish) { w.By.Why = "a\u202eb" }, `pin: why "a\u202eb": must have no control characters`},
		"not text":     {func(w *Wish) { w.By.Why = "\xff" }, `pin: why "\xff": must be UTF-8`},
		"not a number": {func(w *Wish) { w.Kind, w.Value = WishPinAt, math.NaN() }, "pin-at: gain NaN: must be a finite number"},
		"no wish":      {func(w *Wish) { w.Kind = 0 }, "wish 0: must be one of [pin pin-at unpin revert revert-all approve decline reopen pause resume]"},
	} {
		t.Run(name, func(t *testing.T) {
			w := pin
			c.change(&w)
			require.EqualError(t, w.Check(), c.want)
			core, trace := session(t, map[int]Wish{5: w}, func(cfg *Config, _ *plant) { cfg.Budget.Until = epochZero.Add(20 * time.Second) })
			require.Empty(t, answers(trace), "not told")
			require.Empty(t, core.Status().Pins)
		})
	}
	core, err := New(Config{Space: Space{Knobs: []Knob{{Name: "x", Kind: Switch}}}, Policy: again{}})
	require.NoError(t, err)
	core.Start()
	cmd := core.Step(Input{At: epochZero, Current: SettingOf(map[string]float64{"x": 0}), Wish: &Wish{Kind: WishPin, Name: "x", By: Operator{Who: "\x00"}}})
	last := cmd.Records[len(cmd.Records)-1]
	require.Equal(t, &Wished{Wish: Wish{Kind: WishPin}, Refused: `pin: who "\x00": must have no control characters`}, last.Wish)
}

// Any texts either have an error of one line or survive a journal unchanged.
func TestWish_roundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := Wish{
			Kind: WishKind(rapid.IntRange(0, 9).Draw(t, "kind")), Name: rapid.String().Draw(t, "name"), Value: rapid.Float64().Draw(t, "value"),
			By: Operator{Who: rapid.String().Draw(t, "who"), Why: rapid.String().Draw(t, "why")},
		}
		if err := w.Check(); err != nil {
			if strings.ContainsAny(err.Error(), "\n\r\x1b") {
				t.Fatalf("more than a line: %q", err)
			}
			return
		}
		text, err := json.Marshal(w)
		if err != nil {
			t.Fatal(err)
		}
		var back Wish
		if err := json.Unmarshal(text, &back); err != nil || back != w {
			t.Fatalf("%+v came back as %+v (%v)", w, back, err)
		}
	})
}

// The second of two kept changes is reverted by itself; the first only when no
// later one moved its knobs.
func TestWish_revertOneOfTwo(t *testing.T) {
	core, trace := session(t, map[int]Wish{140: {Kind: WishRevert, Trial: 1}}, nil)
	require.Len(t, trace.Verdicts(), 2)
	require.Equal(t, []string{"gain on, kept by trial 1, is reverted: gain=0"}, answers(trace))
	require.True(t, core.State().Memory["gain"].LeftAlone, "another build does not bring it back at once")
	safe := core.Status().Safe
	require.False(t, safe.On("gain"))
	require.True(t, safe.On("more"), "later keeps stay")
}

func TestWish_revertRefusedWhereMovedAgain(t *testing.T) {
	at := epochZero
	state := &State{
		Version: StateVersion, Wealth: 0.25, NextTrial: 3,
		Initial: SettingOf(map[string]float64{"gain": 0, "more": 0, "n": 20, "fixed": 0}), Safe: SettingOf(map[string]float64{"gain": 0, "more": 1, "n": 50, "fixed": 0}),
		Keeps: []Keep{
			{Trial: 1, Optimization: "more", Move: MoveOn, Key: "more", Was: map[string]float64{"more": 0}, Is: map[string]float64{"more": 1, "n": 40}, For: "cost", Since: at, Due: at.Add(time.Hour)},
			{Trial: 2, Optimization: "more", Move: "n 40 -> 50", Key: "n=50", Was: map[string]float64{"n": 40}, Is: map[string]float64{"n": 50}, For: "cost", Since: at, Due: at.Add(time.Hour)},
		},
		Trials: []Trial{
			{ID: 1, Optimization: "more", Move: MoveOn, Outcome: Kept, From: SettingOf(map[string]float64{"more": 0, "n": 20}), Change: map[string]float64{"more": 1, "n": 40}},
			{ID: 2, Optimization: "more", Move: "n 40 -> 50", Outcome: Kept, From: SettingOf(map[string]float64{"n": 40}), Change: map[string]float64{"n": 50}},
		},
	}
	core, trace := session(t, map[int]Wish{
		10: {Kind: WishRevert, Trial: 1}, 12: {Kind: WishPin, Name: "more"}, 14: {Kind: WishRevert, Trial: 2}, 16: {Kind: WishUnpin, Name: "more"},
		18: {Kind: WishRevert, Trial: 2}, 24: {Kind: WishRevert, Trial: 1},
	}, func(c *Config, _ *plant) { c.State, c.Budget.Until = state, epochZero.Add(40*time.Second) })
	require.Equal(t, []string{
		"refused: revert trial 1: n was moved again by trial 2: that must be reverted before",
		"held at more=1 n=50",
		"refused: revert trial 2: n is pinned by ann (load test): it must be unpinned before",
		"let go, at more=1 n=50",
		"more n 40 -> 50, kept by trial 2, is reverted: n=40",
		"more on, kept by trial 1, is reverted: more=0 n=20",
	}, answers(trace))
	require.Equal(t, "fixed=0 gain=0 more=0 n=20", core.Status().Safe.String())
}

func TestWish_revertAllLeavesWhatIsPinned(t *testing.T) {
	core, trace := session(t, map[int]Wish{
		120: {Kind: WishPinAt, Name: "n", Value: 77}, 140: {Kind: WishRevertAll},
	}, nil)
	require.Len(t, trace.Verdicts(), 2)
	require.Equal(t, []string{"held at n=77, was 20", "back to the initial setting: gain=0 more=0; pinned, and stays: n"}, answers(trace))
	st := core.Status()
	require.Equal(t, "fixed=0 gain=0 more=0 n=77", st.Safe.String())
	require.Empty(t, st.Audits)
	require.Equal(t, ann, st.Pins["n"].By)
}

// A value set live goes before a configured pin, which only keeps the autopilot away.
func TestWish_pinAtBeatsAConfiguredPin(t *testing.T) {
	core, trace := session(t, map[int]Wish{5: {Kind: WishPinAt, Name: "fixed", Value: 1}}, nil)
	require.Equal(t, []string{"held at fixed=1, was 0"}, answers(trace))
	require.True(t, core.Status().Safe.On("fixed"))
	require.Len(t, trace.Verdicts(), 2)
}

// A runtime rounds; what reads back is pinned. One that refuses, or does nothing,
// has the wish refused after all, and the value before comes back.
func TestWish_pinAtReadsBack(t *testing.T) {
	for name, c := range map[string]struct {
		plant func(*plant)
		want  []string
		n     float64
	}{
		"rounds": {func(p *plant) {
			p.round = func(s Setting) Setting {
				n, _ := s.Get("n")
				return s.With(map[string]float64{"n": 5 * math.Floor(n/5)})
			}
		}, nil, 75},
		"refuses": {func(p *plant) {
			p.fail = func(s Setting) error {
				if n, _ := s.Get("n"); n == 77 {
					return errBroken
				}
				return nil
			}
		}, []string{"refused: pin-at n 77: broken"}, 20},
		"deaf": {func(p *plant) { p.deaf = true }, []string{"refused: pin-at n 77: n reads back as 20 still: the actuator did nothing"}, 20},
	} {
		t.Run(name, func(t *testing.T) {
			core, trace := session(t, map[int]Wish{5: {Kind: WishPinAt, Name: "n", Value: 77}}, func(cfg *Config, p *plant) {
				cfg.Budget.Until = epochZero.Add(40 * time.Second)
				c.plant(p)
			})
			require.Equal(t, append([]string{"held at n=77, was 20"}, c.want...), answers(trace))
			st := core.Status()
			n, _ := st.Safe.Get("n")
			require.Equal(t, c.n, n)
			require.Equal(t, st.Safe, st.InForce)
			require.Equal(t, len(c.want) == 0, len(st.Pins) == 1)
		})
	}
}
