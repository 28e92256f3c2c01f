package history

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"autotune/controller"
	"autotune/report"
)

// level of the controller's intervals.
const level = 0.95

// document puts the report together.
func (h *history) document() *report.Document {
	d := &report.Document{Kind: "journal", Name: h.name, Title: "What autotune tried, kept and put back"}
	d.Summary = h.summary()
	d.Facts = h.facts()
	for _, g := range h.session.Goals {
		if c, ok := h.trajectory(g); ok {
			d.Charts = append(d.Charts, c)
		}
	}
	for _, c := range []report.Chart{h.effects(), h.guards()} {
		if c.Lines != nil || c.Bars != nil {
			d.Charts = append(d.Charts, c)
		}
	}
	for _, t := range []report.Table{
		h.trialTable(), h.evidenceTable(), h.settingsTable(), h.untriedTable(), h.adviceTable(),
		h.auditTable(), h.alertTable(), h.timeTable(), h.noteTable(),
	} {
		if len(t.Rows) > 0 {
			d.Tables = append(d.Tables, t)
		}
	}
	d.Rows = h.rows()
	return d
}

// kept, put back, rolled back: what came of the trials, by name.
func (h *history) outcomes() (kept, back, rolled []string) {
	for i := range h.trials.latest {
		t := &h.trials.latest[i]
		what := t.Optimization + " " + t.Move
		switch {
		case t.Audit != 0:
			rolled = append(rolled, what)
		case t.Outcome == controller.Kept:
			kept = append(kept, what)
		default:
			back = append(back, what)
		}
	}
	return kept, back, rolled
}

// distinct names, in order, those that come again with how often.
func distinct(what []string) []string {
	times := map[string]int{}
	var out []string
	for _, w := range what {
		if times[w]++; times[w] == 1 {
			out = append(out, w)
		}
	}
	for i, w := range out {
		if n := times[w]; n > 1 {
			out[i] = fmt.Sprintf("%s (%d times)", w, n)
		}
	}
	return out
}

func (h *history) summary() []string {
	kept, back, rolled := h.outcomes()
	names := func(what []string) string {
		const most = 8
		what = distinct(what)
		if len(what) == 0 {
			return "nothing"
		}
		if n := len(what) - most; n > 0 {
			return strings.Join(what[:most], ", ") + fmt.Sprintf(" and %d more", n)
		}
		return strings.Join(what, ", ")
	}
	var out []string
	if len(h.advised) > 0 && h.trials.all == 0 {
		out = append(out, fmt.Sprintf("Advice only, nothing was changed: %d changes would be tried.", len(h.advised)))
	} else {
		text := fmt.Sprintf("Trials that ended: %d, in %s of observation. Kept: %s. Put back: %s.", h.trials.all-len(rolled), clock(h.observed), names(kept), names(back))
		if len(rolled) > 0 {
			text += " Rolled back by an audit: " + names(rolled) + "."
		}
		out = append(out, text)
	}
	if h.running != nil {
		out = append(out, fmt.Sprintf("The journal ends within trial %d, %s %s: it has no verdict yet.", h.running.ID, h.running.Optimization, h.running.Move))
	}
	if h.skipped {
		out = append(out, "Older segments of the journal are gone: what is told begins in the middle of a session.")
	}
	if n := h.trials.all - len(h.trials.latest); n > 0 {
		out = append(out, fmt.Sprintf("The oldest %d trials are counted, and not told one by one.", n))
	}
	return append(out, "An effect is the relative change of the metric itself under the candidate, the median over pairs of blocks in random order, with a 95 % interval that holds at any stopping time.")
}

func (h *history) facts() []report.Fact {
	requests := h.arms[0].requests + h.arms[1].requests
	facts := []report.Fact{
		{Name: "journal", Value: h.name},
		{Name: "from", Value: when(h.started)},
		{Name: "to", Value: when(h.ended)},
		{Name: "observed", Value: clock(h.observed)},
		{Name: "starts", Value: strconv.Itoa(h.sessions)},
		{Name: "seed", Value: strconv.FormatUint(h.session.Seed, 10)},
		{Name: "policy", Value: h.session.Policy},
		{Name: "trials", Value: strconv.Itoa(h.trials.all)},
		{Name: "audits", Value: strconv.Itoa(h.audits)},
		{Name: "alerts and pauses", Value: strconv.Itoa(h.alerts.all)},
	}
	if h.session.Instance != "" {
		facts = append(facts, report.Fact{Name: "instance", Value: h.session.Instance})
	}
	if requests > 0 {
		facts = append(facts,
			report.Fact{Name: "requests", Value: fmt.Sprintf("%.0f", requests)},
			report.Fact{Name: "of them by candidates", Value: fmt.Sprintf("%.0f (%.1f %%)", h.arms[1].requests, 100*h.arms[1].requests/requests)})
	}
	return facts
}

func when(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format("2006-01-02 15:04:05 UTC")
}

// rows has the effects of every trial that had a pair.
func (h *history) rows() []report.Row {
	out := []report.Row{}
	for i := range h.trials.latest {
		t := &h.trials.latest[i]
		if t.Pairs == 0 {
			continue
		}
		scenario := t.Optimization + " " + t.Move
		if t.Audit != 0 {
			scenario = "roll back " + scenario
		}
		for _, e := range t.Effects {
			out = append(out, report.Row{
				Scenario: scenario, Contender: fmt.Sprintf("trial %d of it", t.again), Measure: string(e.Metric), N: t.Pairs,
				Value: e.Change, Low: e.Low, High: e.High, Level: level, Better: h.better(e.Metric), Relative: true,
			})
		}
	}
	return out
}

// better says which way a goal is.
func (h *history) better(m controller.Metric) report.Direction {
	for _, g := range h.session.Goals {
		if g.Metric == m && g.Maximize {
			return report.More
		}
	}
	return report.Less
}

// Check adds an independent check of the final against the initial setting: a
// table, and a row a goal.
func Check(d *report.Document, lines []controller.Compared, goals []controller.Goal) {
	t := report.Table{
		Title: "Check: final against initial setting",
		Note:  "Randomized pairs of blocks after the last trial, which took no part in any decision. 95 % intervals.",
		Head:  []string{"goal", "effect", "verdict", "pairs"},
	}
	for _, c := range lines {
		t.Rows = append(t.Rows, []string{string(c.Metric), interval(c.Effect, c.Low, c.High, c.Pairs), c.Verdict, strconv.Itoa(c.Pairs)})
		if c.Pairs == 0 {
			continue
		}
		better := report.Less
		for _, g := range goals {
			if g.Metric == c.Metric && g.Maximize {
				better = report.More
			}
		}
		d.Rows = append(d.Rows, report.Row{
			Scenario: "check", Contender: "final against initial", Measure: string(c.Metric), N: c.Pairs,
			Value: c.Effect, Low: c.Low, High: c.High, Level: level, Better: better, Relative: true,
		})
	}
	if len(t.Rows) > 0 {
		d.Tables = append([]report.Table{t}, d.Tables...)
	}
}
