package diagnose

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"autotune/catalog"
	"autotune/controller"
	"autotune/journal"
)

// world is a service in virtual time that the shipped controller works on, and
// whose journal is diagnosed. Each is what a rule is about, and nothing else.
type world struct {
	knobs   []controller.Knob
	initial map[string]float64
	offered []controller.Optimization
	lasts   time.Duration
	// legs are the processes: each one starts with the initial values, changed by
	// its own. None: one process.
	legs []leg

	goals  []controller.Goal
	config func(*controller.Config)
	// effect of a setting on latency, log units; nil: none.
	effect func(moment) float64
	// sample changes what a healthy service shows.
	sample func(moment, *controller.Sample)
	// apply and current may fail, or lie.
	apply   func(s *service, to controller.Setting) error
	current func(s *service) (controller.Setting, error)
	observe func(moment) error
	ask     func(moment) controller.Ask
}

type leg struct {
	changed map[string]float64
	lasts   time.Duration // 0: until the end; otherwise the process dies then
}

// moment is when and under what.
type moment struct {
	age     time.Duration
	setting controller.Setting
	noise   float64 // a standard normal draw
}

// service is a world while it runs.
type service struct {
	*world
	set    controller.Setting
	now    time.Time
	chance *rand.Rand
}

var dawn = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)

func (s *service) Space() controller.Space { return controller.Space{Knobs: s.knobs} }

func (s *service) Current(context.Context) (controller.Setting, error) {
	if s.current != nil {
		return s.current(s)
	}
	return s.set, nil
}

func (s *service) Apply(_ context.Context, to controller.Setting) error {
	if s.apply != nil {
		return s.apply(s, to)
	}
	s.set = to
	return nil
}

func (s *service) moment() moment {
	return moment{age: s.now.Sub(dawn), setting: s.set, noise: s.chance.NormFloat64()}
}

// Observe shows a healthy service of 100 requests a second of 10 ms that use
// 40 % of a processor, a third of its memory, and a steady heap.
func (s *service) Observe(_ context.Context, _ uint64, d time.Duration) (controller.Sample, error) {
	s.now = s.now.Add(d)
	m := s.moment()
	if s.observe != nil {
		if err := s.observe(m); err != nil {
			return controller.Sample{At: s.now}, err
		}
	}
	t := d.Seconds()
	latency := 0.01 * math.Exp(0.03*m.noise)
	if s.effect != nil {
		latency *= math.Exp(s.effect(m))
	}
	out := controller.Sample{
		At: s.now, Over: d,
		Totals: map[controller.Metric]float64{
			controller.Requests: 100 * t, controller.Completions: 100 * t, controller.Errors: 0, controller.CPUSeconds: 0.4 * t,
			controller.AllocBytes: 100 * t * 30000, catalog.Executions: 100 * t, catalog.FailedExecutions: 0, catalog.ErrorBursts: 0,
			catalog.SchedulerWaitSeconds: 0.01 * t, catalog.TelemetrySeconds: 0.004 * t, catalog.StateCopiedBytes: 0,
		},
		Gauges: map[controller.Metric]float64{
			controller.LatencyP95: latency, controller.LatencyMean: latency / 2, controller.RSSBytes: 100 << 20, controller.MemoryRatio: 100.0 / 300,
			memoryLimit: 300 << 20, heapLive: 60 << 20, goroutines: 40, controller.GCCPURatio: 0.03, hostCPU: 0.5, hostSteal: 0, throttled: 0,
			hostMemory: 0.4, catalog.DuplicateInputRatio: 0.02,
		},
	}
	if s.sample != nil {
		s.sample(m, &out)
	}
	return out, nil
}

// onThenOff turns on what is off, and then asks whether off is better: the least
// policy with which journals do not change when ours get better.
type onThenOff struct{}

func (onThenOff) Propose(v controller.View) (controller.Proposal, bool) {
	for _, move := range []string{controller.MoveOn, controller.MoveOff} {
		for _, o := range v.Offered {
			p := controller.Proposal{Optimization: o.Name, Move: move, Change: map[string]float64{o.Switch: 0}, Why: "is it better off?"}
			if move == controller.MoveOn {
				p.Change, p.Why = map[string]float64{o.Switch: 1}, o.Why
				for name, v := range o.Start {
					p.Change[name] = v
				}
			}
			if v.Safe.On(o.Switch) != (move == controller.MoveOn) && v.Blocked[p.BlockKey()] == "" {
				return p, true
			}
		}
	}
	return controller.Proposal{}, false
}

func (onThenOff) Learn(controller.Trial) {}

// mortal is a process that dies at a time: what it was told last is in the
// journal, what it decided then is not.
type mortal struct {
	*controller.Controller
	at   time.Time // zero: never
	dead bool
}

func (m *mortal) Step(in controller.Input) controller.Command {
	if !m.at.IsZero() && !in.At.Before(m.at) {
		m.dead = true
		return controller.Command{Done: true}
	}
	return m.Controller.Step(in)
}

// play runs the world and returns its journal.
func (w world) play(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "journal")
	s := &service{world: &w, now: dawn, chance: rand.New(rand.NewPCG(1, 2))}
	if w.lasts == 0 {
		w.lasts = 40 * time.Second
	}
	if w.initial == nil {
		w.initial = map[string]float64{}
	}
	if w.knobs == nil {
		w.knobs, w.offered = []controller.Knob{{Name: "fast", Kind: controller.Switch}}, []controller.Optimization{fast()}
	}
	for _, k := range w.knobs {
		if _, ok := w.initial[k.Name]; !ok {
			v, _ := catalog.Default(k.Name)
			w.initial[k.Name] = v
		}
	}
	if w.legs == nil {
		w.legs = []leg{{}}
	}
	for _, l := range w.legs {
		s.set = controller.SettingOf(w.initial).With(l.changed)
		j, err := journal.Open(dir, journal.Options{Now: func() time.Time { return s.now }})
		require.NoError(t, err)
		cfg := controller.Config{
			Space: s.Space(), Offered: w.offered, Goals: w.goals, Policy: onThenOff{}, PolicyName: "on-then-off", Seed: 1,
			Timing: controller.Timing{Washout: -1, Measure: time.Second, Tick: time.Second, MinRequests: -1, BaselineBlocks: 8},
			Budget: controller.Budget{MaxPairs: 20, Until: dawn.Add(w.lasts), ReservedPairs: 7},
			State:  j.State(),
		}
		if cfg.Goals == nil {
			cfg.Goals = []controller.Goal{{Metric: controller.LatencyP95}}
		}
		if w.config != nil {
			w.config(&cfg)
		}
		core, err := controller.New(cfg)
		require.NoError(t, err)
		m := &mortal{Controller: core}
		if l.lasts > 0 {
			m.at = s.now.Add(l.lasts)
		}
		loop := controller.Loop{Record: j, Inputs: true}
		if w.ask != nil {
			loop.Ask = func() controller.Ask { return w.ask(s.moment()) }
		}
		require.NoError(t, controller.Run(context.Background(), s, m, loop))
		require.NoError(t, j.Close())
	}
	return dir
}

func fast() controller.Optimization {
	return controller.Optimization{Name: "fast", Why: "It is faster.", Switch: "fast", Equivalence: controller.Exact}
}

// fieldsOf are knobs of the catalog, and the optimizations that they belong to.
func fieldsOf(switches ...string) (knobs []controller.Knob, offered []controller.Optimization) {
	for _, o := range catalog.Optimizations() {
		for _, name := range switches {
			if o.Switch != name {
				continue
			}
			for _, k := range append([]string{o.Switch}, o.Knobs...) {
				f, _ := catalog.FieldOf(k)
				knobs = append(knobs, f.Knob)
			}
			o.Granted, o.Needs = true, nil
			offered = append(offered, o)
		}
	}
	return knobs, offered
}

var errBroken = errors.New("a pipe is broken")
