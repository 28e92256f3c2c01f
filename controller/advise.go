package controller

import (
	"cmp"
	"errors"
	"fmt"
	"hash/fnv"
	"maps"
	"slices"
	"strings"
	"time"
)

// Advise mode: what would be tried is said, and nothing is changed that was not
// approved. An approval means: this one change may be tried as any other is, as a
// randomized experiment with all guards, kept if it is shown better, audited, and
// taken back if it turns bad. It is used up by the trial, unless that was
// interrupted. It is no order: what cannot be tried now waits, and what is not
// shown better is not kept. Who wants a value without evidence pins it.
//
// A restart in advise mode puts back what was kept by approval and what is pinned,
// and nothing else.

// Advice is a proposal of advise mode, and what the operator said to it.
type Advice struct {
	// ID is the same for the same proposal, after a restart too: see Proposal.ID.
	ID           string `json:"id"`
	Optimization string `json:"optimization"`
	Move         string `json:"move"`
	Why          string `json:"why"`
	// Change has the knobs that would change, with their new values. The exact
	// setting is the safe one with them.
	Change map[string]float64 `json:"change"`
	// Basis is what a policy that measures what there is to gain rests it on.
	Basis *Basis `json:"basis,omitempty"`
	// Seen is what was measured of the safe setting when it was proposed: the goals,
	// and what the optimization cannot be judged without.
	Seen map[Metric]float64 `json:"seen,omitempty"`
	// At which it was proposed first, of the latest stretch in which it was.
	At time.Time `json:"at"`
	// Said is WishApprove or WishDecline, or 0, and who said so, why and when.
	Said   WishKind  `json:"said,omitempty"`
	By     Operator  `json:"by,omitzero"`
	SaidAt time.Time `json:"said_at,omitzero"`
	// Waits says why what is approved is not tried yet; empty: it is next.
	Waits string `json:"waits,omitempty"`
}

func (a *Advice) proposal() Proposal {
	return Proposal{Optimization: a.Optimization, Move: a.Move, Why: a.Why, Change: a.Change, Basis: a.Basis}
}

// ID names a proposal by what would be done: 12 hexadecimal digits of a hash of
// optimization, move and change.
func (p Proposal) ID() string {
	h := fnv.New64a()
	fmt.Fprintf(h, "%q %q", p.Optimization, p.Move)
	for _, name := range slices.Sorted(maps.Keys(p.Change)) {
		fmt.Fprintf(h, " %q=%v", name, p.Change[name])
	}
	return fmt.Sprintf("%012x", h.Sum64()>>16)
}

// listFor is how long a list of proposals stands while nothing happens that may
// change it: load does.
const listFor = time.Hour

// advise says what would be tried and why, tries what was approved, and changes
// nothing else.
func (c *Controller) advise() {
	if !c.listed || !c.now.Before(c.listUntil) {
		c.listed, c.listUntil = true, c.now.Add(listFor)
		c.list()
	}
	if c.audit() || c.tryApproved() {
		return
	}
	look := time.Minute
	if len(c.state.Keeps) > 0 || slices.ContainsFunc(c.state.Wishes.Proposals, func(a Advice) bool { return a.Said == WishApprove }) {
		look = 2 * c.cfg.Timing.Measure
	}
	c.idle("advice only: nothing is changed", look)
}

// list asks the policy for all that it would try. What the operator said
// something to stays in the list.
func (c *Controller) list() {
	view := c.view()
	c.lookOut(view)
	old := c.state.Wishes.Proposals
	var now []Advice
	for _, a := range old {
		if a.Said != 0 {
			now = append(now, a)
			view.Blocked[a.proposal().BlockKey()] = "said already: " + a.Said.String()
		}
	}
	changed := false
	for range 4*len(c.cfg.Offered) + 8 {
		p, ok := c.cfg.Policy.Propose(view)
		if !ok || view.Blocked[p.BlockKey()] != "" {
			c.tellSkipped(view)
			break
		}
		to, err := c.candidate(p, view)
		view.Blocked[p.BlockKey()] = "advised already"
		if err != nil {
			c.wouldRefuse(p, err)
			continue
		}
		id := p.ID()
		if i := slices.IndexFunc(old, func(a Advice) bool { return a.ID == id && a.Said == 0 }); i >= 0 {
			now = append(now, old[i])
			continue
		}
		changed = true
		now = append(now, Advice{
			ID: id, Optimization: p.Optimization, Move: p.Move, Why: p.Why, Basis: p.Basis, Change: maps.Clone(p.Change), At: c.now, Seen: c.seenOf(p.Optimization),
		})
		c.record(Record{Kind: RecordAdvice, Trial: &Trial{
			Proposal: id, Optimization: p.Optimization, Move: p.Move, Why: p.Why, Basis: p.Basis, Change: p.Change, From: view.Safe, To: to,
		}})
	}
	if !c.adviceOut {
		c.adviceOut = true
		for _, o := range c.cfg.Offered {
			if why := c.unfit(o); why != "" {
				c.note("would not try %s: %s", o.Name, why)
			}
		}
	}
	c.state.Wishes.Proposals = now
	if changed || len(now) != len(old) {
		c.recordState()
	}
}

// wouldRefuse says, once a session, what could not be tried.
func (c *Controller) wouldRefuse(p Proposal, err error) {
	if c.adviceOut {
		return
	}
	if rare := (tooRareError{}); errors.As(err, &rare) {
		c.note("advised, never tried: %s %s (%s): %s", p.Optimization, p.Move, p.Why, rare.why)
		return
	}
	c.note("would refuse %s %s: %v", p.Optimization, p.Move, err)
}

// seenOf is what was measured of the safe setting that speaks of an optimization.
func (c *Controller) seenOf(optimization string) map[Metric]float64 {
	seen := map[Metric]float64{}
	sample := c.recent[0].sample()
	if sample == nil {
		return nil
	}
	take := func(m Metric) {
		if v, ok := sample.Value(m); ok && finite(v) {
			seen[m] = v
		}
	}
	for _, g := range c.cfg.Goals {
		take(g.Metric)
	}
	o, _ := c.offered(optimization)
	for _, m := range o.Needs {
		take(m)
	}
	return seen
}

// tryApproved begins the trial of what was approved first and can be tried now.
func (c *Controller) tryApproved() bool {
	list := c.state.Wishes.Proposals
	var approved []int
	for i := range list {
		if list[i].Said == WishApprove {
			approved = append(approved, i)
		}
	}
	slices.SortFunc(approved, func(a, b int) int {
		return cmp.Or(list[a].SaidAt.Compare(list[b].SaidAt), cmp.Compare(list[a].ID, list[b].ID))
	})
	for _, i := range approved {
		view := c.view()
		p := list[i].proposal()
		to, err := c.candidate(p, view)
		if err == nil {
			most, why := c.mostPairs(p, view)
			if most >= 1 && (most >= c.leastPairs() || c.owed(p, view)) {
				list[i].Waits = ""
				c.beginTrial(p, to, most, why)
				return true
			}
			err = errors.New("too little time is left for it")
		}
		if list[i].Waits != err.Error() {
			list[i].Waits = err.Error()
			c.note("approved, and waits: %s %s (%s): %v", p.Optimization, p.Move, list[i].ID, err)
		}
	}
	return false
}

// adviceTried takes a proposal off the list whose trial has ended: the approval is
// used up, unless the trial said nothing.
func (c *Controller) adviceTried(t *Trial) {
	if t.Proposal == "" || t.Interrupted() {
		return
	}
	c.listed = false
	c.state.Wishes.Proposals = slices.DeleteFunc(slices.Clone(c.state.Wishes.Proposals), func(a Advice) bool { return a.ID == t.Proposal })
}

// blockDeclined says of what the operator declined that it may not be tried.
func (c *Controller) blockDeclined(blocked map[string]string) {
	for i := range c.state.Wishes.Proposals {
		if a := &c.state.Wishes.Proposals[i]; a.Said == WishDecline {
			blocked[a.proposal().BlockKey()] = "declined " + a.By.String()
		}
	}
}

func (c *Controller) considerProposal(w Wish) (string, func() bool, error) {
	list := c.state.Wishes.Proposals
	i := slices.IndexFunc(list, func(a Advice) bool { return a.ID == w.Proposal })
	switch {
	case w.Kind == WishApprove && !c.cfg.Advise:
		return "", nil, fmt.Errorf("approve %q: must be in advise mode: otherwise nothing waits for approval", w.Proposal)
	case i < 0 && len(list) == 0:
		return "", nil, fmt.Errorf("%v %q: must be the id of a proposal: there is none now", w.Kind, w.Proposal)
	case i < 0:
		ids := make([]string, len(list))
		for i := range list {
			ids[i] = fmt.Sprintf("%s (%s %s)", list[i].ID, list[i].Optimization, list[i].Move)
		}
		return "", nil, fmt.Errorf("%v %q: must be the id of a proposal: %s", w.Kind, w.Proposal, strings.Join(ids, ", "))
	}
	a := &list[i]
	then := map[WishKind]string{
		WishApprove: "may be tried as an experiment, and kept on evidence",
		WishDecline: "not tried until it is reopened or approved",
		WishReopen:  "as if nothing had been said to it",
	}[w.Kind]
	return fmt.Sprintf("%s %s: %s", a.Optimization, a.Move, then), func() bool {
		a.Said, a.By, a.SaidAt, a.Waits = w.Kind, w.By, c.now, ""
		if w.Kind == WishReopen {
			a.Said, a.By, a.SaidAt = 0, Operator{}, time.Time{}
		}
		c.listed = false
		if t := c.trial; t != nil && t.trial.Proposal == w.Proposal && w.Kind != WishApprove {
			why := w.Kind.String() + " " + w.By.String()
			c.endTrial(Inconclusive, Stopped, why)
			c.beginRestore(why)
			return true
		}
		return c.lookAgain()
	}, nil
}

// onlyApproved leaves of what an earlier run kept what was kept by approval.
func (c *Controller) onlyApproved(kept map[string]float64) {
	c.state.Keeps = slices.DeleteFunc(c.state.Keeps, func(k Keep) bool { return k.Proposal == "" })
	var left []string
	for _, name := range slices.Sorted(maps.Keys(kept)) {
		if !slices.ContainsFunc(c.state.Keeps, func(k Keep) bool { _, ok := k.Was[name]; return ok }) && c.pinnedBy(name) == "" {
			left = append(left, fmt.Sprintf("%s=%v", name, kept[name]))
			delete(kept, name)
		}
	}
	if len(left) > 0 {
		c.note("advice only: what was kept without approval is not put back: %s", strings.Join(left, " "))
	}
}
