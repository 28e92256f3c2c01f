package experiments

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"autotune/controller"
	"autotune/report"
	"autotune/simulate"
)

const (
	wholeCost = "whole run %"
	endCost   = "final third %"
	trialsOf  = "trials"
	keepsOf   = "keeps"
	tryingEnd = "candidate in final third %"
	stalled   = "stalled s"
	deathsOf  = "deaths"
)

// trap is a way in which a service fools a controller.
type trap struct {
	name string
	doc  string // what it does, and what a naive rule does
	// limit is why the controller is known to fall into it; it is then reported
	// and nothing is claimed.
	limit string
	// cpu: it is about CPU, which is then the only goal.
	cpu bool
	// horizon of the session, two hours by default.
	horizon time.Duration
	// switches of the scenario; one, "x", if empty.
	switches []string
	space    func(*controller.Space)
	// service completes the configuration, and stage the stage; either may be nil.
	service func(cfg *simulate.ServiceConfig, rng *rand.Rand)
	stage   func(*stage)
	policy  controller.Policy
	// fooled is the rival that must fall into it.
	fooled string
	// mark notes what else matters of a session.
	mark func(*session, *Tally)
	// claims beyond that of every trap: no harm at the end.
	claims func(of func(contender string) *Tally) []Claim
}

// allTraps, from the noise that fools schedules to the faults of actuators.
func allTraps() []trap {
	return []trap{
		lockedPeriod(), deferredCost(true), deferredCost(false), highLoad(), decays(), wideTail(), rarelyBad(), leak(), turnsBad(),
		interaction(), switchCost(), loadStep(), stall(), clockJump(), crash(), flat(), deaf(), rounds(),
	}
}

// Traps asks what whole sessions come to where a service fools its controller.
func Traps() Experiment {
	return Experiment{
		Name: "traps",
		Doc: "What does a session of two hours come to on a service that fools its controller? Costs are latency (or CPU) in excess of doing nothing, " +
			"in percent, without noise: below zero is a gain. Each contender tries again what its cool-down allows. Medians are over seeds.",
		Cells: trapCells,
		Measures: []Measure{
			{Name: wholeCost, Of: Median, Format: "%+.1f", Better: report.Less},
			{Name: endCost, Of: Median, Format: "%+.1f", Better: report.Less},
			{Name: trialsOf, Of: Median, Format: "%.0f"},
			{Name: keepsOf, Of: Median, Format: "%.0f"},
			{Name: tryingEnd, Of: Median, Format: "%.1f"},
			{Name: stalled, Of: Median, Format: "%.1f", Better: report.Less},
			{Name: deathsOf, Of: Median, Format: "%.0f", Better: report.Less},
		},
		Tables: trapTables,
		Charts: trapCharts,
		Claims: trapClaims,
	}
}

// stays is the best setting to leave in force for the whole run, by exhaustive search.
const stays = "best static"

func trapContenders() []contender {
	return append(contenders(), contender{name: stays})
}

func trapCells(short bool) ([]Cell, error) {
	var cells []Cell
	seeds := 8
	if short {
		seeds = 3
	}
	for _, t := range allTraps() {
		for _, c := range trapContenders() {
			if short && c.name != autotune().name && c.name != t.fooled {
				continue
			}
			cells = append(cells, Cell{
				Scenario: t.name, Contender: c.name, Params: t.length(), Trials: seeds, Batch: 1,
				Trial: func(ctx context.Context, seed uint64, into *Tally) error { return t.play(ctx, seed, c, into) },
			})
		}
	}
	return cells, nil
}

// length of a session.
func (t *trap) length() time.Duration {
	if t.horizon > 0 {
		return t.horizon
	}
	return 2 * time.Hour
}

// scene sets the trap up.
func (t *trap) scene(seed uint64) (stage, play, error) {
	names := t.switches
	if names == nil {
		names = []string{"x"}
	}
	space, offered, initial := simulate.Switches(names...)
	if t.space != nil {
		t.space(&space)
		for _, k := range space.Knobs {
			if k.Kind != controller.Switch {
				initial[k.Name] = k.Min
				offered = append(offered, controller.Optimization{Name: k.Name, Why: "simulated", Knobs: []string{k.Name}, Equivalence: controller.Exact})
			}
		}
	}
	chance := func(n uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, n)) }
	cfg := simulate.ServiceConfig{
		Space: space, Initial: initial, Seed: seed, Rate: 100, Tail: lognormal(), CPUNoise: 0.6, MemoryLimit: 1e9,
		Level: simulate.AR1(chance(101), 5*time.Minute, 0.1), Horizon: t.length(),
	}
	if t.service != nil {
		t.service(&cfg, chance(102))
	}
	away, effect := false, cfg.Effect
	cfg.Effect = func(m simulate.Moment) simulate.Effect {
		switch {
		case away && m.Changes > 0: // doing nothing would not have killed it
			return simulate.Effect{Stalled: true}
		case effect == nil:
			return simulate.Effect{}
		}
		return effect(m)
	}
	service, err := simulate.NewService(cfg)
	if err != nil {
		return stage{}, play{}, err
	}
	st := stage{service: service, target: service, initial: controller.SettingOf(initial), horizon: t.length(), away: func(is bool) { away = is }}
	if t.stage != nil {
		t.stage(&st)
	}
	p := play{
		space: space, offered: offered, goals: controller.DefaultGoals(), seed: seed, openLoop: true,
		guards: []controller.Guard{ // as shipped
			{Metric: controller.MemoryRatio, Limit: 0.95},
			{Metric: controller.ErrorRatio, Limit: 0.25, MinRequests: 50},
			{Metric: controller.OldestInFlight, Limit: 30},
		},
		timing: controller.Timing{Washout: time.Second, Measure: 5 * time.Second, Tick: 250 * time.Millisecond},
		until:  simulate.Epoch().Add(t.length()),
		policy: func() controller.Policy { return flip{} },
	}
	if t.cpu {
		p.goals = []controller.Goal{{Metric: controller.CPUPerRequest}}
	}
	if t.policy != nil {
		p.policy = func() controller.Policy { return t.policy }
	}
	return st, p, nil
}

// play lets a contender walk into the trap once.
func (t *trap) play(ctx context.Context, seed uint64, c contender, into *Tally) error {
	if c.core == nil {
		return t.playStatic(ctx, seed, into)
	}
	st, p, err := t.scene(seed)
	if err != nil {
		return err
	}
	s, err := perform(ctx, st, c, p)
	if err != nil {
		return err
	}
	t.tell(s, into)
	trials, keeps, trying := 0, 0, 0.0
	for _, v := range s.verdicts {
		if v.Audit == 0 {
			trials++
			if v.Outcome == controller.Kept {
				keeps++
			}
		}
		if v.Started.Sub(simulate.Epoch()) > t.length()*2/3 {
			trying += v.Requests
		}
	}
	into.Value(trialsOf, float64(trials))
	into.Value(keepsOf, float64(keeps))
	into.Value(tryingEnd, 100*trying/s.scores.Thirds[2].Requests)
	into.Value(deathsOf, float64(s.deaths))
	if t.mark != nil {
		t.mark(s, into)
	}
	return nil
}

// excess over doing nothing, in percent.
func (t *trap) excess(s *simulate.Score) float64 {
	if t.cpu {
		return 100 * s.CPUExcess / (s.CPUSeconds - s.CPUExcess)
	}
	return 100 * s.LatencyExcess / (s.LatencySeconds - s.LatencyExcess)
}

// share of what doing nothing costs in the whole session that was paid on top of it so far.
func (t *trap) share(s, whole *simulate.Score) float64 {
	if t.cpu {
		return 100 * s.CPUExcess / (whole.CPUSeconds - whole.CPUExcess)
	}
	return 100 * s.LatencyExcess / (whole.LatencySeconds - whole.LatencyExcess)
}

func (t *trap) tell(s *session, into *Tally) {
	whole, end := t.excess(&s.scores.Whole), t.excess(&s.scores.Thirds[2])
	into.Value(wholeCost, whole)
	into.Value(endCost, end)
	into.Value(stalled, s.scores.Whole.Stalled.Seconds())
	for i := range s.along {
		into.Value(alongAt(i), t.share(&s.along[i], &s.scores.Whole))
	}
}

// playStatic tries every static setting and tells the best.
func (t *trap) playStatic(ctx context.Context, seed uint64, into *Tally) error {
	var best *session
	for n := 0; ; n++ {
		st, p, err := t.scene(seed)
		if err != nil {
			return err
		}
		values, rest := map[string]float64{}, n
		for _, k := range p.space.Knobs { // the n-th combination of both ends of each knob
			low, high := k.Bounds()
			values[k.Name] = []float64{low, high}[rest%2]
			rest /= 2
		}
		if rest > 0 {
			break
		}
		to := contender{core: func(p play) (controller.Stepper, error) {
			return &static{p: p, to: controller.SettingOf(values)}, nil
		}}
		// What dies or stalls is not the best, and need not be watched to the end.
		hopeless := false
		dies := st.dies
		st.dies = nil
		p.givenUp = func() bool {
			hopeless = hopeless || dies != nil && dies() || st.service.Score().Whole.Stalled > time.Minute
			return hopeless
		}
		s, err := perform(ctx, st, to, p)
		if err != nil {
			return err
		}
		if hopeless {
			continue
		}
		if best == nil || t.excess(&s.scores.Whole) < t.excess(&best.scores.Whole) {
			best = s
		}
	}
	t.tell(best, into)
	return nil
}

// harmless is by how much the end may be worse than doing nothing: the least
// tolerance of a goal.
const harmless = 3.0

func trapClaims(r *Results) []Claim {
	var claims []Claim
	for _, t := range allTraps() {
		if t.limit != "" {
			continue
		}
		of := func(contender string) *Tally { return r.Of(t.name, contender) }
		end, whole := worst(of(autotune().name), endCost), worst(of(autotune().name), wholeCost)
		claims = append(claims, Claim{
			Text:   fmt.Sprintf("%s: the final third is not worse than doing nothing by more than %.0f %%, in any seed", t.name, harmless),
			Figure: fmt.Sprintf("at worst %+.1f %% there, %+.1f %% over the whole run", end, whole),
			Holds:  end <= harmless,
		})
		if t.claims != nil {
			for _, c := range t.claims(of) {
				c.Text = t.name + ": " + c.Text
				claims = append(claims, c)
			}
		}
	}
	return claims
}

// worst of the seeds.
func worst(t *Tally, what string) float64 {
	return slices.Max(append([]float64{math.Inf(-1)}, t.Values[what]...))
}

func trapTables(r *Results) []Table {
	limits := Table{Title: "Known limits: traps that it falls into", Head: []string{"trap", "final third % at worst", "whole run % at worst", "why"}}
	sum := Table{
		Title: "Final third, in excess of doing nothing, %",
		Note:  "Medians of the seeds. Best static is the best of all settings that stay in force for the whole run, known beforehand.",
		Head:  []string{"trap"},
	}
	sum.Head = append(sum.Head, r.Contenders()...)
	out := []Table{}
	m := Traps().Measures
	for _, t := range allTraps() {
		row := []string{t.name}
		detail := Table{Title: t.name, Note: t.doc, Head: []string{"contender", "n"}}
		for _, x := range m {
			detail.Head = append(detail.Head, x.Name)
		}
		for _, name := range r.Contenders() {
			x := r.Of(t.name, name)
			text := "-"
			if e, ok := m[1].Take(x); ok {
				text = fmt.Sprintf("%+.1f", e.Value)
				detail.Rows = append(detail.Rows, append([]string{name}, figures(x, m)...))
			}
			row = append(row, text)
		}
		sum.Rows = append(sum.Rows, row)
		if ours := r.Of(t.name, autotune().name); t.limit != "" {
			limits.Rows = append(limits.Rows, []string{
				t.name, fmt.Sprintf("%+.1f", worst(ours, endCost)), fmt.Sprintf("%+.1f", worst(ours, wholeCost)), t.limit,
			})
		}
		out = append(out, detail)
	}
	return append([]Table{sum, limits}, out...)
}
