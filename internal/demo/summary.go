package demo

import (
	"autotune"
	"autotune/controller"
)

// Summary is what came of a run: the last line of `autotune run --json`, and
// what people read at its end.
type Summary struct {
	Type string `json:"type"` // "summary"
	Seed uint64 `json:"seed"`
	// Tried has one line a trial that ended, in order.
	Tried []Tried `json:"tried"`
	// Untried are offered optimizations that got no trial, with the reason.
	Untried map[string]string `json:"untried,omitempty"`
	// Kept are the optimizations on at the end that were off at the start, and
	// Reverted those that were tried and put back, whatever the reason.
	Kept     []string `json:"kept"`
	Reverted []string `json:"reverted"`
	// RolledBack has what was kept and then taken back by an audit.
	RolledBack []string           `json:"rolled_back,omitempty"`
	Initial    controller.Setting `json:"initial"`
	Final      controller.Setting `json:"final"`
	// Check of final against initial in randomized blocks, one line a goal;
	// empty if the run was interrupted before, or only advised.
	Check       []controller.Compared `json:"check"`
	Advice      []Advice              `json:"advice,omitempty"`
	Interrupted bool                  `json:"interrupted,omitempty"`
	Seconds     float64               `json:"seconds"`
	// Load is the load generator's own report of the whole run.
	Load LoadReport `json:"load"`
	// AutopilotCPU is the share of one core that the autopilot used, and
	// AutopilotShare its share of the whole process's CPU time.
	AutopilotCPU   float64 `json:"autopilot_cpu_ratio"`
	AutopilotShare float64 `json:"autopilot_share_ratio"`
	Alerts         int     `json:"alerts"`
}

// Tried is one trial.
type Tried struct {
	Name     string             `json:"name"`
	Move     string             `json:"move"`
	Pairs    int                `json:"pairs"`
	Cap      int                `json:"cap"`
	Outcome  controller.Outcome `json:"outcome"`
	Reason   controller.Reason  `json:"reason"`
	Detail   string             `json:"detail,omitempty"`
	Metric   controller.Metric  `json:"metric,omitempty"` // of the effect: the top goal
	Effect   float64            `json:"effect"`
	Low      float64            `json:"low"`
	High     float64            `json:"high"`
	Requests float64            `json:"requests"` // served by the candidate
}

// Advice is one change that advice mode would try.
type Advice struct {
	ID     string             `json:"id"`
	Name   string             `json:"name"`
	Move   string             `json:"move"`
	Change map[string]float64 `json:"change"`
	Why    string             `json:"why"`
}

// Improved reports whether the run did what it is for: something kept, and the
// check better on at least one goal and worse on none.
func (s *Summary) Improved() bool {
	better := false
	for _, c := range s.Check {
		if c.Verdict == "worse" {
			return false
		}
		better = better || c.Verdict == "better"
	}
	return better && len(s.Kept) > 0
}

// take fills in what the autopilot knows at its end.
func (s *Summary) take(st autotune.Status, offered []controller.Optimization) {
	s.Initial, s.Final = st.Initial, st.Safe
	tried := map[string]bool{}
	for _, t := range st.Ended {
		if t.Audit != 0 {
			s.RolledBack = append(s.RolledBack, t.Optimization+" "+t.Move)
			continue
		}
		line := Tried{
			Name: t.Optimization, Move: t.Move, Pairs: t.Pairs, Cap: t.Cap, Outcome: t.Outcome, Reason: t.Reason,
			Detail: t.Detail, Requests: t.Requests,
		}
		if len(t.Effects) > 0 {
			e := t.Effects[0]
			line.Metric, line.Effect, line.Low, line.High = e.Metric, e.Change, e.Low, e.High
		}
		s.Tried = append(s.Tried, line)
		tried[t.Optimization] = true
	}
	for _, t := range st.Advice {
		s.Advice = append(s.Advice, Advice{ID: t.ID, Name: t.Optimization, Move: t.Move, Change: t.Change, Why: t.Why})
	}
	for _, o := range offered {
		switch {
		case o.Switch != "" && st.Safe.On(o.Switch) && !st.Initial.On(o.Switch):
			s.Kept = append(s.Kept, o.Name)
		case tried[o.Name]:
			s.Reverted = append(s.Reverted, o.Name)
		default:
			why := st.Blocked[o.Name]
			switch {
			case why != "":
			case len(st.Advice) > 0:
				why = "advice only: nothing is changed"
			case s.Interrupted:
				why = "the run was interrupted before it"
			default:
				why = "there was no time left for it"
			}
			if s.Untried == nil {
				s.Untried = map[string]string{}
			}
			s.Untried[o.Name] = why
		}
	}
}
