package controller_test

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"time"

	. "autotune/controller" //nolint:revive // the tests of a vocabulary read better with it
)

// plant is a service in virtual time, for tests: one gauge, "cost", whose log is
// a drifting level, plus noise a tick, plus what the setting in force adds.
type plant struct {
	space  Space
	rng    *rand.Rand
	now    time.Time
	set    Setting
	effect func(Setting, time.Duration) float64 // log units, at this age of the run
	noise  float64                              // standard deviation a tick
	drift  float64                              // of the level, AR(1), a tick
	phi    float64
	level  float64
	start  time.Time

	extra    map[Metric]float64 // more gauges
	fail     func(s Setting) error
	observed func(s Setting) error
	round    func(Setting) Setting
	deaf     bool // Apply does nothing
	applied  []Setting
	before   func(p *plant) // called before each Observe: an outsider
}

var epochZero = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func newPlant(seed uint64, space Space, initial map[string]float64) *plant {
	return &plant{
		space: space, rng: rand.New(rand.NewPCG(seed, 7)), now: epochZero, start: epochZero, set: SettingOf(initial),
		noise: 0.05, effect: func(Setting, time.Duration) float64 { return 0 },
	}
}

func (p *plant) Space() Space { return p.space }

func (p *plant) Current(context.Context) (Setting, error) { return p.set, nil }

func (p *plant) Apply(_ context.Context, s Setting) error {
	p.applied = append(p.applied, s)
	if p.fail != nil {
		if err := p.fail(s); err != nil {
			return err
		}
	}
	if p.round != nil {
		s = p.round(s)
	}
	if !p.deaf {
		p.set = s
	}
	return nil
}

func (p *plant) Observe(_ context.Context, _ uint64, d time.Duration) (Sample, error) {
	if p.before != nil {
		p.before(p)
	}
	p.now = p.now.Add(d)
	p.level = p.phi*p.level + p.drift*p.rng.NormFloat64()
	y := p.level + p.noise*p.rng.NormFloat64() + p.effect(p.set, p.now.Sub(p.start))
	s := Sample{
		At: p.now, Over: d, Totals: map[Metric]float64{Requests: 1000 * d.Seconds()},
		Gauges: map[Metric]float64{"cost": math.Exp(y)},
	}
	for m, v := range p.extra {
		s.Gauges[m] = v
	}
	if p.observed != nil {
		if err := p.observed(p.set); err != nil {
			return Sample{At: p.now}, err
		}
	}
	return s, nil
}

var errBroken = errors.New("broken")

// switches is a space of switches, each an optimization of its own.
func switches(names ...string) (Space, []Optimization, map[string]float64) {
	var space Space
	var offered []Optimization
	initial := map[string]float64{}
	for _, n := range names {
		space.Knobs = append(space.Knobs, Knob{Name: n, Kind: Switch})
		offered = append(offered, Optimization{Name: n, Why: "test", Switch: n, Equivalence: Exact})
		initial[n] = 0
	}
	return space, offered, initial
}

// eachOnce proposes to turn on each switch, in order, as long as it may.
type eachOnce struct{ tried map[string]bool }

func (e *eachOnce) Propose(v View) (Proposal, bool) {
	for _, o := range v.Offered {
		if !e.tried[o.Name] && v.Blocked[o.Name] == "" && !v.Safe.On(o.Switch) {
			return Proposal{Optimization: o.Name, Move: MoveOn, Change: map[string]float64{o.Switch: 1}, Why: "in order"}, true
		}
	}
	return Proposal{}, false
}

func (e *eachOnce) Learn(t Trial) {
	if e.tried == nil {
		e.tried = map[string]bool{}
	}
	e.tried[t.Optimization] = true
}

// fast is a block of one tick, of a virtual second, after a washout of one.
var fast = Timing{Washout: 100 * time.Millisecond, Measure: time.Second, Tick: time.Second, MinRequests: -1}
