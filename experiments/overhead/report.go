package overhead

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"autotune/experiments/live"
	"autotune/internal/stats"
)

// Result is all that was measured.
type Result struct {
	Machine               live.Machine
	LoadBefore, LoadAfter float64 // averages over a minute; -1 if unknown
	Began                 time.Time
	Seconds               float64 // that it all took
	Arms                  []Arm
	Part                  time.Duration // of a block
	TrialBlock            time.Duration
	Procs                 int // of the services
	Rounds                int // of a generation
	Generations           []Generation
	Requests              []RequestCost
}

// measure is a figure of an arm.
type measure struct {
	name, title string
	of          func(Figures) float64
}

// measures in the order of the report.
func measures() []measure {
	return []measure{
		{"throughput", "throughput", func(f Figures) float64 { return f.Throughput }},
		{"latency_p99_seconds", "p99 latency", func(f Figures) float64 { return f.P99 }},
		{"latency_p50_seconds", "median latency", func(f Figures) float64 { return f.P50 }},
		{"cpu_seconds_per_request", "CPU time a request", func(f Figures) float64 { return f.CPU }},
		{"allocs_per_request", "allocations a request", func(f Figures) float64 { return f.Allocs }},
	}
}

// comparison of two arms, in the order of the report.
type comparison struct{ of, to Arm }

// comparisons of each arm to the first, and of the page's to the same without.
func (r *Result) comparisons() []comparison {
	var out []comparison
	for _, a := range r.Arms[1:] {
		out = append(out, comparison{a, r.Arms[0]})
	}
	if slices.Contains(r.Arms, Page) && slices.Contains(r.Arms, Trial) && r.Arms[0] != Trial {
		out = append(out, comparison{Page, Trial})
	}
	return out
}

// Ratio of a measure between two arms, with its exact 95 % interval.
type Ratio struct {
	Of, To           Arm
	Measure          string
	Ratio, Low, High float64
	Generations      int
}

// level of all intervals.
const level = 0.05

// Ratios are of every measure and comparison, by comparison.
func (r *Result) Ratios() []Ratio {
	var out []Ratio
	for _, c := range r.comparisons() {
		for _, m := range measures() {
			out = append(out, r.ratio(c, m))
		}
	}
	return out
}

func (r *Result) ratio(c comparison, m measure) Ratio {
	d := make([]float64, 0, len(r.Generations))
	for _, g := range r.Generations {
		if x := math.Log(m.of(g[c.of]) / m.of(g[c.to])); !math.IsNaN(x) && !math.IsInf(x, 0) {
			d = append(d, x)
		}
	}
	middle, low, high := stats.SignedRank(d, level)
	return Ratio{Of: c.of, To: c.to, Measure: m.name, Ratio: math.Exp(middle), Low: math.Exp(low), High: math.Exp(high), Generations: len(d)}
}

// Markdown is the page.
func (r *Result) Markdown() []byte {
	b := &bytes.Buffer{}
	fmt.Fprintf(b, `# What the autopilot costs

One HTTP service, as a process for each arm, under load from another process: %s.
The services share %d of the processors and take turns in blocks of %v, in an order drawn anew for each round; those whose turn it is
not are stopped. After some dozens of rounds all start afresh: such a generation is one observation, and a ratio is the middle of the
generations' own with its exact 95 %% interval (Hodges-Lehmann and Wilcoxon). Throughput and CPU time are of a closed loop, latencies of
an open one at half of the throughput, from when a request was due, pooled over a generation. Package %s
says why it is done so. Made by %s.

- %s
- load average before and after: %.1f and %.1f, the services and their load included; above the number of cores, others had the machine too
- %d generations of %d rounds, %s UTC, %.0f min in all
- %v: %.0f requests/s, %.1f µs of CPU and %.1f allocations a request, p99 %.2f ms at %.0f requests/s; medians of generations

`, r.arms(), r.Procs, 2*r.Part, "`experiments/overhead`", "`autotune experiment overhead`", r.Machine, r.LoadBefore, r.LoadAfter,
		len(r.Generations), r.Rounds, r.Began.UTC().Format("2006-01-02 15:04"), r.Seconds/60, r.Arms[0],
		r.median(func(f Figures) float64 { return f.Throughput }), 1e6*r.median(func(f Figures) float64 { return f.CPU }),
		r.median(func(f Figures) float64 { return f.Allocs }), 1e3*r.median(func(f Figures) float64 { return f.P99 }),
		r.median(func(f Figures) float64 { return f.Rate }))
	b.WriteString("| ratio ")
	for _, c := range r.comparisons() {
		fmt.Fprintf(b, "| %s ", c)
	}
	fmt.Fprintf(b, "|\n|---%s|\n", strings.Repeat("|---", len(r.comparisons())))
	for _, m := range measures() {
		fmt.Fprintf(b, "| %s ", m.title)
		for _, c := range r.comparisons() {
			x := r.ratio(c, m)
			fmt.Fprintf(b, "| %.4f (%.4f to %.4f) ", x.Ratio, x.Low, x.High)
		}
		b.WriteString("|\n")
	}
	b.WriteString("\n")
	for _, c := range r.comparisons() {
		for _, m := range measures()[:2] {
			fmt.Fprintf(b, "- %s, %s: %s\n", m.title, c, targetOf(r.ratio(c, m), m.name == "throughput"))
		}
	}
	fmt.Fprint(b, `
## A request

What recording adds to a request by itself, without a network: a call with it beside a call without, in randomized pairs of short
blocks (`+"`autotune.Measure`"+`), from one goroutine, in CPU time. The target is 200 ns.

| what | ns | interval | allocations | bytes |
|---|---|---|---|---|
`)
	for _, c := range r.Requests {
		fmt.Fprintf(b, "| %s | %.0f | %.0f to %.0f | %.1f | %.0f |\n", c.Name, c.Added, c.Low, c.High, c.Allocs, c.Bytes)
	}
	b.WriteString("\n`make bench PKG=./experiments/overhead` has the same as Go benchmarks, from several goroutines too.\n")
	return b.Bytes()
}

// arms are told in words.
func (r *Result) arms() string {
	words := map[Arm]string{
		Alone: "*alone*",
		Idle:  "with the middleware and an *idle* autopilot",
		Trial: fmt.Sprintf("*in a trial* all the time, of a knob that moves nothing, with blocks of %v", r.TrialBlock),
		Page:  "in such a trial with the [live page](dashboard.md) open",
		Twin:  "a *twin* of it alone", Burdened: "alone but *burdened* with the work of every tenth request twice",
	}
	var out []string
	for _, a := range r.Arms {
		out = append(out, words[a])
	}
	return strings.Join(out, "; ")
}

// median of a figure of the first arm.
func (r *Result) median(of func(Figures) float64) float64 {
	v := make([]float64, 0, len(r.Generations))
	for _, g := range r.Generations {
		v = append(v, of(g[r.Arms[0]]))
	}
	return stats.Median(v)
}

// String is a comparison's heading.
func (c comparison) String() string {
	if c.of == Page && c.to == Trial {
		return "page open to closed, in a trial"
	}
	return c.of.String() + " to " + c.to.String()
}

// target is what a ratio may cost.
const target = 0.01

// targetOf says whether the interval shows that it is met, that it is not, or neither.
func targetOf(x Ratio, moreIsBetter bool) string {
	cost, least, most := x.Ratio-1, x.Low-1, x.High-1
	if moreIsBetter {
		cost, least, most = 1-x.Ratio, 1-x.High, 1-x.Low
	}
	switch {
	case most < target:
		return fmt.Sprintf("costs %.2f %%, below 1 %% with all of the interval: met", 100*cost)
	case least > target:
		return fmt.Sprintf("costs %.2f %%, above 1 %% with all of the interval: not met", 100*cost)
	}
	return fmt.Sprintf("costs %.2f %%, and the interval has 1 %% within it (up to %.2f %%): not decided", 100*cost, 100*most)
}

// CSV has the ratios, one a row, then the costs of a request with nanoseconds in
// the place of ratios.
func (r *Result) CSV() []byte {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	g := func(v float64) string { return strconv.FormatFloat(v, 'g', 6, 64) }
	_ = w.Write([]string{"measure", "of", "to", "value", "low", "high", "generations"})
	for _, x := range r.Ratios() {
		_ = w.Write([]string{x.Measure + "_ratio", x.Of.String(), x.To.String(), g(x.Ratio), g(x.Low), g(x.High), strconv.Itoa(x.Generations)})
	}
	for _, c := range r.Requests {
		_ = w.Write([]string{"added_ns_per_request", c.Name, "unrecorded", g(c.Added), g(c.Low), g(c.High), ""})
		_ = w.Write([]string{"added_allocs_per_request", c.Name, "unrecorded", g(c.Allocs), "", "", ""})
	}
	w.Flush() // to a buffer: nothing can fail
	return b.Bytes()
}
