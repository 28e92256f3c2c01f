package liveorder

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"autotune/experiments/live"
	"autotune/internal/stats"
	"autotune/report"
)

// level of all intervals.
const level = 0.95

// Measures by name, in rows.
const (
	timeToGain = "seconds to 90 % of the gain"
	hasGain    = "share of sessions with 90 % of the gain"
	sooner     = "seconds sooner by the guide" // differences of sessions with one seed
	endGain    = "change at the end"
	switchesOn = "switches turned on"
	atInitial  = "share of sessions that end as they began"
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
				"of the gain for good, by what is tried first and by who judges? Those that never do count with their whole length. Who ranks by what is measured is not told the workload. " +
				"Rivals get the guide's fixed order, and spend nothing on measuring noise.",
			"The gain is the mean reduction of p95 and mean latency and CPU time a request, in log units; what there is to gain is the best of some settings that a person would think of, " +
				"each compared with everything off in randomized pairs of blocks. Intervals are at 95 %: exact ones of medians by ranks, of shares by Clopper and Pearson.",
		},
		Facts: facts(sessions, machine), Rows: []report.Row{},
	}
	for _, w := range workloadsIn(sessions) {
		of := slices.DeleteFunc(slices.Clone(sessions), func(s Session) bool { return s.Plan.Workload != w })
		b := barOf(of)
		d.Tables = append(d.Tables, yardstickTable(w, of, b))
		t := report.Table{
			Title: w, Head: []string{"who", "n", "median s to 90 %", "has it", "guide sooner by s", "change at the end, goals together", "switches turned on", "trials", "ends as it began"},
			Note: note(b, of),
		}
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
	t := report.Table{Title: w + ": what there is to gain", Head: []string{"setting", "together", "p95 latency", "mean latency", "CPU a request", "pairs"}, Note: "Against everything off; less is better. Bold: the interval is on one side of zero."}
	for _, s := range byArm(sessions, measure) {
		row := []string{s.Plan.Setting, fmt.Sprintf("%+.1f %%", 100*math.Expm1(-gainOf(s.Check)))}
		pairs := 0
		for _, c := range s.Check {
			cell := fmt.Sprintf("%+.1f %% (%+.1f to %+.1f)", 100*c.Effect, 100*c.Low, 100*c.High)
			if c.Verdict != "unclear" {
				cell = "**" + cell + "**"
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
	n       int
	timed   bool
	seconds interval // median
	has     interval // share
	sooner  interval // median difference to the guide, by seed
	pairs   int      // of those
	end     interval // relative change, goals together
	turned  interval
	trials  float64
	still   interval // share that ends at the initial setting
}

type interval struct{ value, low, high float64 }

func summarize(arm, guide []Session, b bar) summary {
	x := summary{n: len(arm), timed: b.worth()}
	var seconds, ends, turned, trials, apart []float64
	has, still := 0, 0
	byGuide := map[uint64]float64{}
	if x.timed {
		for i := range guide {
			byGuide[guide[i].Plan.Seed], _ = guide[i].reached(b.least.Plan.switches())
		}
	}
	for i := range arm {
		s := &arm[i]
		if x.timed {
			at, ok := s.reached(b.least.Plan.switches())
			seconds = append(seconds, at)
			if ok {
				has++
			}
			if ours, ok := byGuide[s.Plan.Seed]; ok && s.Plan.Arm != Guide {
				apart = append(apart, at-ours)
			}
		}
		ends = append(ends, -gainOf(s.Check))
		turned, trials = append(turned, float64(s.gains())), append(trials, float64(s.Trials))
		if s.AtInitial {
			still++
		}
	}
	share := func(k int) interval {
		low, high := stats.Binomial(k, len(arm), level)
		return interval{float64(k) / float64(len(arm)), low, high}
	}
	x.seconds, x.has, x.still = medianOf(seconds), share(has), share(still)
	x.end, x.turned, x.trials = medianOf(ends), medianOf(turned), stats.Median(trials)
	x.end = interval{math.Expm1(x.end.value), math.Expm1(x.end.low), math.Expm1(x.end.high)}
	if x.pairs = len(apart); x.pairs > 0 {
		x.sooner.value, x.sooner.low, x.sooner.high = stats.SignedRank(apart, 1-level)
	}
	return x
}

// medianOf with the interval between the order statistics that have it between them
// with at least that confidence; all of the values where none has.
func medianOf(v []float64) interval {
	if len(v) == 0 {
		return interval{}
	}
	v = slices.Sorted(slices.Values(v))
	n := len(v)
	low, high := v[0], v[n-1]
	// The chance that at most k of n are below the median is that of a fair coin.
	below, each := 0.0, math.Pow(0.5, float64(n))
	for k := 0; k < n/2; k++ {
		if below += each; 2*below > 1-level {
			break
		}
		low, high = v[k], v[n-1-k]
		each *= float64(n-k) / float64(k+1)
	}
	return interval{stats.Median(v), low, high}
}

func (x *summary) rows(w string, a Arm) []report.Row {
	row := func(m string, n int, i interval, better report.Direction, relative bool) report.Row {
		return report.Row{Scenario: w, Contender: string(a), Measure: m, N: n, Value: i.value, Low: i.low, High: i.high, Level: level, Better: better, Relative: relative}
	}
	var out []report.Row
	if x.timed {
		out = append(out, row(timeToGain, x.n, x.seconds, report.Less, false), row(hasGain, x.n, x.has, report.More, false))
		if x.pairs > 0 {
			out = append(out, row(sooner, x.pairs, x.sooner, "", false))
		}
	}
	return append(out, row(endGain, x.n, x.end, report.Less, true), row(switchesOn, x.n, x.turned, "", false), row(atInitial, x.n, x.still, "", false))
}

func (x *summary) cells(a Arm) []string {
	cells := []string{string(a), fmt.Sprint(x.n), "-", "-", "-"}
	if x.timed {
		cells[2] = fmt.Sprintf("%.0f (%.0f to %.0f)", x.seconds.value, x.seconds.low, x.seconds.high)
		cells[3] = fmt.Sprintf("%.0f %% (%.0f to %.0f)", 100*x.has.value, 100*x.has.low, 100*x.has.high)
		if x.pairs > 0 {
			cells[4] = fmt.Sprintf("%+.0f (%+.0f to %+.0f)", x.sooner.value, x.sooner.low, x.sooner.high)
		}
	}
	return append(cells, fmt.Sprintf("%+.1f %% (%+.1f to %+.1f)", 100*x.end.value, 100*x.end.low, 100*x.end.high),
		fmt.Sprintf("%.0f (%.0f to %.0f)", x.turned.value, x.turned.low, x.turned.high), fmt.Sprintf("%.0f", x.trials),
		fmt.Sprintf("%.0f %% (%.0f to %.0f)", 100*x.still.value, 100*x.still.low, 100*x.still.high))
}
