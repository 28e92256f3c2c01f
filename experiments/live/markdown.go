package live

import (
	"bytes"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"autotune/catalog"
	"autotune/controller"
)

// titles of the tables, by metric.
var titles = map[controller.Metric]string{
	controller.LatencyP95:                  "p95 latency",
	controller.LatencyMean:                 "mean latency",
	controller.CPUPerRequest:               "CPU time per request",
	controller.RSSBytes:                    "resident memory",
	controller.AllocBytes + "_per_request": "bytes allocated per request",
}

// Markdown is the report of results, in whatever order they come. It depends on
// them alone: the same results make the same bytes.
func Markdown(results []Result) []byte {
	cells := map[string]*Result{}
	for i := range results {
		cells[results[i].Plan.name()] = &results[i]
	}
	b := &bytes.Buffer{}
	fmt.Fprintf(b, `# What each switch does

The guide's twelve switches on its five workloads, each measured live on the demonstration service: two configurations that
differ in the switch alone take turns in randomized pairs of short blocks, under open-loop load from another process.
An effect is the relative change of the metric with the switch against without, in the middle of the pairs, with its exact
95 %% interval (Hodges-Lehmann and Wilcoxon) and the number of pairs; less is better in every table. **Bold** says that the
interval is on one side of zero; elsewhere it is unclear whether there is an effect at all. Of 325 such intervals some 16
miss the truth, most of them barely; the last row, a control of two configurations that are the same, shows how. Made by `+"`autotune experiment live`"+`.

`)
	facts(b, results)
	overview(b, cells)
	for _, g := range Goals() {
		title := titles[g.Metric]
		fmt.Fprintf(b, "\n## %s%s\n\n`%s`\n\n", strings.ToUpper(title[:1]), title[1:], g.Metric)
		table(b, func(r *Result) string { return cellText(r, g.Metric) }, cells)
	}
	b.WriteString("\n## Switch by switch\n\n")
	for _, s := range Rows() {
		sentences(b, s, cells)
	}
	return b.Bytes()
}

// facts of the machine and the load.
func facts(b *bytes.Buffer, results []Result) {
	if len(results) == 0 {
		b.WriteString("Nothing was measured yet.\n")
		return
	}
	machines := map[Machine]bool{}
	rates := map[float64]bool{}
	first, last := results[0].Ended, results[0].Ended
	low, high := math.Inf(1), math.Inf(-1)
	var requests, failed, dropped uint64
	seconds := 0.0
	for _, r := range results {
		machines[r.Machine], rates[r.Plan.Rate] = true, true
		if r.Ended.Before(first) {
			first = r.Ended
		}
		if r.Ended.After(last) {
			last = r.Ended
		}
		for _, l := range []float64{r.LoadBefore, r.LoadAfter} {
			if l >= 0 {
				low, high = min(low, l), max(high, l)
			}
		}
		requests, failed, dropped = requests+r.Requests, failed+r.Failed, dropped+r.Dropped
		seconds += r.Seconds
	}
	all := make([]string, 0, len(machines))
	for m := range machines {
		all = append(all, m.String())
	}
	slices.Sort(all)
	for _, m := range all {
		fmt.Fprintf(b, "- %s\n", m)
	}
	if low <= high {
		fmt.Fprintf(b, "- load average before and after cells: %.1f to %.1f, the service and its load generator included; above the number of cores, others had the machine too\n", low, high)
	}
	var at []string
	for _, r := range slices.Sorted(maps.Keys(rates)) {
		at = append(at, fmt.Sprintf("%.0f", r))
	}
	fmt.Fprintf(b, "- %d of %d cells, ended %s to %s UTC, %.0f min of measuring in all\n", len(results), len(Rows())*len(Workloads()),
		first.UTC().Format("2006-01-02 15:04"), last.UTC().Format("2006-01-02 15:04"), seconds/60)
	fmt.Fprintf(b, "- mean rate %s requests/s; %d requests, %d failed, %d dropped by the load generator\n", strings.Join(at, ", "), requests, failed, dropped)
}

// overview says which switch pays where.
func overview(b *bytes.Buffer, cells map[string]*Result) {
	fmt.Fprintf(b, `
## Where it pays

*pays*: better on one of the five metrics at least and worse on none, by %.0f %% or more, with an interval of %.1f %% confidence
on that side of zero; *costs*: the reverse; *trades*: both; *unclear*: neither is shown.

`, 100*worthHaving, 100*(1-sureLevel))
	table(b, func(r *Result) string {
		w := WorthOf(r)
		if w != Unclear && w != NotMeasured {
			return "**" + string(w) + "**"
		}
		return string(w)
	}, cells)
}

func table(b *bytes.Buffer, text func(*Result) string, cells map[string]*Result) {
	fmt.Fprintf(b, "| switch | %s |\n|---%s|\n", strings.Join(Workloads(), " | "), strings.Repeat("|---", len(Workloads())))
	for _, s := range Rows() {
		fmt.Fprintf(b, "| %s ", s)
		for _, w := range Workloads() {
			fmt.Fprintf(b, "| %s ", text(cells[w+"/"+s]))
		}
		b.WriteString("|\n")
	}
}

// cellText is "**-31 %** (-35 to -27), 20" or "unclear, -1 % (-3 to +2), 20".
func cellText(r *Result, m controller.Metric) string {
	if r == nil {
		return string(NotMeasured)
	}
	e, ok := r.effect(m)
	if !ok {
		return string(NotMeasured)
	}
	form := "unclear, %s %% (%s to %s), %d"
	if e.Better() || e.Worse() {
		form = "**%s %%** (%s to %s), %d"
	}
	return fmt.Sprintf(form, percent(e.Change), percent(e.Low), percent(e.High), e.Pairs)
}

// percent of a relative change; "?" where an interval is not bounded yet.
func percent(x float64) string {
	switch {
	case x <= math.Expm1(-9.99) || x >= math.Expm1(9.99):
		return "?"
	case math.Abs(x) < 0.0995:
		return fmt.Sprintf("%+.1f", 100*x)
	}
	return fmt.Sprintf("%+.0f", 100*x)
}

// sentences say of one switch where it pays, where it does not, and why.
func sentences(b *bytes.Buffer, name string, cells map[string]*Result) {
	by := map[Worth][]string{}
	hidden := map[string]bool{}
	var first *Result
	for _, w := range Workloads() {
		r := cells[w+"/"+name]
		worth := WorthOf(r)
		if r == nil {
			by[worth] = append(by[worth], w)
			continue
		}
		if first == nil {
			first = r
		}
		if name != catalog.EnableMemory { // which was made to act within a block
			for _, f := range r.NotShown {
				hidden[f] = true
			}
		}
		text := w
		var counted []string
		for _, e := range r.Effects() {
			if e.Counts() {
				counted = append(counted, fmt.Sprintf("%s %s %%", titles[e.Metric], percent(e.Change)))
			}
		}
		if len(counted) > 0 {
			text += " (" + strings.Join(counted, ", ") + ")"
		}
		if name == catalog.EnableAutomatic {
			text += keeping(r)
		}
		by[worth] = append(by[worth], text)
	}
	fmt.Fprintf(b, "**%s**", name)
	switch {
	case first == nil:
		b.WriteString(" was not measured.")
	case len(by[Pays]) == 0 && len(by[Trades]) == 0:
		b.WriteString(" does not pay on any workload that was measured.")
	case len(by[Pays]) > 0:
		fmt.Fprintf(b, " pays on %s.", list(by[Pays]))
	}
	if len(by[Trades]) > 0 {
		fmt.Fprintf(b, " It trades one thing for another on %s.", list(by[Trades]))
	}
	if len(by[Costs]) > 0 {
		fmt.Fprintf(b, " It costs more than it gives on %s.", list(by[Costs]))
	}
	if len(by[Unclear]) > 0 {
		fmt.Fprintf(b, " No effect worth having is shown on %s.", list(by[Unclear]))
	}
	if first != nil && len(by[NotMeasured]) > 0 {
		fmt.Fprintf(b, " Not measured: %s.", list(by[NotMeasured]))
	}
	fmt.Fprintf(b, " %s", acts[name])
	if len(hidden) > 0 {
		fmt.Fprintf(b, " Not shown, because it acts more rarely than a block lasts: %s.", list(slices.Sorted(maps.Keys(hidden))))
	}
	b.WriteString("\n\n")
}

// keeping says what the autopilot kept.
func keeping(r *Result) string {
	kept := "nothing"
	if len(r.Kept) > 0 {
		kept = list(r.Kept)
	}
	return fmt.Sprintf(" [in %.0f s it kept %s, and used %.1f %% of a core itself]", r.Plan.Autopilot, kept, 100*r.AutopilotCPU)
}

func list(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " and " + words[len(words)-1]
}
