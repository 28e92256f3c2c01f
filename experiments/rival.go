package experiments

import (
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"time"

	"autotune/controller"
)

// Layout is how a rule lays out the blocks of a trial.
type Layout int

// BeforeAfter has all blocks of the old setting, then all of the new one.
// Alternating has the old one and the new one in turn, in a fixed order. Coin is
// pairs of one block each, in an order that a fair coin decides.
const (
	BeforeAfter Layout = iota + 1
	Alternating
	Coin
)

// Decision is what a rule says of a change.
type Decision int

// Undecided asks for more blocks; of the last ones it is a revert without a
// reason. Promote keeps the change, RollBack says that it is worse.
const (
	Undecided Decision = iota
	Promote
	RollBack
)

// Rule is how a rival judges a change, from equally long blocks of the old
// setting and of the new one.
type Rule struct {
	// Name is of the origin.
	Name   string
	Layout Layout
	// Blocks of each setting, at most.
	Blocks int
	// Peeks: it decides after each pair of blocks, not only after the last.
	Peeks bool
	// Decide is given the goal's values in blocks of the old and of the new
	// setting, as many of each, in order. Less is better.
	Decide func(old, fresh []float64) Decision
}

// rival is a Stepper that tries what the policy proposes and judges it by a
// rule. It is as naive as the rule's origin: it looks at one goal, watches no
// limits, checks nothing that it set, and takes what reads back for granted. A
// change that was tried is left alone for 16 lengths of its trial, the first
// cool-down of the Controller. Not safe for concurrent use.
type rival struct {
	rule Rule
	p    play
	rng  *rand.Rand
	// sight is what the policy may look at, beside what changes by itself: what was
	// measured of the service, and what may not be tried at all. See sighted.
	sight controller.View
	seen  [2]lately // of the safe setting, and of the new one, if it has sight

	now      time.Time
	safe     controller.Setting
	cool     map[string]time.Time
	trials   int
	trial    *controller.Trial
	policy   controller.Policy
	order    bool          // the coin of this pair: the new setting first
	block    int           // blocks that ended
	long     time.Duration // a block, without its washout
	values   [2][]float64
	washing  bool
	left     time.Duration // of the washout or the block
	sample   controller.Sample
	stopping bool

	cmd controller.Command
}

var _ controller.Stepper = (*rival)(nil)

// RivalConfig is what a rival needs to steer a target.
type RivalConfig struct {
	Space   controller.Space
	Offered []controller.Optimization
	Goal    controller.Goal // the one that it looks at
	Policy  controller.Policy
	Timing  controller.Timing
	Until   time.Time // the end of its session
	Seed    uint64
}

// NewRival returns a stepper that judges by a rule what the policy proposes, on any
// target. The policy is shown no measurements. Not safe for concurrent use.
func NewRival(rule Rule, c RivalConfig) controller.Stepper {
	return newRival(rule, play{
		space: c.Space, offered: c.Offered, goals: []controller.Goal{c.Goal}, timing: c.Timing, until: c.Until, seed: c.Seed,
		policy: func() controller.Policy { return c.Policy },
	})
}

// newRival returns a stepper by the rule.
func newRival(rule Rule, p play) *rival {
	return &rival{
		rule: rule, p: p, policy: p.policy(), cool: map[string]time.Time{},
		rng:   rand.New(rand.NewPCG(p.seed, 11)),
		sight: controller.View{Space: p.space, Offered: p.offered, PairsLeft: -1, Seed: p.seed},
	}
}

// Start looks what is in force.
func (r *rival) Start() controller.Command {
	r.cmd = controller.Command{Epoch: 1, Wait: r.p.timing.Tick}
	return r.cmd
}

// Step takes a tick.
func (r *rival) Step(in controller.Input) controller.Command {
	if !in.At.IsZero() {
		r.now = in.At
	}
	r.cmd.Apply, r.cmd.Records = false, nil
	switch {
	case in.Ask == controller.Stop || in.Ask == controller.StopToInitial || r.p.over(r.now):
		if !r.stopping {
			r.stopping = true
			r.end(controller.Inconclusive, controller.Stopped)
			break
		}
		r.cmd.Done = true
	case r.stopping:
		r.cmd.Done = true
	case r.safe.IsZero():
		r.safe = in.Current
		r.propose()
	case r.trial == nil:
		r.see(0, &in.Sample)
		r.propose()
	case in.ApplyErr != "" || in.ObserveErr != "":
		r.end(controller.Errored, controller.ApplyFailed)
	default:
		r.take(&in)
	}
	return r.cmd
}

// send puts a setting in force, under a new epoch.
func (r *rival) send(s controller.Setting) {
	r.cmd.Epoch++
	r.cmd.Setting, r.cmd.Apply = s, true
}

// propose begins the trial of what the policy proposes, or waits.
func (r *rival) propose() {
	view := r.view()
	p, ok := r.policy.Propose(view)
	for ok && r.sight.Baseline != nil && r.tooRare(&p) { // the Controller tells it as advice
		key := p.BlockKey()
		r.sight.Blocked[key], view.Blocked[key] = "acts too rarely", "acts too rarely"
		p, ok = r.policy.Propose(view)
	}
	if !ok {
		r.cmd.Wait = max(r.p.timing.Tick, time.Second)
		return
	}
	r.trials++
	r.trial = &controller.Trial{
		ID: r.trials, Optimization: p.Optimization, Move: p.Move, Why: p.Why, Change: p.Change, Basis: p.Basis,
		From: r.safe, To: r.safe.With(p.Change), Started: r.now,
	}
	r.block, r.values, r.long = 0, [2][]float64{}, r.blockOf(&p)
	r.seen[1] = lately{}
	r.begin()
}

// view is what the policy may look at now.
func (r *rival) view() controller.View {
	v := r.sight
	v.At, v.Safe, v.Blocked = r.now, r.safe, maps.Clone(r.sight.Blocked)
	if v.Blocked == nil {
		v.Blocked = map[string]string{}
	}
	if v.Baseline != nil {
		v.Baseline = r.seen[0].sample()
	}
	for key, until := range r.cool {
		if until.After(r.now) {
			v.Blocked[key] = "cooling down"
		}
	}
	return v
}

// fresh says whether the block is one of the new setting.
func (r *rival) fresh() bool {
	switch second := r.block%2 == 1; r.rule.Layout {
	case BeforeAfter:
		return r.block >= r.rule.Blocks
	case Coin:
		return second != r.order
	default:
		return second
	}
}

// begin starts the next block.
func (r *rival) begin() {
	if r.block%2 == 0 {
		r.order = r.rng.Uint64()&1 == 1
	}
	s := r.safe
	if r.fresh() {
		s = r.trial.To
	}
	r.send(s)
	r.washing, r.left = r.p.timing.Washout > 0, r.p.timing.Washout
	if !r.washing {
		r.left = r.long
	}
	r.sample.Reset()
	r.cmd.Wait = r.left
}

// take adds a tick to the block.
func (r *rival) take(in *controller.Input) {
	if r.fresh() {
		r.trial.Requests += in.Sample.Totals[controller.Requests]
	}
	r.left -= max(in.Sample.Over, r.cmd.Wait)
	if !r.washing {
		r.sample.Merge(&in.Sample)
	}
	switch {
	case r.left > 0:
	case r.washing:
		r.washing, r.left = false, r.long
		r.cmd.Epoch++
	default:
		r.endBlock()
		return
	}
	r.cmd.Wait = r.left
}

func (r *rival) endBlock() {
	arm := 0
	if r.fresh() {
		arm = 1
	}
	r.see(arm, &r.sample)
	v, ok := r.sample.Value(r.p.goals[0].Metric)
	if !ok || !(v > 0) || math.IsInf(v, 0) {
		r.end(controller.Inconclusive, controller.NoData)
		return
	}
	if r.p.goals[0].Maximize {
		v = 1 / v
	}
	r.values[arm] = append(r.values[arm], v)
	r.block++
	last := r.block == 2*r.rule.Blocks
	pair := r.block%2 == 0 && r.rule.Layout != BeforeAfter
	if pair {
		r.trial.Pairs++
	}
	if !last && !(pair && r.rule.Peeks) {
		r.begin()
		return
	}
	switch r.rule.Decide(r.values[0], r.values[1]) {
	case Promote:
		r.safe = r.trial.To
		r.seen[0] = r.seen[1]
		r.end(controller.Kept, controller.Better)
	case RollBack:
		r.end(controller.Reverted, controller.Worse)
	default:
		if last {
			r.end(controller.Inconclusive, controller.Timeout)
			return
		}
		r.begin()
	}
}

// end gives the trial its verdict and puts the safe setting in force.
func (r *rival) end(o controller.Outcome, why controller.Reason) {
	if t := r.trial; t != nil {
		t.Outcome, t.Reason, t.Ended = o, why, r.now
		t.Detail = fmt.Sprintf("%s, %d blocks", r.rule.Name, r.block)
		if r.rule.Layout == BeforeAfter {
			t.Pairs = r.block / 2
		}
		r.rest(t)
		r.policy.Learn(*t)
		r.cmd.Records = []controller.Record{{At: r.now, Kind: controller.RecordVerdict, Trial: t}}
		r.trial = nil
	}
	r.send(r.safe)
	r.cmd.Wait = r.p.timing.Tick
}

// rest leaves a change that was tried alone for a while, and what was kept its
// way back too.
func (r *rival) rest(t *controller.Trial) {
	until := r.now.Add(16 * t.Ended.Sub(t.Started))
	r.cool[controller.Proposal{Optimization: t.Optimization, Move: t.Move, Change: t.Change}.BlockKey()] = until
	if t.Outcome != controller.Kept {
		return
	}
	back := controller.Proposal{Optimization: t.Optimization, Move: controller.MoveOff, Change: map[string]float64{}}
	for name := range t.Change {
		back.Change[name], _ = t.From.Get(name)
	}
	if t.Move == controller.MoveOff {
		back.Move = controller.MoveOn
	}
	r.cool[back.BlockKey()] = until
}
