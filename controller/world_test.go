package controller_test

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	. "autotune/controller" //nolint:revive // the tests of a vocabulary read better with it
)

// world is a hostile target and journal in one: a script of events says what
// breaks, and when. It checks each command as it comes.
type world struct {
	cfg    Config
	rng    *rand.Rand
	now    time.Time
	set    Setting
	config Setting // the operator's own, found again by a restart in a new process
	tick   int
	script map[int][]event

	left    map[string]int // ticks for which a fault still lasts
	round   bool
	deaf    bool
	ask     Ask
	wish    *Wish
	granted bool // a wish that changes something, ever
	crashed bool
	crash   event

	core        *Controller
	written     []Record                    // durable
	pending     []Record                    // appended and not synced
	recordFault bool                        // ever
	oldRestart  bool                        // ever from a state that was not the latest
	served      map[string]map[float64]bool // values that were safe once, by knob

	lives []life
	fault func(format string, args ...any)
}

// life is one process: what its core was told, and answered.
type life struct {
	cfg      Config
	inputs   []Input
	commands []Command
}

// event is what happens before a tick.
type event struct {
	what  string
	ticks int
	knob  string
	value float64
	wish  WishKind
	nth   int // trial, or which of the proposals
}

var worldSpace = Space{Knobs: []Knob{
	{Name: "s1", Kind: Switch},
	{Name: "s2", Kind: Switch, Risky: true},
	{Name: "n", Kind: Int, Min: 8, Max: 4096, Scale: Log, MaxMove: 4, Needs: "s1", Floor: new(16.0), Settle: 700 * time.Millisecond},
	{Name: "f", Kind: Float, Min: 0, Max: 1, MaxMove: 0.3, Ceiling: new(0.9), Defers: true},
	{Name: "e", Kind: Enum, Min: 0, Max: 2, Levels: []float64{0, 1, 2}},
	{Name: "rare", Kind: Float, Min: 0, Max: 1, Period: time.Hour},
}}

var worldOffered = []Optimization{
	{Name: "one", Why: "test", Switch: "s1", Knobs: []string{"n"}, Equivalence: Exact, Start: map[string]float64{"n": 256}},
	{Name: "two", Why: "test", Switch: "s2", Equivalence: Bounded, MayDiffer: "anything", Granted: true},
	{Name: "numbers", Why: "test", Knobs: []string{"f", "e", "rare"}, Equivalence: Exact},
	{Name: "refused", Why: "test", Switch: "s2", Knobs: []string{"e"}, Equivalence: Bounded, MayDiffer: "anything"},
}

var worldInitial = map[string]float64{"s1": 0, "s2": 0, "n": 64, "f": 0.5, "e": 1, "rare": 0.5}

// wild proposes anything, allowed or not, as a pure function of the view.
type wild struct{ learned int }

func (w *wild) Learn(Trial) { w.learned++ }

func (w *wild) Propose(v View) (Proposal, bool) {
	h := fnv.New64a()
	fmt.Fprint(h, v.Seed, w.learned, len(v.Blocked), v.Safe)
	rng := rand.New(rand.NewPCG(h.Sum64(), 1))
	if rng.IntN(10) == 0 {
		return Proposal{}, false
	}
	p := Proposal{Optimization: v.Offered[rng.IntN(len(v.Offered))].Name, Move: MoveOn, Change: map[string]float64{}, Why: "wild"}
	switch rng.IntN(8) {
	case 0:
		p.Move = MoveOff
	case 1:
		p.Move = "numbers"
	}
	anything := []float64{0, 1, 0.5, 2, 8, 16, 64, 128, 250, 1024, 4096, 1e9, -1, math.NaN(), math.Inf(1), 0.3, 0.75, 0.95}
	for range 1 + rng.IntN(2) {
		p.Change[v.Space.Knobs[rng.IntN(len(v.Space.Knobs))].Name] = anything[rng.IntN(len(anything))]
	}
	if rng.IntN(2) == 0 { // half of them stand a chance
		p.Change = map[string]float64{"s1": 1 - v.Safe.Map()["s1"]}
		p.Optimization = "one"
		if rng.IntN(2) == 0 {
			p.Change, p.Optimization = map[string]float64{"s2": 1 - v.Safe.Map()["s2"]}, "two"
		}
		if rng.IntN(3) == 0 {
			p.Change, p.Optimization, p.Move = map[string]float64{"f": 0.3 + 0.1*float64(rng.IntN(6))}, "numbers", "numbers"
		}
	}
	return p, true
}

func (w *world) Space() Space { return worldSpace }

func (w *world) Current(context.Context) (Setting, error) {
	if w.left["read"] > 0 {
		return Setting{}, errBroken
	}
	return w.set, nil
}

func (w *world) Apply(_ context.Context, s Setting) error {
	st := w.core.Status()
	if w.cfg.Advise && !w.granted {
		w.fault("advice only, and yet %s is applied", s)
	}
	if !s.Equal(st.Safe) {
		w.checkCandidate(s, st)
		if len(w.pending) > 0 {
			w.fault("candidate %s is applied with %d records that are not durable", s, len(w.pending))
		}
	}
	if w.left["apply"] > 0 {
		return errBroken
	}
	if w.round {
		n, _ := s.Get("n")
		s = s.With(map[string]float64{"n": 8 * math.Floor(n/8)})
	}
	if !w.deaf {
		w.set = s
	}
	return nil
}

// checkCandidate holds a candidate against every rule, with arithmetic of its own.
func (w *world) checkCandidate(s Setting, st Status) {
	if st.Trial == nil || !strings.HasSuffix(st.Why, ", candidate") {
		w.fault("%s is applied outside a candidate block: %v, %s", s, st.Phase, st.Why)
		return
	}
	hasCoin, hasTrial := false, false
	for _, r := range w.written {
		hasTrial = hasTrial || r.Kind == RecordTrial && r.Trial.ID == st.Trial.ID
		hasCoin = hasCoin || r.Kind == RecordCoin && r.Coin.Trial == st.Trial.ID && r.Coin.Pair == st.Trial.Pairs+1
	}
	if !hasCoin || !hasTrial {
		w.fault("trial %d: the candidate is applied and the coin (%v) or the trial (%v) is not durable", st.Trial.ID, hasCoin, hasTrial)
	}
	change := st.Safe.Diff(s)
	for name, p := range st.Pins {
		for knob := range p.Values {
			if _, moved := change[knob]; moved {
				w.fault("a candidate moves %s, which %s holds, %s", knob, name, p.By)
			}
		}
	}
	if w.cfg.Advise && st.Trial.Audit == 0 && !slices.ContainsFunc(st.Advice, func(a Advice) bool { return a.ID == st.Trial.Proposal && a.Said == WishApprove }) {
		w.fault("advice only, and %v is tried without approval", change)
	}
	back := strings.HasPrefix(st.Trial.Move, "back to ") // to what was kept in an earlier regime
	before := st.Trial.Audit != 0 || back
	if !before && !w.owned(change, st.Trial.Optimization) { // what came back as a whole is audited as one
		w.fault("%v is not of optimization %s", change, st.Trial.Optimization)
	}
	turnedOn := s.On("s1") && !st.Safe.On("s1")
	for name, v := range change {
		if before && !w.served[name][v] {
			w.fault("an audit, or a return, tries %s=%v, which never was in force", name, v)
		}
		was, _ := st.Safe.Get(name)
		ok := false
		switch name {
		case "s1", "s2":
			ok = v == 0 || v == 1
		case "n":
			ok = v == math.Trunc(v) && v >= 16 && v <= 4096 && (turnedOn || before || math.Abs(math.Log(v/was)) <= math.Log(4)+1e-6)
		case "f":
			ok = v >= 0 && v <= 0.9 && (before || math.Abs(v-was) <= 0.3+1e-6)
		case "e":
			ok = v == 0 || v == 1 || v == 2
		}
		if !ok {
			w.fault("candidate moves %s from %v to %v", name, was, v)
		}
	}
}

// owned reports whether an optimization has each knob of a change, or, where two
// may be tried together, one of them at least and one other optimization the rest.
func (w *world) owned(change map[string]float64, optimization string) bool {
	rest := foreignTo(optimization, slices.Collect(maps.Keys(change)))
	if len(rest) == 0 {
		return true
	}
	return w.cfg.Joint && len(rest) < len(change) && slices.ContainsFunc(worldOffered, func(o Optimization) bool {
		return o.Name != "refused" && len(foreignTo(o.Name, rest)) == 0 // nobody granted "refused"
	})
}

// foreignTo are the knobs that are not of an optimization.
func foreignTo(optimization string, knobs []string) []string {
	o := worldOffered[slices.IndexFunc(worldOffered, func(o Optimization) bool { return o.Name == optimization })]
	return slices.DeleteFunc(slices.Clone(knobs), func(name string) bool {
		return name == o.Switch || slices.Contains(o.Knobs, name)
	})
}

func (w *world) Observe(_ context.Context, _ uint64, d time.Duration) (Sample, error) {
	if d > 0 {
		w.play()
	}
	over := d
	if w.left["frozen"] > 0 {
		over = 0
	}
	w.now = w.now.Add(over)
	if w.left["observe"] > 0 {
		return Sample{At: w.now}, errBroken
	}
	s := Sample{At: w.now, Over: over, Totals: map[Metric]float64{Requests: 400 * over.Seconds()}, Gauges: map[Metric]float64{"danger": 0}}
	if w.left["starved"] > 0 {
		s.Totals[Requests] = 0
	}
	h := fnv.New64a()
	fmt.Fprint(h, w.set, w.cfg.Seed)
	kind := rand.New(rand.NewPCG(h.Sum64(), 3))
	effect, slow := kind.NormFloat64()*0.3, kind.IntN(8) == 0
	for i, g := range w.cfg.Goals {
		s.Gauges[g.Metric] = math.Exp(effect/float64(1+i) + 0.05*w.rng.NormFloat64())
		if odd := w.left["odd"]; odd > 0 {
			s.Gauges[g.Metric] = []float64{math.NaN(), math.Inf(1), 0, -1, math.MaxFloat64, 5e-324}[odd%6]
		}
		if w.left["absent"] > 0 {
			delete(s.Gauges, g.Metric)
		}
	}
	if slow && w.rng.IntN(6) == 0 || w.left["danger"] > 0 {
		s.Gauges["danger"] = 1
	}
	if n := uint32(s.Totals[Requests]); n > 0 && !w.set.IsZero() {
		s.Latency = &Histogram{}
		took := time.Duration(5e6 + w.rng.IntN(5e6))
		if kind.IntN(6) == 0 || w.left["slow"] > 0 {
			took *= 10
		}
		s.Latency.Add(Bucket(took), n, float64(n)*took.Seconds())
	}
	if !w.set.IsZero() && w.rng.IntN(4) == 0 {
		s.Unfinished = &Histogram{}
		s.Unfinished.Record(time.Second)
	}
	return s, nil
}

// play lets the script's events of this tick happen.
func (w *world) play() {
	for k := range w.left {
		w.left[k]--
	}
	w.tick++
	for _, e := range w.script[w.tick] {
		switch e.what {
		case "outside":
			w.set = w.set.With(map[string]float64{e.knob: e.value})
		case "pause":
			w.ask = Pause
		case "resume":
			w.ask = Resume
		case "stop":
			w.ask = Stop
		case "stop to initial":
			w.ask = StopToInitial
		case "wish":
			w.wish = &Wish{Kind: e.wish, Name: e.knob, Value: e.value, Trial: e.nth, By: Operator{Who: "ann", Why: "a test"}}
			if advice := w.core.Status().Advice; len(advice) > 0 {
				w.wish.Proposal = advice[e.nth%len(advice)].ID
			}
		case "round":
			w.round = !w.round
		case "deaf":
			w.deaf = !w.deaf
		case "crash":
			w.crashed, w.crash = true, e
		default:
			w.left[e.what] = e.ticks
		}
	}
}

func (w *world) Append(r Record) error {
	if _, err := json.Marshal(r); err != nil {
		w.fault("a record cannot be written: %v", err)
	}
	if w.left["record"] > 0 {
		w.recordFault = true
		return errBroken
	}
	w.pending = append(w.pending, r)
	return nil
}

func (w *world) Sync() error {
	if w.left["record"] > 0 {
		w.recordFault = true
		return errBroken
	}
	w.written, w.pending = append(w.written, w.pending...), nil
	return nil
}
