package history

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"autotune/controller"
	"autotune/report"
)

// mostRows of a table for people; CSV and JSON have the rest.
const mostRows = 200

// shown are the latest rows, and what must be said about the others.
func shown(rows [][]string, all int, note string) ([][]string, string) {
	rows = rows[max(0, len(rows)-mostRows):]
	if len(rows) < all {
		if note != "" {
			note += " "
		}
		note += fmt.Sprintf("The latest %d of %d.", len(rows), all)
	}
	return rows, note
}

func (h *history) trialTable() report.Table {
	top := h.session.Goals[0].Metric
	t := report.Table{
		Title: "Trials", Note: "Requests are those that the candidate served.",
		Head: []string{"trial", "what", "outcome", "reason", "effect on " + quantityOf(top, 0).label, "pairs", "requests", "took", "why it was tried", "why it ended"},
	}
	for i := range h.trials.latest {
		x := &h.trials.latest[i]
		effect, what, outcome := "-", x.Optimization+" "+x.Move, x.Outcome.String()
		if e, ok := deciding(&x.Trial, top); ok {
			effect = interval(e.Change, e.Low, e.High, x.Pairs)
			if e.Metric != top {
				effect += " on " + quantityOf(e.Metric, 0).label
			}
		}
		if x.Audit != 0 {
			outcome = "rolled back"
		}
		t.Rows = append(t.Rows, []string{
			strconv.Itoa(x.ID), what, outcome, x.Reason.String(), effect, fmt.Sprintf("%d of %d", x.Pairs, x.Cap),
			fmt.Sprintf("%.0f", x.Requests), clock(x.Ended.Sub(x.Started)), x.Why, x.Detail,
		})
	}
	t.Rows, t.Note = shown(t.Rows, h.trials.all, t.Note)
	return t
}

// deciding is the effect for which a trial was kept, else that on the top goal.
func deciding(t *controller.Trial, top controller.Metric) (controller.Effect, bool) {
	if t.Outcome == controller.Kept && t.Audit == 0 {
		for _, e := range t.Effects {
			if e.BetterAt > 0 && e.Better >= e.BetterAt {
				return e, true
			}
		}
	}
	return t.Effect(top)
}

// evidenceTable has what each trial rests on, goal by goal.
func (h *history) evidenceTable() report.Table {
	t := report.Table{
		Title: "Evidence",
		Note:  "E-values: 1 says nothing, and each decides where it reaches what stands behind \"of\".",
		Head:  []string{"trial", "what", "goal", "effect", "n", "better", "worse", "no effect worth having"},
	}
	all := 0
	e := func(v, at float64) string {
		if at == 0 {
			return fmt.Sprintf("%.3g", v)
		}
		return fmt.Sprintf("%.3g of %.3g", v, at)
	}
	for i := range h.trials.latest {
		x := &h.trials.latest[i]
		if x.Pairs == 0 {
			continue
		}
		for _, f := range x.Effects {
			all++
			t.Rows = append(t.Rows, []string{
				strconv.Itoa(x.ID), x.Optimization + " " + x.Move, string(f.Metric), interval(f.Change, f.Low, f.High, x.Pairs), strconv.Itoa(x.Pairs),
				e(f.Better, f.BetterAt), e(f.Worse, f.WorseAt), e(f.Futile, f.FutileAt),
			})
		}
	}
	t.Rows, t.Note = shown(t.Rows, all, t.Note)
	return t
}

// settingsTable has the knobs that differ at the end from the start.
func (h *history) settingsTable() report.Table {
	t := report.Table{Title: "Settings before and after", Head: []string{"knob", "before", "after", "by"}}
	if h.state == nil {
		return t
	}
	same := 0
	for name, now := range h.state.Safe.All() {
		was, ok := h.initial.Get(name)
		if ok && was == now {
			same++
			continue
		}
		by := "the operator, or an older trial"
		var moved time.Time
		for i := range h.trials.latest {
			x := &h.trials.latest[i]
			if _, its := x.Change[name]; its && x.Outcome == controller.Kept {
				moved = x.Ended
				by = fmt.Sprintf("trial %d", x.ID)
				if x.Audit != 0 {
					by += fmt.Sprintf(", which rolled trial %d back", x.Audit)
				}
			}
		}
		if pin, pinned := h.state.Wishes.PinOf(name, now); pinned && !pin.At.Before(moved) {
			by = fmt.Sprintf("pinned %s on %s", pin.By, when(pin.At))
		}
		before := "-"
		if ok {
			before = value(h.session.Space, name, was)
		}
		t.Rows = append(t.Rows, []string{name, before, value(h.session.Space, name, now), by})
	}
	t.Note = fmt.Sprintf("%d other knobs are as they were.", same)
	if len(t.Rows) == 0 {
		t.Rows = [][]string{{"all", "-", "unchanged", "-"}}
		t.Note = ""
	}
	return t
}

// untriedTable has what was offered and got no trial.
func (h *history) untriedTable() report.Table {
	t := report.Table{Title: "Offered, and not tried", Head: []string{"what", "why it might help", "what is known"}}
	stuck := map[string]string{}
	if h.state != nil {
		stuck = h.session.Stuck(h.state.Safe)
	}
	for _, o := range h.session.Offered {
		if h.tried[o.Name] > 0 {
			continue
		}
		known := h.untriedWhy(o.Name)
		switch {
		case h.state != nil && h.state.Memory[o.Name].Quarantined != "":
			known = "quarantined: " + h.state.Memory[o.Name].Quarantined
		case slices.Contains(h.session.Pinned, o.Name):
			known = "pinned by the operator"
		case o.Equivalence == controller.Bounded && !o.Granted:
			known = "bounded, and not granted by the owner"
		case stuck[o.Name] != "":
			known = stuck[o.Name]
		}
		t.Rows = append(t.Rows, []string{o.Name, o.Why, known})
	}
	return t
}

// untriedWhy is what the latest note on an optimization says of why it is not tried.
func (h *history) untriedWhy(name string) string {
	for _, n := range slices.Backward(h.notes.latest) {
		if why, ok := strings.CutPrefix(n.text, "not tried: "+name+": "); ok {
			return why
		}
		if why, ok := strings.CutPrefix(n.text, "advised, never tried: "+name+" "); ok {
			return "advised, never tried " + why
		}
	}
	return "no trial in this journal"
}

func (h *history) adviceTable() report.Table {
	t := report.Table{Title: "Advice", Note: "Nothing of it was changed.", Head: []string{"what", "change", "why"}}
	for _, name := range h.advised {
		a := h.advice[name]
		change := ""
		for _, k := range slices.Sorted(maps.Keys(a.Change)) {
			change += k + ": " + value(h.session.Space, k, a.Change[k]) + " "
		}
		t.Rows = append(t.Rows, []string{a.Optimization + " " + a.Move, change, a.Why})
	}
	return t
}

// auditTable has how the audits of what is kept stand at the end.
func (h *history) auditTable() report.Table {
	t := report.Table{
		Title: "Audits of what is kept", Note: "The evidence is an e-value that the old values are better; 100 rolls back.",
		Head: []string{"what", "kept by trial", "since", "audits", "evidence against it", "next"},
	}
	if h.state == nil {
		return t
	}
	for _, k := range h.state.Keeps {
		t.Rows = append(t.Rows, []string{
			k.Optimization + " " + k.Move, strconv.Itoa(k.Trial), when(k.Since), strconv.Itoa(k.Audits), fmt.Sprintf("%.3g of 100", k.Evidence), when(k.Due),
		})
	}
	return t
}

func (h *history) alertTable() report.Table {
	t := report.Table{Title: "Alerts and pauses", Head: []string{"after", "what"}}
	t.Rows, t.Note = eventRows(h.alerts.latest, h.alerts.all)
	return t
}

func (h *history) noteTable() report.Table {
	t := report.Table{Title: "Notes", Head: []string{"after", "what"}}
	notes := h.noteworthy()
	t.Rows, t.Note = eventRows(notes, len(notes))
	return t
}

func eventRows(events []event, all int) ([][]string, string) {
	var rows [][]string
	for _, e := range events {
		rows = append(rows, []string{clock(e.at), e.text})
	}
	return shown(rows, all, "")
}

// timeTable has what the time and the requests were spent on.
func (h *history) timeTable() report.Table {
	t := report.Table{Title: "Time and requests", Head: []string{"what", "time", "share", "requests", "failed"}}
	row := func(what string, a arm, counted bool) {
		share := 0.0
		if h.observed > 0 {
			share = 100 * a.time.Seconds() / h.observed.Seconds()
		}
		requests, failed := "-", "-"
		if counted {
			requests, failed = fmt.Sprintf("%.0f", a.requests), fmt.Sprintf("%.0f", a.errors)
		}
		t.Rows = append(t.Rows, []string{what, clock(a.time), fmt.Sprintf("%.1f %%", share), requests, failed})
	}
	for i, name := range armNames {
		row(name+" in force", h.arms[i], true)
	}
	for p := controller.Starting; p <= controller.Ended; p++ {
		d := h.phases[p]
		if p == controller.Settling {
			continue // one with trying
		}
		name := p.String()
		if p == controller.Trying {
			name, d = "in trials and audits", d+h.phases[controller.Settling]
		}
		if d > 0 {
			row("phase: "+name, arm{time: d}, false)
		}
	}
	return t
}
