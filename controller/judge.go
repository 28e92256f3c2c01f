package controller

import (
	"fmt"
	"math"
	"slices"
)

// The thresholds of the decision rule, as e-values.
const (
	abortAt    = 1 / mostAlpha // the top goal is worse
	shownAt    = 20.0          // a goal is not worse than it may be; an effect is too small
	doubtAt    = 3.0           // evidence of harm that makes one wait
	patience   = 8             // pairs before a trial may be given up as undecidable
	lowerLimit = 0.0953        // log 1.1: how much worse lower goals may be shown
	confidence = 0.05
	mostLogs   = 100.0 // a difference beyond e^100 is taken as that
)

// judge decides after each pair, in this order: worse, better, no effect worth
// having, undecidable, out of pairs. The first that holds ends the trial. (A
// tripped guard comes before all of them and does not wait for a pair to end.)
func (c *Controller) judge() {
	r := c.trial
	for i := range r.goals {
		g := &r.goals[i]
		d := math.Log(r.values[1][g.Metric]) - math.Log(r.values[0][g.Metric])
		if g.Maximize {
			d = -d
		}
		d -= g.slope * (r.loads[1] - r.loads[0])
		d = min(max(d, -mostLogs), mostLogs) // so that a change is a finite number
		if err := g.pairs.Add(d); err != nil {
			c.endTrial(Inconclusive, NoData, fmt.Sprintf("%s: %v", g.Metric, err))
			c.beginRestore("a goal was not measured")
			return
		}
	}
	r.trial.Pairs = r.pair
	r.trial.Effects = r.effects()
	pair := &Pair{
		Trial: r.trial.ID, Pair: r.pair, Safe: r.values[0], Candidate: r.values[1], Effects: slices.Clone(r.trial.Effects),
	}
	if slices.ContainsFunc(r.goals, func(g judgedGoal) bool { return g.slope != 0 }) {
		pair.SafeLoad, pair.CandidateLoad = math.Exp(r.loads[0]), math.Exp(r.loads[1])
	}
	c.record(Record{Kind: RecordPair, Pair: pair})

	if r.trial.Audit != 0 {
		c.judgeAudit()
		return
	}
	left := r.trial.Cap - r.pair
	if inTime := c.pairsLeft(r.trial.Change); inTime >= 0 {
		left = min(left, inTime)
	}
	top := r.trial.Effects[0]
	better := r.firstBetter()
	switch {
	case top.Worse >= abortAt:
		c.lose(Reverted, Worse, fmt.Sprintf("%s is worse: e-value %.3g reached %.0f", top.Metric, top.Worse, abortAt))
	case better >= 0:
		c.keep(better)
	case top.Worse < doubtAt && r.futile():
		c.lose(Inconclusive, NoEffect, "no goal changes by as much as is worth having")
	case left > 0 && r.pair >= patience && top.Worse < doubtAt && r.hopeless(left):
		c.lose(Inconclusive, Undecidable, fmt.Sprintf("%d more pairs would not decide it", left))
	case left <= 0:
		c.lose(Inconclusive, Timeout, fmt.Sprintf("not decided in %d pairs", r.pair))
	default:
		c.beginPair()
	}
}

// effects is what is known of each goal, by rank.
func (r *running) effects() []Effect {
	if r.trial.Audit != 0 {
		return r.auditEffects()
	}
	out := make([]Effect, len(r.goals))
	share := float64(len(r.goals)) / r.trial.Alpha
	for i, g := range r.goals {
		e := effectOf(g.Goal, g.pairs)
		e.BetterAt = share
		if i == 0 { // lower goals never end a trial as worse
			e.WorseAt = abortAt
		}
		e.Futile, e.FutileAt = g.pairs.E(-g.minEffect, above), shownAt
		e.MinEffect, e.Tolerance, e.LoadSlope = g.minEffect, g.tolerance, g.slope
		out[i] = e
	}
	return out
}

// firstBetter returns the rank of the first goal that is shown better, with
// every goal above it shown not worse than its tolerance and none below it
// shown worse by more than a tenth; or -1.
func (r *running) firstBetter() int {
	for i, e := range r.trial.Effects {
		if e.Better < e.BetterAt {
			continue
		}
		ok := true
		for h, g := range r.goals {
			switch {
			case h < i:
				ok = ok && g.pairs.E(g.tolerance, below) >= shownAt && r.trial.Effects[h].Worse < doubtAt
			case h > i:
				ok = ok && g.pairs.E(lowerLimit, above) < shownAt
			}
		}
		if ok {
			return i
		}
	}
	return -1
}

// futile: on every goal the effect is shown to be smaller than worth having.
func (r *running) futile() bool {
	for _, e := range r.trial.Effects {
		if e.Futile < e.FutileAt {
			return false
		}
	}
	return true
}

// hopeless: on no goal could the pairs left reach a keep, even if the effect
// were one worth having and luck were good.
func (r *running) hopeless(left int) bool {
	for i, g := range r.goals {
		if g.pairs.Hope(g.minEffect, max(left, 0)) >= math.Log(r.trial.Effects[i].BetterAt) {
			return false
		}
	}
	return true
}

// spent is what a keep for the goal of that rank takes from the tolerances. Of
// a goal above, it is the least effect that its pairs do not speak for being
// reached: never more than the tolerance that was shown, and more than their
// median, which is low at a keep because a keep waits for it to be. By medians a
// dozen keeps, each 2 % worse at a tolerance of 6 %, add up to 9 % on average, by
// this to 5 %; it costs half of the keeps that are no worse at all.
func (r *running) spent(rank int) map[Metric]float64 {
	out := map[Metric]float64{}
	for i, g := range r.goals {
		lost := g.pairs.Median()
		if i < rank {
			lost = g.pairs.AtMost(1)
		}
		out[g.Metric] = math.Max(0, lost)
	}
	return out
}

// keep makes the candidate, as it read back, the safe setting.
func (c *Controller) keep(rank int) {
	r := c.trial
	c.state.Safe, c.recent[0] = r.to, c.recent[1]
	c.state.earn(c.cfg.Budget.FDR)
	for m, spent := range r.spent(rank) {
		c.state.Spent[m] += spent
	}
	e := r.trial.Effects[rank]
	detail := fmt.Sprintf("%s %+.0f%% (%+.0f%% to %+.0f%%)", e.Metric, 100*e.Change, 100*e.Low, 100*e.High)
	for _, above := range r.trial.Effects[:rank] {
		detail += fmt.Sprintf(", %s not worse than %.0f%%", above.Metric, 100*above.Tolerance)
	}
	c.watchKeep(r, rank)
	c.watch.expectAnew()
	c.endTrial(Kept, Better, detail)
	c.beginRestore("the setting just kept")
}

// lose withdraws the candidate.
func (c *Controller) lose(o Outcome, why Reason, detail string) {
	c.endTrial(o, why, detail)
	c.beginRestore("the trial ended: " + why.String())
}
