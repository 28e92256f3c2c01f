package controller

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"autotune/internal/stats"
)

// Audits: what was kept is doubted for as long as it is in force, since a keep
// may have been false, and a true one may turn bad. At 4, 8, 16 ... 512 block
// lengths after the keep, then every 512, the old values of the changed knobs
// get two pairs, in the order of a fair coin, as a trial's candidate does. The
// evidence that old is better is an e-value that is carried from audit to audit
// and starts each at 1 at least: E <- max(E, 1), an e-detector (Shin, Ramdas and
// Rinaldo 2022). What the pairs of a good year showed therefore does not have to
// be undone before a change that turned bad is noticed. Each audit adds at most
// 1 to the mean of E, so at 100 the rate of false rollbacks is at most 1 % an
// audit; it errs to the side of keeping. While E says a little for the old
// values the audit goes on.
//
// A keep rests on one goal shown better and on those ranked above it shown not
// worse than their tolerance, so its audit doubts just that: old is better on
// the goal it was kept for (θ0 = 0), or better than the tolerance allows on one
// above. The e-values of the goals are averaged, and an average of e-values is
// an e-value, however the goals depend on each other.
const (
	firstAudit      = 4   // block lengths after the keep
	lastAudit       = 512 // where doubling ends
	leastAuditPairs = 2
	mostAuditPairs  = 30
	rollBackAt      = 100.0
	// goOnAt is the evidence at which an audit goes on. At 1.5 a harm of 10 %
	// under pair noise 0.15 takes half an audit longer to find than at 1.2, for
	// 0.4 pairs an audit less.
	goOnAt = 1.2
)

// Keep is a kept change that is in force and audited from time to time.
type Keep struct {
	// Trial that kept it; Optimization and Move as tried.
	Trial        int    `json:"trial"`
	Optimization string `json:"optimization"`
	Move         string `json:"move"`
	// Key of Memory that the change is remembered under.
	Key string `json:"key"`
	// Was and Is have the values of its knobs before and since. A knob that was
	// moved again belongs to the later keep alone.
	Was map[string]float64 `json:"was"`
	Is  map[string]float64 `json:"is"`
	// For is the goal it was shown better on; Above has the goals ranked above
	// it, each with the tolerance that it was shown to respect, log units.
	For   Metric             `json:"for"`
	Above map[Metric]float64 `json:"above,omitempty"`
	// Spent is what it took from the tolerances of the session, log units.
	Spent map[Metric]float64 `json:"spent,omitempty"`
	// Proposal of advise mode that was approved, by its id.
	Proposal string `json:"proposal,omitempty"`
	// Since when it is kept, and when its next audit is due.
	Since time.Time `json:"since"`
	Due   time.Time `json:"due"`
	// Audits that ended, and the e-value that old is better after the last one.
	Audits   int     `json:"audits,omitempty"`
	Evidence float64 `json:"evidence,omitempty"`
}

// AuditStatus is how the audits of a kept change stand.
type AuditStatus struct {
	// Trial that kept it, and its optimization and move.
	Trial        int    `json:"trial"`
	Optimization string `json:"optimization"`
	Move         string `json:"move"`
	// Done audits, the e-value that the old values are better, of 100 that roll
	// back, and when the next one is due.
	Done     int       `json:"done"`
	Evidence float64   `json:"evidence"`
	Due      time.Time `json:"due"`
}

// next is the first moment of the ladder after t, the start of the last audit.
// Those missed before it are not made up for.
func (k *Keep) next(t time.Time, length time.Duration) time.Time {
	age := t.Sub(k.Since)
	for n := time.Duration(firstAudit); n <= lastAudit; n *= 2 {
		if n*length > age {
			return k.Since.Add(n * length)
		}
	}
	whole := lastAudit * length
	return k.Since.Add((age/whole + 1) * whole)
}

// blockLength is how long a block in which these knobs differ takes.
func (c *Controller) blockLength(change map[string]float64) time.Duration {
	return c.layoutOf(change).pair() / 2
}

// watchKeep begins to audit what the trial is about to keep for a goal.
func (c *Controller) watchKeep(r *running, rank int) {
	c.pruneKeeps() // a knob moved again belongs to this keep now
	t := &r.trial
	k := Keep{
		Trial: t.ID, Optimization: t.Optimization, Move: t.Move, Key: memoryKey(t), Was: before(t).Map(), Is: map[string]float64{},
		For: r.goals[rank].Metric, Above: map[Metric]float64{}, Spent: r.spent(rank), Since: c.now, Proposal: t.Proposal,
	}
	for name := range t.Change {
		k.Is[name], _ = r.to.Get(name)
	}
	for i, g := range r.goals {
		if i < rank {
			k.Above[g.Metric] = g.tolerance
		}
	}
	k.Due = k.next(c.now, c.blockLength(t.Change))
	c.state.Keeps = append(c.state.Keeps, k)
}

// pruneKeeps drops what is not in force any more, what is the operator's own
// now, and numbers of a switch that is off.
func (c *Controller) pruneKeeps() {
	c.state.Keeps = slices.DeleteFunc(c.state.Keeps, func(k Keep) bool {
		maps.DeleteFunc(k.Was, func(name string, _ float64) bool {
			knob, _ := c.cfg.Space.Knob(name)
			now, known := c.state.Safe.Get(name)
			return !known || now != k.Is[name] || c.pinned(name) || knob.Needs != "" && !c.state.Safe.On(knob.Needs)
		})
		return len(k.Was) == 0
	})
}

// disown leaves knobs that somebody outside moved to them.
func (c *Controller) disown(changed map[string]float64) {
	for _, k := range c.state.Keeps {
		for name := range changed {
			delete(k.Was, name)
		}
	}
	c.pruneKeeps()
}

// undone is the trial that goes back to what was before a keep, or why there is none.
func (c *Controller) undone(k *Keep) (Trial, string) {
	o, ok := c.offered(k.Optimization)
	if !ok {
		return Trial{}, "not offered"
	}
	if why := c.unsuited(o); why != "" {
		return Trial{}, why
	}
	if why := c.anyPinned(k.Was); why != "" {
		return Trial{}, why
	}
	to := c.state.Safe.With(k.Was)
	t := Trial{
		Audit: k.Trial, Optimization: k.Optimization, Change: c.state.Safe.Diff(to), From: c.state.Safe, To: to,
		Why: fmt.Sprintf("does what trial %d kept still pay?", k.Trial),
	}
	// Its values were in force before, so a move may be as large as it was; but
	// limits hold, and what is in quarantine stays there.
	if c.unusable(t.Change) {
		return Trial{}, "outside the limits in force now"
	}
	t.Move = c.moveOf(o, &t)
	return t, c.state.Memory[memoryKey(&t)].Quarantined
}

// latestKeep is the latest of the keeps that may be and can be undone; or -1.
func (c *Controller) latestKeep(may func(*Keep) bool) int {
	at := -1
	for i := range c.state.Keeps {
		k := &c.state.Keeps[i]
		if !may(k) || at >= 0 && k.Since.Before(c.state.Keeps[at].Since) {
			continue
		}
		if _, why := c.undone(k); why == "" {
			at = i
		}
	}
	return at
}

// moveOf names a move: of the switch where it moves, else of the numbers.
func (c *Controller) moveOf(o Optimization, t *Trial) string {
	if v, ok := t.Change[o.Switch]; ok {
		return map[bool]string{true: MoveOn, false: MoveOff}[v != 0]
	}
	text := ""
	for _, name := range slices.Sorted(maps.Keys(t.Change)) {
		was, _ := t.From.Get(name)
		text += fmt.Sprintf(", %s %v -> %v", name, was, t.Change[name])
	}
	return text[len(", "):]
}

// audit begins the audit that is due longest, if there is one and time for it:
// what the optimizations untried are owed is not touched. Between audits there
// is a rest, so that a restart, or an alert, which makes many due, does not lead
// to a burst.
func (c *Controller) audit() bool {
	if c.now.Before(c.auditRest) {
		return false
	}
	var due *Keep
	var trial Trial
	for i := range c.state.Keeps {
		k := &c.state.Keeps[i]
		if k.Due.After(c.now) || due != nil && !c.auditBefore(k, due) {
			continue
		}
		if t, why := c.undone(k); why == "" {
			due, trial = k, t
		}
	}
	if due == nil {
		return false
	}
	trial.Cap, trial.CapWhy = c.mostAuditPairs(trial.Change)
	return trial.Cap >= leastAuditPairs && c.beginAudit(due, trial)
}

func (c *Controller) mostAuditPairs(change map[string]float64) (int, string) {
	if c.cfg.Budget.Until.IsZero() {
		return mostAuditPairs, ""
	}
	others, owed := c.owedTime("", c.blocked())
	left := c.cfg.Budget.Until.Sub(c.now)
	pair := c.layoutOf(change).pair()
	return min(mostAuditPairs, int((left-owed)/pair)), fmt.Sprintf("min(%d, (%v left - %d x %d pairs for optimizations untried) / %v a pair)",
		mostAuditPairs, left.Round(time.Second), c.reserved(), others, pair)
}

// beginAudit begins the trial of the old values on the goals that the keep
// rests on. It pays no wealth: nothing new can be kept by it.
func (c *Controller) beginAudit(k *Keep, t Trial) bool {
	r := &running{wealth: c.state.wealth(), stake: math.Max(k.Evidence, 1), to: t.To}
	for _, g := range c.measured.judged() {
		tolerance, isAbove := k.Above[g.Metric]
		if isAbove || g.Metric == k.For {
			r.goals = append(r.goals, judgedGoal{
				Goal: g, pairs: stats.NewPairs(c.measured.diffs[g.Metric]), slope: c.measured.slopes[g.Metric], tolerance: tolerance,
			})
		}
	}
	if len(r.goals) == 0 {
		return false
	}
	t.ID, t.Regime, t.Started, t.Alpha, t.Evidence = c.state.NextTrial, c.state.Regime.Number, c.now, 1/rollBackAt, r.stake
	c.state.NextTrial++
	r.trial = t
	c.launch(r)
	return true
}

// auditEffects is what is known of each goal of an audit: how much the old
// values change it, and the evidence that they are better by more than the
// tolerance.
func (r *running) auditEffects() []Effect {
	out := make([]Effect, len(r.goals))
	for i, g := range r.goals {
		e := effectOf(g.Goal, g.pairs)
		e.Better, e.BetterAt = g.pairs.E(-g.tolerance, below), float64(len(r.goals))*rollBackAt
		e.Tolerance = g.tolerance
		out[i] = e
	}
	return out
}

// judgeAudit decides after a pair of an audit.
func (c *Controller) judgeAudit() {
	r := c.trial
	t := &r.trial
	sum, best := 0.0, 0
	for i, e := range t.Effects {
		sum += e.Better
		if e.Better > t.Effects[best].Better {
			best = i
		}
	}
	t.Evidence = r.stake * sum / float64(len(t.Effects))
	// Going back must not cost a goal that ranks above the one it gains on.
	costs := slices.IndexFunc(t.Effects[:best], func(e Effect) bool { return e.Worse >= doubtAt })
	switch {
	case t.Evidence >= rollBackAt && costs >= 0:
		t.Evidence = 0
		c.lose(Inconclusive, Holds, fmt.Sprintf("%s would be better without what trial %d kept, and %s worse", t.Effects[best].Metric, t.Audit, t.Effects[costs].Metric))
	case t.Evidence >= rollBackAt:
		e := t.Effects[best]
		c.rollBack(fmt.Sprintf("what trial %d kept is worse than what was before: %s %+.0f%% (%+.0f%% to %+.0f%%) without it, e-value %.3g reached %.0f",
			t.Audit, e.Metric, 100*e.Change, 100*e.Low, 100*e.High, t.Evidence, rollBackAt))
	case t.Evidence < goOnAt && r.pair >= leastAuditPairs:
		c.lose(Inconclusive, Holds, fmt.Sprintf("nothing speaks against what trial %d kept: e-value %.3g", t.Audit, t.Evidence))
	case r.pair >= t.Cap:
		c.lose(Inconclusive, Timeout, fmt.Sprintf("e-value %.3g of %.0f after %d pairs: carried to the next audit", t.Evidence, rollBackAt, r.pair))
	default:
		c.beginPair()
	}
}

// rollBack makes the old values, as they read back, safe again.
func (c *Controller) rollBack(detail string) {
	c.state.Safe, c.recent[0] = c.trial.to, c.recent[1]
	c.endTrial(Kept, Better, detail)
	c.watch.expectAnew()
	c.beginRestore("rolled back")
}

// closeAudit takes down how an audit ended. A limit that broke, or the end of
// the process, says nothing against what is kept: the old value was in force.
// Nor is it held against the old value, which served before; but it is left
// alone for long.
func (c *Controller) closeAudit(t *Trial) {
	length := c.blockLength(t.Change)
	c.auditRest = c.now.Add(firstAudit * length)
	i := slices.IndexFunc(c.state.Keeps, func(k Keep) bool { return k.Trial == t.Audit })
	if i < 0 {
		return
	}
	k := &c.state.Keeps[i]
	k.Evidence = math.Min(t.Evidence, rollBackAt)
	switch {
	case t.Outcome == Kept:
		m := c.state.Memory[k.Key]
		m.fail(t.Ended, max(t.Ended.Sub(t.Started), patience*2*length))
		m.TakenBack = false
		c.state.Memory[k.Key] = m
		c.giveUp(i)
	case t.Outcome == Aborted:
		k.Audits++
		k.Evidence, k.Due = 0, c.now.Add(lastAudit*length)
	case t.Interrupted():
		k.Due = c.auditRest
	default:
		k.Audits++
		k.Due = k.next(t.Started, length)
	}
}

// giveUp drops a keep that is not in force any more, and gives back what it
// took from the tolerances.
func (c *Controller) giveUp(i int) {
	c.giveBack(&c.state.Keeps[i])
	c.state.Keeps = slices.Delete(c.state.Keeps, i, i+1)
	c.pruneKeeps()
}

func (c *Controller) giveBack(k *Keep) {
	for m, spent := range k.Spent {
		c.state.Spent[m] = math.Max(0, c.state.Spent[m]-spent)
	}
}

func (c *Controller) auditStatus() []AuditStatus {
	out := make([]AuditStatus, len(c.state.Keeps))
	for i, k := range c.state.Keeps {
		out[i] = AuditStatus{Trial: k.Trial, Optimization: k.Optimization, Move: k.Move, Done: k.Audits, Evidence: k.Evidence, Due: k.Due}
	}
	return out
}

// cloneKeeps copies them with the values that pruneKeeps deletes from.
func cloneKeeps(keeps []Keep) []Keep {
	out := slices.Clone(keeps)
	for i := range out {
		out[i].Was = maps.Clone(out[i].Was)
	}
	return out
}
