package controller

import (
	"fmt"
	"maps"
	"slices"
	"time"
)

// Status is what people may want to know of a controller: a copy, safe to keep.
type Status struct {
	At    time.Time `json:"at"`
	Phase Phase     `json:"phase"`
	Why   string    `json:"why,omitempty"`
	// Initial, Safe and InForce settings; InForce is zero while not read back.
	Initial Setting `json:"initial"`
	Safe    Setting `json:"safe"`
	InForce Setting `json:"in_force"`
	// Trial in progress, with its effects so far; nil if there is none.
	Trial *Trial `json:"trial,omitempty"`
	// Ended trials of this session, oldest first. Of audits only those that rolled back.
	Ended []Trial `json:"ended,omitempty"`
	// PausedBy says who paused it, why and when; nil: no operator did.
	PausedBy *Hold `json:"paused_by,omitempty"`
	// Advice of advise mode: what would be tried, and what the operator said to it.
	Advice []Advice `json:"advice,omitempty"`
	// Pins by the name of the knob or the optimization: who holds what, and why.
	Pins map[string]Pin `json:"pins,omitempty"`
	// Blocked candidates, knobs whose value no trial may leave, and what the policy sees
	// no reason to try, with the reason.
	Blocked map[string]string `json:"blocked,omitempty"`
	// Outlook is what the policy made of the service when it was last asked; nil: it
	// was not, or does not say.
	Outlook *Outlook `json:"outlook,omitempty"`
	// Measured baseline blocks out of how many, while Measuring.
	Measured   int `json:"measured"`
	MeasuredOf int `json:"measured_of"`
	// PairsLeft before the session ends; -1 for no limit.
	PairsLeft int `json:"pairs_left"`
	// Audits of what is kept, oldest keep first.
	Audits []AuditStatus `json:"audits,omitempty"`
	Wealth float64       `json:"wealth"`
}

// Revision changes whenever Status may have changed by more than its time.
func (c *Controller) Revision() uint64 { return c.revision }

// Status returns what people may want to know.
func (c *Controller) Status() Status {
	s := Status{
		At: c.now, Phase: c.phase, Why: c.why, Initial: c.state.Initial, Safe: c.state.Safe, InForce: c.inForce,
		Ended: slices.Clone(c.ended), Blocked: c.blocked(), Measured: c.timesMeasured(),
		MeasuredOf: c.cfg.Timing.BaselineBlocks - 1, PairsLeft: c.pairsLeft(nil), Wealth: c.state.Wealth,
		Audits: c.auditStatus(), Outlook: c.outlook,
	}
	for _, others := range []map[string]string{c.stuck(), c.unwanted} {
		for name, why := range others {
			if s.Blocked[name] == "" {
				s.Blocked[name] = why
			}
		}
	}
	if b := &c.block; c.phase == Measuring && b.washout == 0 && b.elapsed >= b.plan.measure {
		s.Why = fmt.Sprintf("waiting for requests: %.0f of %d in %v; %s", b.sample.Totals[Requests], b.plan.minRequests, b.elapsed.Round(time.Second), c.why)
	}
	wishes := c.state.Wishes.clone()
	s.PausedBy, s.Advice, s.Pins = wishes.Paused, wishes.Proposals, wishes.Pins
	maps.DeleteFunc(s.Blocked, func(_, why string) bool { return why == "" })
	if c.trial != nil {
		t := c.trial.trial
		t.Effects = slices.Clone(t.Effects)
		s.Trial = &t
	}
	return s
}
