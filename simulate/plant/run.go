package plant

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"autotune/controller"
	"autotune/simulate"
)

// RunConfig says what run to make: the shipped controller, in the shipped loop, on
// a scenario.
type RunConfig struct {
	Scenario Scenario
	// Seed of the service and of every coin.
	Seed uint64
	// Duration in virtual time; an hour if 0.
	Duration time.Duration
	// Policy says what to try; it must be new.
	Policy     controller.Policy
	PolicyName string
	// Goals by rank; the controller's defaults if empty.
	Goals []controller.Goal
	// Record takes the journal, inputs and all, if not nil: it replays.
	Record controller.Recorder
}

// leastDuration gives time for the noise and a trial.
const leastDuration = 5 * time.Minute

// checkFor is how long final and initial setting are run for the true effect.
const checkFor = 10 * time.Minute

// Run is what came of one: the line of `autotune simulate --scenario`.
type Run struct {
	Type     string  `json:"type"` // "run"
	Scenario string  `json:"scenario"`
	Policy   string  `json:"policy"`
	Seed     uint64  `json:"seed"`
	Seconds  float64 `json:"seconds"`
	Requests float64 `json:"requests"`
	// Evaluations are the trials that ended, and Pairs the pairs of blocks that they took.
	Evaluations int     `json:"evaluations"`
	Pairs       int     `json:"pairs"`
	Tried       []Tried `json:"tried"`
	// Kept are the optimizations of which something is set otherwise at the end than
	// at first, and Reverted those that were tried and put back, whatever the reason.
	Kept     []string `json:"kept"`
	Reverted []string `json:"reverted"`
	// Final is the setting in force at the end, and Changed what of it is not as it was at first.
	Final   map[string]float64 `json:"final"`
	Changed map[string]float64 `json:"changed"`
	// Check is what the final setting truly does, against the initial one: both are
	// run afresh, under the same requests.
	Check []Checked `json:"check"`
	// HarmSeconds is what the run's worse seconds cost in latency, and the Excess
	// is what all of it cost more than leaving the initial setting; less than 0 is a gain.
	HarmSeconds          float64 `json:"harm_latency_seconds"`
	LatencyExcessSeconds float64 `json:"latency_excess_seconds"`
	CPUExcessSeconds     float64 `json:"cpu_excess_seconds"`
	// DecidedSeconds is when the last change was kept; 0: none was.
	DecidedSeconds float64 `json:"decided_seconds"`
}

// Tried is a trial that ended.
type Tried struct {
	Name    string             `json:"name"`
	Move    string             `json:"move"`
	Pairs   int                `json:"pairs"`
	Outcome controller.Outcome `json:"outcome"`
	Reason  controller.Reason  `json:"reason"`
	Detail  string             `json:"detail,omitempty"` // figures, for people
	// Effect on the top goal, with its interval.
	Effect float64 `json:"effect"`
	Low    float64 `json:"low"`
	High   float64 `json:"high"`
	// At is when it ended, in seconds.
	At float64 `json:"at_seconds"`
}

// Checked is one metric under both settings; Effect is its relative change.
type Checked struct {
	Metric  controller.Metric `json:"metric"`
	Initial float64           `json:"initial"`
	Final   float64           `json:"final"`
	Effect  float64           `json:"effect"`
}

// Check reports the first fault, or nil.
func (c *RunConfig) Check() error {
	switch {
	case c.Duration != 0 && c.Duration < leastDuration:
		return fmt.Errorf("duration %v: must be at least %v: noise and a trial need that long", c.Duration, leastDuration)
	case c.Policy == nil:
		return errors.New("policy: missing: must say what to try")
	}
	return nil
}

// Tune makes a run. When ctx ends early it is an error: half a run is none.
func Tune(ctx context.Context, cfg RunConfig) (*Run, error) {
	if err := cfg.Check(); err != nil {
		return nil, err
	}
	if cfg.Duration == 0 {
		cfg.Duration = time.Hour
	}
	out := &Run{
		Type: "run", Scenario: cfg.Scenario.Name, Policy: cfg.PolicyName, Seed: cfg.Seed, Tried: []Tried{}, Kept: []string{}, Reverted: []string{},
	}
	service, err := cfg.play(ctx, out)
	if err != nil {
		return nil, err
	}
	score := service.Score()
	out.Seconds, out.Requests = score.Whole.Over.Seconds(), score.Whole.Requests
	out.LatencyExcessSeconds, out.CPUExcessSeconds, out.HarmSeconds = score.Whole.LatencyExcess, score.Whole.CPUExcess, service.Harm()
	final := service.Setting()
	out.Final, out.Changed = final.Map(), cfg.Scenario.Initial().Diff(final)
	out.took(cfg.Scenario.Offered)
	goals := cfg.Goals
	if len(goals) == 0 {
		goals = controller.DefaultGoals()
	}
	return out, out.check(cfg.Scenario, final, goals)
}

// play is the run itself: its verdicts go to out.
func (c *RunConfig) play(ctx context.Context, out *Run) (*Service, error) {
	sc := c.Scenario
	sc.Config.Horizon = c.Duration
	service, err := sc.Start(c.Seed)
	if err != nil {
		return nil, err
	}
	core, err := controller.New(controller.Config{
		Space: sc.Config.Space, Offered: sc.Offered, Goals: c.Goals, Policy: c.Policy, PolicyName: c.PolicyName, Seed: c.Seed, OpenLoop: true,
		Budget: controller.Budget{Until: simulate.Epoch().Add(c.Duration)},
	})
	if err != nil {
		return nil, err
	}
	return service, controller.Run(ctx, service, core, controller.Loop{Record: &runLog{run: out, then: c.Record}, Inputs: c.Record != nil})
}

// check runs both settings afresh.
func (r *Run) check(sc Scenario, final controller.Setting, goals []controller.Goal) error {
	was, err := sc.Cost(sc.Initial(), r.Seed, checkFor)
	if err != nil {
		return err
	}
	is, err := sc.Cost(final, r.Seed, checkFor)
	if err != nil {
		return err
	}
	for _, g := range goals {
		a, ok := was.Of(g.Metric)
		b, _ := is.Of(g.Metric)
		if ok && a > 0 {
			r.Check = append(r.Check, Checked{Metric: g.Metric, Initial: a, Final: b, Effect: b/a - 1})
		}
	}
	return nil
}

// took says what became of what was offered.
func (r *Run) took(offered []controller.Optimization) {
	for _, o := range offered {
		_, differs := r.Changed[o.Switch]
		for _, name := range o.Knobs {
			_, moved := r.Changed[name]
			differs = differs || moved
		}
		switch {
		case differs:
			r.Kept = append(r.Kept, o.Name)
		case slices.ContainsFunc(r.Tried, func(t Tried) bool { return t.Name == o.Name }):
			r.Reverted = append(r.Reverted, o.Name)
		}
	}
}

// runLog takes verdicts out of the journal as they come.
type runLog struct {
	run  *Run
	then controller.Recorder
}

// Append counts a verdict. Audits of what was kept are none.
func (l *runLog) Append(r controller.Record) error {
	if r.Kind == controller.RecordVerdict && r.Trial.Audit == 0 {
		l.verdict(r.Trial, r.At.Sub(simulate.Epoch()).Seconds())
	}
	if l.then != nil {
		return l.then.Append(r)
	}
	return nil
}

func (l *runLog) verdict(t *controller.Trial, at float64) {
	out := l.run
	out.Evaluations++
	out.Pairs += t.Pairs
	one := Tried{Name: t.Optimization, Move: t.Move, Pairs: t.Pairs, Outcome: t.Outcome, Reason: t.Reason, Detail: t.Detail, At: at}
	if len(t.Effects) > 0 {
		e := t.Effects[0]
		one.Effect, one.Low, one.High = e.Change, e.Low, e.High
	}
	out.Tried = append(out.Tried, one)
	if t.Outcome == controller.Kept {
		out.DecidedSeconds = at
	}
}

// Sync passes it on.
func (l *runLog) Sync() error {
	if l.then != nil {
		return l.then.Sync()
	}
	return nil
}
