package controller_test

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	. "autotune/controller" //nolint:revive // the tests of a vocabulary read better with it
)

// The invariants of DESIGN.md, over random scripts of everything that may go
// wrong. Each is checked after every step, by world and by watch.
func TestController_invariantsUnderAnything(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		w.fault = func(format string, args ...any) {
			t.Helper()
			t.Fatalf("tick %d, %v: "+format, append([]any{w.tick, w.now.Sub(epochZero)}, args...)...)
		}
		for w.live(t) {
		}
		w.checkVerdicts()
		for i := range w.lives {
			w.lives[i].replay(t, false)
			w.lives[i].replay(t, true)
		}
	})
}

func drawWorld(t *rapid.T) *world {
	tick := rapid.SampledFrom([]time.Duration{125 * time.Millisecond, 250 * time.Millisecond, time.Second}).Draw(t, "tick")
	cfg := Config{
		Space: worldSpace, Offered: worldOffered, Seed: rapid.Uint64().Draw(t, "seed"),
		Guards: []Guard{{Metric: "danger", Limit: 0.5}},
		Goals:  []Goal{{Metric: "cost"}, {Metric: "gain", Maximize: true}}[:rapid.IntRange(1, 2).Draw(t, "goals")],
		Timing: Timing{
			Washout: tick, Measure: time.Second, Tick: tick,
			MinRequests: rapid.SampledFrom([]int{-1, 200}).Draw(t, "min_requests"), BaselineBlocks: rapid.IntRange(3, 8).Draw(t, "baseline"),
		},
		Budget: Budget{MaxPairs: rapid.IntRange(1, 15).Draw(t, "max_pairs")},
		Joint:  rapid.Bool().Draw(t, "joint"), Build: rapid.SampledFrom([]string{"", "1", "2"}).Draw(t, "build"),
		Advise: rapid.IntRange(0, 5).Draw(t, "advise") == 0,
		Alert: Alert{
			Interval: time.Duration(rapid.IntRange(1, 20).Draw(t, "alert_interval")) * time.Second, Threshold: rapid.SampledFrom([]float64{0.01, 0.2}).Draw(t, "alert_threshold"),
			Probation: time.Duration(rapid.IntRange(0, 60).Draw(t, "probation")) * time.Second,
		},
	}
	if rapid.Bool().Draw(t, "limited") {
		cfg.Budget.Until = epochZero.Add(time.Duration(rapid.IntRange(1, 300).Draw(t, "until")) * time.Second)
	}
	if rapid.IntRange(0, 9).Draw(t, "pinned") == 0 {
		cfg.Pinned = []string{"s1"}
	}
	w := &world{
		cfg: cfg, rng: rand.New(rand.NewPCG(cfg.Seed, 11)), now: epochZero, set: SettingOf(worldInitial), config: SettingOf(worldInitial),
		script: map[int][]event{}, left: map[string]int{}, served: map[string]map[float64]bool{},
	}
	if rapid.Bool().Draw(t, "kept") {
		w.cfg.State = worldKept(rapid.IntRange(0, 40).Draw(t, "due"))
		for name, v := range w.cfg.State.Initial.All() {
			w.served[name] = map[float64]bool{v: true}
		}
	}
	what := rapid.SampledFrom([]string{
		"apply", "read", "observe", "record", "danger", "slow", "starved", "frozen", "odd", "absent",
		"outside", "outside", "pause", "resume", "wish", "wish", "wish", "wish", "stop", "stop to initial", "round", "deaf", "crash", "crash",
	})
	for range rapid.IntRange(0, 25).Draw(t, "events") {
		e := event{what: what.Draw(t, "what"), ticks: rapid.IntRange(1, 40).Draw(t, "for")}
		if e.what == "outside" || e.what == "crash" {
			e.knob = rapid.SampledFrom([]string{"s1", "s2", "n", "f", "e"}).Draw(t, "knob")
			e.value = rapid.SampledFrom([]float64{0, 1, 2, 0.25, 24, 1e7, -5}).Draw(t, "value")
		}
		if e.what == "wish" {
			e.wish = WishKind(rapid.IntRange(int(WishPin), int(WishResume)).Draw(t, "wish"))
			e.knob = rapid.SampledFrom([]string{"s1", "s2", "n", "f", "e", "rare", "one", "numbers", "none"}).Draw(t, "name")
			e.value = rapid.SampledFrom([]float64{0, 1, 2, 0.25, 24, 100, 1e7, -5}).Draw(t, "to")
			e.nth = rapid.IntRange(0, 9).Draw(t, "nth")
		}
		if strings.HasPrefix(e.what, "stop") && rapid.IntRange(0, 3).Draw(t, "soften") > 0 {
			e.what = "pause" // few scripts should end early
		}
		at := rapid.IntRange(1, 500).Draw(t, "at")
		w.script[at] = append(w.script[at], e)
	}
	return w
}

// worldKept is the state of an earlier run that kept two changes.
func worldKept(due int) *State {
	initial := SettingOf(worldInitial)
	at := epochZero.Add(time.Duration(due) * time.Second)
	keep := func(id int, name, move, key string, was, is map[string]float64) Keep {
		return Keep{Trial: id, Optimization: name, Move: move, Key: key, Was: was, Is: is, For: "cost", Since: epochZero, Due: at}
	}
	return &State{
		Version: StateVersion, Initial: initial, Safe: initial.With(map[string]float64{"s1": 1, "n": 256, "f": 0.6}), Wealth: 0.25, NextTrial: 3,
		Keeps: []Keep{
			keep(1, "one", MoveOn, "one", map[string]float64{"s1": 0, "n": 64}, map[string]float64{"s1": 1, "n": 256}),
			keep(2, "numbers", "f 0.5 -> 0.6", "f=0.6", map[string]float64{"f": 0.5}, map[string]float64{"f": 0.6}),
		},
	}
}

// live runs one process to its end, and reports whether another one follows.
func (w *world) live(t *rapid.T) bool {
	w.crashed, w.pending = false, nil
	cfg := w.cfg
	cfg.Policy = &wild{}
	core, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	w.core = core
	w.lives = append(w.lives, life{cfg: cfg})
	v := watch{w: w, life: &w.lives[len(w.lives)-1]}
	loop := Loop{Record: w, Stepped: v.stepped, Ask: func() Ask { a := w.ask; w.ask = 0; return a }, Wish: func() *Wish { wish := w.wish; w.wish = nil; return wish }}
	if err := Run(context.Background(), w, &v, loop); err != nil {
		t.Fatal(err)
	}
	if !w.crashed {
		return false
	}
	w.restart()
	return true
}

// restart finds the state in the journal, as it was when the process died, and
// a target that starts with the operator's configuration or kept what it had.
func (w *world) restart() {
	w.left = map[string]int{}
	w.cfg.State = nil
	var states []*State
	for _, r := range w.written {
		if r.Kind == RecordState {
			states = append(states, r.State)
		}
	}
	if len(states) > 0 {
		i := len(states) - 1
		if w.crash.ticks%4 == 0 {
			i, w.oldRestart = w.crash.ticks%len(states), true
		}
		text, err := json.Marshal(states[i])
		if err == nil {
			w.cfg.State = &State{}
			err = json.Unmarshal(text, w.cfg.State)
		}
		if err != nil {
			w.fault("state: %v", err)
		}
	}
	switch w.crash.ticks % 3 {
	case 0: // the same target lives on
	case 1: // the operator changed the configuration
		w.config = w.config.With(map[string]float64{w.crash.knob: w.crash.value})
		fallthrough
	default:
		w.set = w.config
	}
}

// checkVerdicts holds the journal against "each trial ends in exactly one verdict".
func (w *world) checkVerdicts() {
	if w.recordFault || w.oldRestart {
		return // then the journal misses what the operator was told
	}
	open := map[int]int{}
	for _, r := range append(w.written, w.pending...) {
		switch r.Kind {
		case RecordTrial:
			open[r.Trial.ID]++
			if open[r.Trial.ID] != 1 {
				w.fault("trial %d starts twice", r.Trial.ID)
			}
		case RecordVerdict:
			open[r.Trial.ID]--
			if open[r.Trial.ID] != 0 {
				w.fault("trial %d has a verdict too many", r.Trial.ID)
			}
		}
	}
	for id, n := range open {
		if n != 0 {
			w.fault("trial %d has no verdict", id)
		}
	}
}

// replay gives a fresh core the same inputs: the same commands must come back,
// byte for byte, also when the inputs went through a journal.
func (l *life) replay(t *rapid.T, throughJSON bool) {
	cfg := l.cfg
	cfg.Policy = &wild{}
	core, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	same := func(i int, got Command) {
		a, errA := json.Marshal(l.commands[i])
		b, errB := json.Marshal(got)
		if errA != nil || errB != nil || string(a) != string(b) {
			t.Fatalf("command %d of %d differs: %v %v\nthen %s\nnow  %s", i, len(l.commands), errA, errB, a, b)
		}
	}
	same(0, core.Start())
	for i, in := range l.inputs {
		if throughJSON {
			text, err := json.Marshal(in)
			if err != nil {
				t.Fatal(err)
			}
			in = Input{}
			if err := json.Unmarshal(text, &in); err != nil {
				t.Fatal(err)
			}
		}
		same(i+1, core.Step(in))
	}
}
