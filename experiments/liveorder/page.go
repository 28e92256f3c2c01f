package liveorder

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"autotune/experiments"
	"autotune/experiments/live"
	"autotune/internal/stats"
	"autotune/report"
)

// Of a session, by name in rows and at the head of columns.
const (
	timeToGain = "s to 90 % of the gain"
	hasGain    = "has 90 % of the gain, %"
	sooner     = "guide sooner by s" // of sessions with one seed
	endGain    = "goals at the end, against everything off, %"
	turnedOn   = "switches turned on"
	trials     = "trials"
	atInitial  = "ends as it began, %"
)

// String is a session in a line.
func (s *Session) String() string {
	text := fmt.Sprintf("%s: gain %.1f %%", s.Plan.name(), 100*-math.Expm1(-gainOf(s.Check)))
	for _, m := range s.Moves[min(1, len(s.Moves)):] {
		text += fmt.Sprintf(", %.0f s %s", m.Seconds, short(m.On))
	}
	return text
}

// short names of switches.
func short(switches []string) string {
	if len(switches) == 0 {
		return "nothing"
	}
	var names []string
	for _, s := range switches {
		names = append(names, strings.TrimPrefix(s, "enable_"))
	}
	return strings.Join(names, "+")
}

// Document is the report of sessions.
func Document(sessions []Session, machine live.Machine) *report.Document {
	d := &report.Document{
		Kind: "live-order", Name: "live-order", Title: "How soon a live service has its gain",
		Summary: []string{
			"The demonstration service under load from another process, everything off at first and everything of the executor on offer. When does a session have nine tenths " +
				"of the gain for good, by what is tried first and by who judges? Those that never do count with their whole length. The guide is not told the workload. " +
				"Rivals get the guide's fixed order, and spend nothing on measuring noise.",
			"The gain is the mean reduction of p95 and mean latency and CPU time a request, in log units; what there is to gain is the best of some settings that a person would think of, " +
				"each compared with everything off in randomized pairs of blocks. Intervals are exact: of medians between order statistics, at 95 %, of shares by Clopper and Pearson, at 99 %, of differences by seed by Hodges-Lehmann and Wilcoxon, at 95 %.",
		},
		Facts: facts(sessions, machine), Rows: []report.Row{},
	}
	for _, w := range workloadsIn(sessions) {
		of := slices.DeleteFunc(slices.Clone(sessions), func(s Session) bool { return s.Plan.Workload != w })
		b := barOf(of)
		d.Tables = append(d.Tables, yardstickTable(w, of, b))
		t := report.Table{Title: w, Head: []string{"who", "n"}, Note: note(b, of)}
		for _, m := range measures() {
			t.Head = append(t.Head, m.Name)
		}
		t.Head = append(t.Head, sooner)
		guide := byArm(of, Guide)
		for _, a := range Arms() {
			if arm := byArm(of, a); len(arm) > 0 {
				x := summarize(arm, guide, b)
				d.Rows = append(d.Rows, x.rows(w, a)...)
				t.Rows = append(t.Rows, x.cells(a))
			}
		}
		if len(t.Rows) > 0 {
			d.Tables = append(d.Tables, t)
		}
	}
	return d
}

func facts(sessions []Session, machine live.Machine) []report.Fact {
	out := []report.Fact{{Name: "machine", Value: machine.String()}}
	if len(sessions) == 0 {
		return out
	}
	var requests, failed, dropped uint64
	first, last := sessions[0].Ended, sessions[0].Ended
	low, high := math.Inf(1), 0.0
	for i := range sessions {
		s := &sessions[i]
		requests, failed, dropped = requests+s.Requests, failed+s.Failed, dropped+s.Dropped
		if s.Ended.Before(first) {
			first = s.Ended
		}
		if s.Ended.After(last) {
			last = s.Ended
		}
		low, high = min(low, s.Load), max(high, s.Load)
	}
	p := sessions[len(sessions)-1].Plan
	return append(out,
		report.Fact{Name: "sessions", Value: fmt.Sprintf("%d, each steered for %v, at %.0f requests/s; ended %s to %s UTC", len(sessions), time.Duration(p.Seconds)*time.Second, p.Rate, first.Format("2006-01-02 15:04"), last.Format("15:04"))},
		report.Fact{Name: "load average", Value: fmt.Sprintf("%.1f to %.1f, sessions beside each other included", low, high)},
		report.Fact{Name: "requests", Value: fmt.Sprintf("%d, %d failed, %d dropped by the load generator", requests, failed, dropped)},
	)
}

func workloadsIn(sessions []Session) []string {
	var out []string
	for i := range sessions {
		if w := sessions[i].Plan.Workload; !slices.Contains(out, w) {
			out = append(out, w)
		}
	}
	return out
}

func byArm(sessions []Session, a Arm) []Session {
	return slices.DeleteFunc(slices.Clone(sessions), func(s Session) bool { return s.Plan.Arm != a })
}

func yardstickTable(w string, sessions []Session, b bar) report.Table {
	t := report.Table{Title: w + ": what there is to gain", Head: []string{"setting", "together", "p95 latency", "mean latency", "CPU a request", "pairs"}, Note: "Against everything off; less is better. Where neither better nor worse is said, the interval has zero in it."}
	for _, s := range byArm(sessions, measure) {
		row := []string{s.Plan.Setting, fmt.Sprintf("%+.1f %%", 100*math.Expm1(-gainOf(s.Check)))}
		pairs := 0
		for _, c := range s.Check {
			cell := fmt.Sprintf("%+.1f %% (%+.1f to %+.1f)", 100*c.Effect, 100*c.Low, 100*c.High)
			if c.Verdict != "unclear" {
				cell = c.Verdict + ", " + cell
			}
			row, pairs = append(row, cell), max(pairs, c.Pairs)
		}
		for len(row) < len(t.Head)-1 {
			row = append(row, "-")
		}
		t.Rows = append(t.Rows, append(row, fmt.Sprint(pairs)))
	}
	if b.least != nil && b.worth() {
		t.Note += fmt.Sprintf(" The largest gain is that of %s; %s has at least nine tenths of it.", b.best.Plan.Setting, b.least.Plan.Setting)
	}
	return t
}

func note(b bar, sessions []Session) string {
	if !b.worth() {
		return "Nothing that was measured is clearly better here: nothing is timed."
	}
	return fmt.Sprintf("Has it: %s on, for good. A time of %.0f s is a session that never has.", short(b.least.Plan.switches()), sessions[len(sessions)-1].Plan.Seconds)
}

// summary of an arm on a workload.
type summary struct {
	experiments.Tally
	sooner experiments.Estimate // than this, the guide, by seed; N is 0 of itself
}

// measures in the order of the columns.
func measures() []experiments.Measure {
	return []experiments.Measure{
		{Name: timeToGain, Of: experiments.Median, Format: "%.0f", Better: report.Less},
		{Name: hasGain, Of: experiments.Rate, Format: "%.0f", Better: report.More},
		{Name: endGain, Of: experiments.Median, Format: "%+.1f", Better: report.Less},
		{Name: turnedOn, Of: experiments.Median, Format: "%.0f"},
		{Name: trials, Of: experiments.Median, Format: "%.0f"},
		{Name: atInitial, Of: experiments.Rate, Format: "%.0f"},
	}
}

func summarize(arm, guide []Session, b bar) *summary {
	x := &summary{}
	var wanted []string
	byGuide := map[uint64]float64{}
	if b.worth() {
		wanted = b.least.Plan.switches()
		for i := range guide {
			byGuide[guide[i].Plan.Seed], _ = guide[i].reached(wanted)
		}
	}
	var apart []float64
	for i := range arm {
		s := &arm[i]
		x.N++
		if wanted != nil {
			at, ok := s.reached(wanted)
			x.Value(timeToGain, at)
			x.Count(hasGain, ok)
			if ours, ok := byGuide[s.Plan.Seed]; ok && s.Plan.Arm != Guide {
				apart = append(apart, at-ours)
			}
		}
		x.Value(endGain, 100*math.Expm1(-gainOf(s.Check)))
		x.Value(turnedOn, float64(s.gains()))
		x.Value(trials, float64(s.Trials))
		x.Count(atInitial, s.AtInitial)
	}
	if len(apart) > 0 {
		x.sooner = experiments.Estimate{N: len(apart), Level: 0.95}
		x.sooner.Value, x.sooner.Low, x.sooner.High = stats.SignedRank(apart, 1-x.sooner.Level)
	}
	return x
}

func (x *summary) rows(w string, a Arm) []report.Row {
	row := func(m string, e experiments.Estimate, better report.Direction) report.Row {
		return report.Row{Scenario: w, Contender: string(a), Measure: m, N: e.N, Value: e.Value, Low: e.Low, High: e.High, Level: e.Level, Better: better}
	}
	var out []report.Row
	for _, m := range measures() {
		if e, ok := m.Take(&x.Tally); ok {
			out = append(out, row(m.Name, e, m.Better))
		}
	}
	if x.sooner.N > 0 {
		out = append(out, row(sooner, x.sooner, ""))
	}
	return out
}

func (x *summary) cells(a Arm) []string {
	cells := []string{string(a), fmt.Sprint(x.N)}
	for _, m := range measures() {
		cell := "-"
		if e, ok := m.Take(&x.Tally); ok {
			cell = m.Text(e)
		}
		cells = append(cells, cell)
	}
	if x.sooner.N == 0 {
		return append(cells, "-")
	}
	return append(cells, fmt.Sprintf("%+.0f (%+.0f..%+.0f)", x.sooner.Value, x.sooner.Low, x.sooner.High))
}
