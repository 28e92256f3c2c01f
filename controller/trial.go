package controller

import (
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"

	"autotune/internal/stats"
)

// running is a trial in progress.
type running struct {
	trial    Trial
	goals    []judgedGoal
	pair     int  // from 1
	first    bool // in the first block of the pair
	cFirst   bool // the candidate goes first
	plan     layout
	probing  bool // in the first short look at a risky candidate
	draining bool // the block was measured, and what it put off is being made up for
	to       Setting
	values   [2]map[Metric]float64 // by arm: safe, candidate
	loads    [2]float64            // log of the arrivals a second, by arm
	lastSafe *measurement
	wealth   wealth  // before it paid
	stake    float64 // of an audit: the evidence it started with
}

// judgedGoal is a goal with its thresholds, fixed before the trial, and its pairs.
type judgedGoal struct {
	Goal
	minEffect float64
	tolerance float64
	slope     float64 // of the goal's log on the log of arrivals
	pairs     *stats.Pairs
}

// arm of the block: 0 is the safe setting's, 1 the candidate's.
func (r *running) arm() int {
	if r.first == r.cFirst {
		return 1
	}
	return 0
}

// candidateNow says whether the candidate is in force.
func (r *running) candidateNow() bool { return r.probing || r.arm() == 1 && !r.draining }

// about says what is going on, for people.
func (r *running) about(part string) string {
	return fmt.Sprintf("trial %d, %s %s, pair %d, %s", r.trial.ID, r.trial.Optimization, r.trial.Move, r.pair, part)
}

// maxTrials is how many ended trials the state remembers.
const maxTrials = 64

// beginTrial fixes everything that must be fixed before the first pair.
func (c *Controller) beginTrial(p Proposal, to Setting, most int, why string) {
	t := Trial{
		ID: c.state.NextTrial, Regime: c.state.Regime.Number, Optimization: p.Optimization, Move: p.Move, Why: p.Why, Basis: p.Basis,
		Change: c.state.Safe.Diff(to), From: c.state.Safe, To: to,
		Cap: most, CapWhy: why, Alpha: c.state.alpha(c.cfg.Budget.FDR), Started: c.now,
	}
	if c.cfg.Advise {
		t.Proposal = p.ID()
	}
	c.state.NextTrial++
	r := &running{wealth: c.state.wealth(), trial: t, to: to}
	for _, g := range c.measured.judged() {
		pairs := stats.NewPairs(c.measured.diffs[g.Metric])
		s0 := pairs.Scale0()
		r.goals = append(r.goals, judgedGoal{
			Goal: g, pairs: pairs, slope: c.measured.slopes[g.Metric],
			minEffect: math.Max(orDefault(g.MinEffect), 0.35*s0),
			tolerance: math.Max(0, math.Max(orDefault(g.Tolerance), s0/2)-c.state.Spent[g.Metric]),
		})
	}
	top := r.goals[0]
	r.trial.Planned = int(min(math.Ceil(stats.PlannedPairs(t.Alpha/float64(len(r.goals)), top.pairs.Scale0(), top.minEffect)), math.MaxInt32))
	c.state.spend(c.cfg.Budget.FDR)
	c.launch(r)
}

// launch records a trial and begins its first pair.
func (c *Controller) launch(r *running) {
	r.plan = c.layoutOf(r.trial.Change)
	r.trial.Washout, r.trial.Measure, r.trial.Drain = r.plan.washout, r.plan.measure, r.plan.drain
	r.lastSafe = &measurement{}
	r.lastSafe.init(c.cfg.Goals, c.measured.keep)
	r.lastSafe.slopes = c.measured.slopes
	r.trial.Effects = r.effects()
	c.recent[1].reset()
	c.trial = r
	c.state.Running = &r.trial
	c.record(Record{Kind: RecordTrial, Trial: new(r.trial)})
	c.recordState()
	c.beginPair()
}

func orDefault(x float64) float64 {
	if x == 0 {
		return 0.03
	}
	return x
}

// beginPair draws the coin, records it, and starts the first block. The coin is
// durable before the pair starts, so that nobody, not even a crash, can draw
// again after seeing.
func (c *Controller) beginPair() {
	r := c.trial
	r.pair++
	r.first = true
	r.cFirst = coin(c.cfg.Seed, r.trial.ID, r.pair)
	r.values, r.loads = [2]map[Metric]float64{}, [2]float64{}
	c.record(Record{Kind: RecordCoin, Coin: &Coin{Trial: r.trial.ID, Pair: r.pair, CandidateFirst: r.cFirst}})
	if r.pair == 1 && r.trial.Audit == 0 && c.risky(r.trial.Change) {
		c.beginProbe()
		return
	}
	c.beginBlock()
}

// risky reports whether one of these knobs asks for a first short look.
func (c *Controller) risky(change map[string]float64) bool {
	for name := range change {
		if k, ok := c.cfg.Space.Knob(name); ok && k.Risky {
			return true
		}
	}
	return false
}

// beginProbe puts a risky candidate in force for a quarter of a block. Only the
// guards look: it is no part of any pair, so it can neither help the candidate
// nor be picked by what it shows.
func (c *Controller) beginProbe() {
	r := c.trial
	r.probing = true
	short := r.plan
	short.measure, short.drain, short.minRequests = max(short.measure/4, short.tick), 0, -1
	c.send(r.trial.To)
	c.durable = true
	c.settle(short, r.about("a first short look, candidate"))
}

// settle starts a block.
func (c *Controller) settle(plan layout, why string) {
	c.block.start(plan)
	c.slow.begin(settlingFactor)
	c.wait = c.block.next()
	phase := Settling
	if c.block.washout == 0 {
		phase = Trying
		c.slow.begin(1)
	}
	c.enter(phase, why)
}

// coin is fair, and a pure function of the run's seed and the pair's number.
func coin(seed uint64, trial, pair int) bool {
	rng := rand.NewPCG(seed, uint64(trial)<<32|uint64(pair))
	rng.Uint64()
	return rng.Uint64()&1 == 1
}

func (c *Controller) beginBlock() {
	r := c.trial
	setting, arm := c.state.Safe, "safe"
	if r.candidateNow() {
		setting, arm = r.trial.To, "candidate"
	}
	c.send(setting)
	c.durable = true
	c.settle(r.plan, r.about(arm))
}

func (c *Controller) stepTrial(in *Input) {
	r := c.trial
	if c.inForce.IsZero() && !c.readBack(in) {
		return
	}
	if in.ObserveErr != "" {
		c.endTrial(Errored, ObserveFailed, in.ObserveErr)
		c.beginRestore("after trial, not observed")
		return
	}
	candidate := r.candidateNow()
	if candidate {
		r.trial.Requests += in.Sample.Totals[Requests]
	}
	// In a safe block's washout, and in a drain, the candidate's work may still be about.
	if candidate || c.block.washout == 0 && !r.draining {
		if b := c.breach(&in.Sample); b != "" {
			c.breached(b, candidate)
			return
		}
	}
	if candidate {
		c.slow.take(&in.Sample, max(in.Sample.Over, c.wait))
		if b := c.slow.trips(c.cfg.SlowGuard); b != "" {
			if r.trial.Audit != 0 { // the old value is much slower: that is what an audit asks
				c.lose(Inconclusive, Holds, fmt.Sprintf("the old value is slow: %s", b))
				return
			}
			c.breached(b, candidate)
			return
		}
	} else if c.block.washout == 0 && !r.draining {
		c.slow.takeSafe(&in.Sample, max(in.Sample.Over, c.wait))
	}
	state := c.block.take(&in.Sample, c.wait)
	if state == filling { // a tick may hold too few requests to say anything
		if b := c.breach(&c.block.sample); b != "" {
			c.breached(b+" over the block so far", candidate)
			return
		}
	}
	switch state {
	case washed:
		c.epoch++
		c.slow.begin(1)
		c.enter(Trying, c.why)
	case full:
		if r.plan.drain > 0 && !r.probing {
			c.beginDrain()
			return
		}
		c.endBlock()
		return
	case drained:
		c.endBlock()
		return
	case starved:
		c.endTrial(Inconclusive, NoData, fmt.Sprintf("%v requests in %v, a block needs %d",
			c.block.sample.Totals[Requests], c.block.elapsed, c.cfg.Timing.MinRequests))
		c.beginRestore("too few requests for a trial")
		return
	}
	c.wait = c.block.next()
}

// beginDrain puts the safe setting in force, whichever block it was, until what
// the block put off has come due. It is counted as the block's.
func (c *Controller) beginDrain() {
	r := c.trial
	r.draining = true
	c.send(c.state.Safe)
	c.durable = true
	c.wait = c.block.next()
	c.enter(Settling, r.about("draining"))
}

// readBack takes the first read-back after an apply as what is in force: a
// runtime may round. It reports whether the trial goes on.
func (c *Controller) readBack(in *Input) bool {
	r := c.trial
	fail := func(format string, args ...any) bool {
		c.endTrial(Errored, ApplyFailed, fmt.Sprintf(format, args...))
		c.beginRestore("a setting was not applied")
		return false
	}
	switch {
	case in.ApplyErr != "":
		return fail("%s", in.ApplyErr)
	case in.ReadErr != "":
		return fail("read back: %s", in.ReadErr)
	case !r.candidateNow():
		if !in.Current.Equal(c.want) {
			return fail("the safe setting reads back with %v", c.want.Diff(in.Current))
		}
	default:
		others := c.want.Diff(in.Current)
		maps.DeleteFunc(others, func(name string, _ float64) bool { _, ours := r.trial.Change[name]; return ours })
		if len(others) > 0 {
			c.want, c.inForce = in.Current, in.Current
			c.adopt(others)
			return false
		}
		for _, name := range slices.Sorted(maps.Keys(r.trial.Change)) {
			now, _ := in.Current.Get(name)
			if was, _ := r.trial.From.Get(name); was == now {
				return fail("%s reads back as %v still: the actuator did nothing", name, now)
			}
			knob, _ := c.cfg.Space.Knob(name)
			if low, high := knob.Bounds(); now < low || now > high {
				return fail("%s reads back as %v, outside the limits %v..%v", name, now, low, high)
			}
		}
		r.to = in.Current
	}
	c.inForce = in.Current
	return true
}

// breached acts on a tripped guard at once: the next command restores.
func (c *Controller) breached(what string, candidate bool) {
	if !candidate {
		c.broken(what)
		return
	}
	key := memoryKey(&c.trial.trial)
	if c.trial.trial.Audit != 0 { // the old value broke it, which served before
		key = ""
	}
	c.endTrial(Aborted, GuardTripped, what)
	c.control = key
	c.beginRestore("a guard tripped: " + what)
}

// endBlock takes the block's values, and goes on to the other arm, or judges.
func (c *Controller) endBlock() {
	r := c.trial
	if r.probing {
		r.probing = false
		c.beginBlock()
		return
	}
	r.draining = false
	arm := r.arm()
	if arm == 0 {
		c.slow.endSafe()
		c.keepBaseline()
		r.lastSafe.add(&c.block)
	} else {
		r.lastSafe.gap() // noise is that of neighbors, as a pair's blocks are
		c.recent[1].take(&c.block.sample, c.block.elapsed)
	}
	values := map[Metric]float64{}
	for _, g := range r.goals {
		v, ok := c.block.value(g.Metric)
		if _, ok := logOf(g.Goal, v, ok); !ok {
			c.endTrial(Inconclusive, NoData, fmt.Sprintf("%s was not measured in a block of pair %d", g.Metric, r.pair))
			c.beginRestore("a goal was not measured")
			return
		}
		values[g.Metric] = v
	}
	r.values[arm] = values
	if rate, ok := c.block.load(); ok {
		r.loads[arm] = math.Log(rate)
	}
	if r.first {
		r.first = false
		c.beginBlock()
		return
	}
	c.judge()
}

// endTrial gives the trial its one verdict. Without a trial it does nothing.
func (c *Controller) endTrial(o Outcome, why Reason, detail string) {
	if c.trial == nil {
		return
	}
	t := c.trial.trial
	// The safe blocks of a trial keep the noise fresh.
	for m, diffs := range c.trial.lastSafe.diffs {
		for _, d := range diffs {
			c.measured.append(m, d, math.NaN()) // adjusted already
		}
	}
	if t.Pairs == 0 { // nothing was looked at, so nothing was spent
		c.state.refund(c.trial.wealth)
	}
	c.trial = nil
	c.closeTrial(&t, o, why, detail)
	c.recordState()
}

// before has the values of the changed knobs before the trial: which way it went.
func before(t *Trial) Setting {
	was := make(map[string]float64, len(t.Change))
	for name := range t.Change {
		was[name], _ = t.From.Get(name)
	}
	return SettingOf(was)
}

// latest are the last trials. Nothing that was appended is ever written again, so a
// reader may hold a clipped slice of them (slices.Clip) for as long as it likes: what
// is appended later is beyond its end, and beyond its capacity.
func latest(t []Trial) []Trial { return t[max(0, len(t)-maxTrials):] }

// closeTrial writes the verdict and lets everybody learn from it.
func (c *Controller) closeTrial(t *Trial, o Outcome, why Reason, detail string) {
	t.Outcome, t.Reason, t.Detail, t.Ended = o, why, detail, c.now
	c.state.Running = nil
	c.adviceTried(t)
	if t.Audit == 0 {
		c.remember(t)
		c.cameBack(t)
	} else if c.closeAudit(t); t.Outcome != Kept {
		c.record(Record{Kind: RecordVerdict, Trial: t})
		return // nothing was tried and nothing changed
	}
	c.ended = latest(append(c.ended, *t))
	brief := *t // a snapshot is written often: the verdict has the rest
	brief.Effects, brief.From, brief.To = nil, before(t), Setting{}
	if t.Basis != nil { // who gave one wants to know what came of it
		brief.Shown = t.Intervals()
	}
	c.state.Trials = latest(append(c.state.Trials, brief))
	c.record(Record{Kind: RecordVerdict, Trial: t})
	if c.phase != Starting { // at a start the policy learns all of state.Trials
		c.cfg.Policy.Learn(*t)
	}
}
