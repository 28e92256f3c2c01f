package liveorder

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"autotune"
	"autotune/catalog"
	"autotune/controller"
	"autotune/executor"
	"autotune/experiments"
	"autotune/internal/demo"
	"autotune/policies"
)

// Session is what came of a plan: a line of live-order.jsonl.
type Session struct {
	Plan Plan `json:"plan"`
	// Moves are what was in force for good, from when on.
	Moves []Move `json:"moves,omitempty"`
	// Trials that ended, audits left out.
	Trials int `json:"trials"`
	// Check compares the final setting with the initial one, or of the yardstick the
	// setting with everything off.
	Check []controller.Compared `json:"check"`
	// AtInitial: the final setting is the initial one.
	AtInitial bool `json:"at_initial"`
	// Requests that were sent, Failed and Dropped of them.
	Requests uint64 `json:"requests"`
	Failed   uint64 `json:"failed"`
	Dropped  uint64 `json:"dropped"`
	// Ended is when, and Load the machine's load average over a minute then.
	Ended time.Time `json:"ended"`
	Load  float64   `json:"load_average"`
}

// Move is a setting that was put in force to stay, by the switches that are on.
type Move struct {
	Seconds float64  `json:"seconds"` // since steering began
	On      []string `json:"on"`
}

// Env is what a session needs of the program around it.
type Env struct {
	// LoadCommand starts the load generator, as for demo.Run.
	LoadCommand []string
	// Exporter takes the spans; nil: there is no telemetry to be optimized.
	Exporter executor.Exporter
}

// blocks of rivals are as long as the demonstration's.
var blocks = controller.Timing{Washout: 250 * time.Millisecond, Measure: time.Second, Tick: 250 * time.Millisecond}

// Serve reads a plan, makes its session and writes what came of it: the side of the
// process that Run starts for each. When in ends, whoever started it is gone, and
// the session ends.
func Serve(ctx context.Context, in io.Reader, out io.Writer, env Env) error {
	var p Plan
	from := json.NewDecoder(in)
	if err := from.Decode(&p); err != nil {
		return fmt.Errorf("session: its plan is expected on standard input: %w", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		_, _ = io.Copy(io.Discard, io.MultiReader(from.Buffered(), in))
		cancel()
	}()
	s, err := p.session(ctx, env)
	switch {
	case err != nil:
		return err
	case ctx.Err() != nil:
		return fmt.Errorf("session %s: %w", p.name(), ctx.Err())
	}
	return json.NewEncoder(out).Encode(s)
}

func (p *Plan) session(ctx context.Context, env Env) (*Session, error) {
	if p.Arm == measure {
		return p.compare(ctx, env)
	}
	s := &Session{Plan: *p}
	steering := time.Duration(p.Seconds * float64(time.Second))
	cfg := demo.RunConfig{
		Workload: workloadOf(p.Workload), Offer: offer(env.Exporter != nil), Partial: true, Rate: p.Rate, Items: p.Items, Seed: p.Seed,
		MinRequests: p.minRequests(), CheckPairs: p.Pairs, LoadCommand: env.LoadCommand, Exporter: env.Exporter,
		Duration: steering + time.Duration(p.Pairs)*2*(blocks.Washout+blocks.Measure) + 8*time.Second, // warming up, tidying
	}
	moves := &mover{session: s}
	if err := p.arm(&cfg, moves); err != nil {
		return nil, err
	}
	sum, err := demo.Run(ctx, cfg)
	if err != nil {
		return nil, err
	}
	if s.Trials == 0 {
		s.Trials = len(sum.Tried)
	}
	s.Check, s.AtInitial = sum.Check, sum.Final.Equal(sum.Initial)
	s.Requests, s.Failed, s.Dropped = sum.Load.Sent, sum.Load.Failed, sum.Load.Dropped
	return s, nil
}

// minRequests lets a block be as long as it should be, at a rate that is low so that
// sessions have room beside each other.
func (p *Plan) minRequests() int { return max(1, min(200, int(p.Rate/2))) }

// arm sets who proposes, and who judges.
func (p *Plan) arm(cfg *demo.RunConfig, moves *mover) error {
	order, err := catalog.Order("")
	if err != nil {
		return err
	}
	switch p.Arm {
	case Guide:
		if cfg.Policy, err = policies.Named("guide", ""); err != nil {
			return err
		}
	case Blind:
		cfg.Policy = policies.NewInOrder(string(Blind), order)
	case Chance:
		names := slices.Clone(cfg.Offer)
		rng := rand.New(rand.NewPCG(p.Seed, 61))
		rng.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
		cfg.Policy = policies.NewInOrder(string(Chance), names)
	case Window, Welch:
		rule := experiments.Window()
		if p.Arm == Welch {
			rule = experiments.Welch()
		}
		cfg.Instead = func(ctx context.Context, target controller.Target, offered []controller.Optimization) error {
			return p.rival(ctx, rule, policies.NewInOrder(string(p.Arm), order), target, offered, moves)
		}
		return nil
	default:
		return fmt.Errorf("arm %q: must be one of %v", p.Arm, Arms())
	}
	cfg.OnStatus = func(st autotune.Status) { moves.to(st.Safe) }
	return nil
}

// rival steers in the autopilot's place.
func (p *Plan) rival(ctx context.Context, rule experiments.Rule, policy controller.Policy, target controller.Target, offered []controller.Optimization, moves *mover) error {
	initial, err := target.Current(ctx)
	if err != nil {
		return err
	}
	moves.to(initial)
	until, _ := ctx.Deadline()
	core := experiments.NewRival(rule, experiments.RivalConfig{
		Space: target.Space(), Offered: offered, Goal: controller.Goal{Metric: controller.LatencyP95}, Policy: policy,
		Timing: blocks, Until: until, Seed: p.Seed,
	})
	err = controller.Run(ctx, target, core, controller.Loop{Record: moves})
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		err = nil // its time is over
	}
	return err
}

// mover writes down what is put in force for good.
type mover struct {
	session *Session
	start   time.Time
	last    controller.Setting
}

func (m *mover) to(s controller.Setting) {
	if s.IsZero() {
		return
	}
	if m.start.IsZero() {
		m.start = time.Now()
	} else if s.Equal(m.last) {
		return
	}
	m.last = s
	m.session.Moves = append(m.session.Moves, Move{Seconds: time.Since(m.start).Seconds(), On: switchesOn(s)})
}

// Append follows a rival's verdicts.
func (m *mover) Append(r controller.Record) error {
	if r.Kind != controller.RecordVerdict {
		return nil
	}
	m.session.Trials++
	if r.Trial.Outcome == controller.Kept {
		m.to(r.Trial.To)
	}
	return nil
}

// Sync has nothing to do.
func (*mover) Sync() error { return nil }

// compare measures a setting of the yardstick against everything off.
func (p *Plan) compare(ctx context.Context, env Env) (*Session, error) {
	off, err := executor.New(executor.Config{})
	if err != nil {
		return nil, err
	}
	defer off.Close() //nolint:errcheck // nothing ran in it
	baseline := off.Config()
	if err := off.ApplySetting(ctx, controller.SettingOf(maps.Clone(p.Values))); err != nil {
		return nil, err
	}
	v, err := demo.Validate(ctx, demo.ValidateConfig{
		Baseline: demo.Named{Name: "everything off", Config: baseline}, Candidate: demo.Named{Name: p.Setting, Config: off.Config()},
		Workload: workloadOf(p.Workload), Pairs: p.Pairs, Rate: p.Rate, Items: p.Items, Seed: p.Seed, MinRequests: p.minRequests(),
		LoadCommand: env.LoadCommand, Exporter: env.Exporter,
	})
	if err != nil {
		return nil, err
	}
	return &Session{Plan: *p, Check: v.Check, Requests: v.Load.Sent, Failed: v.Load.Failed, Dropped: v.Load.Dropped}, nil
}
