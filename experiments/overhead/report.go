package overhead

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"math"
	"strconv"
	"time"

	"autotune/experiments/live"
	"autotune/internal/stats"
)

// Result is all that was measured.
type Result struct {
	Machine               live.Machine
	LoadBefore, LoadAfter float64 // averages over a minute; -1 if unknown
	Began                 time.Time
	Seconds               float64       // that it all took
	Part                  time.Duration // of a block
	Procs                 int           // of the service
	Rate                  float64       // of the open loop, requests a second
	Rounds                []Round
	Requests              []RequestCost
}

// measure is a figure of a block.
type measure struct {
	name, title string
	of          func(Block) float64
}

// measures in the order of the report.
func measures() []measure {
	return []measure{
		{"throughput", "throughput", func(b Block) float64 { return b.Throughput }},
		{"latency_p99_seconds", "p99 latency", func(b Block) float64 { return b.P99 }},
		{"latency_p50_seconds", "median latency", func(b Block) float64 { return b.P50 }},
		{"cpu_seconds_per_request", "CPU time a request", func(b Block) float64 { return b.CPU }},
		{"allocs_per_request", "allocations a request", func(b Block) float64 { return b.Allocs }},
	}
}

// comparison of two arms, in the order of the report.
type comparison struct{ of, to Arm }

func comparisons() []comparison {
	return []comparison{{Idle, Alone}, {Trial, Alone}, {Page, Trial}, {Page, Alone}}
}

// Ratio of a measure between two arms, with its exact 95 % interval.
type Ratio struct {
	Of, To           Arm
	Measure          string
	Ratio, Low, High float64
	Rounds           int
}

// level of all intervals.
const level = 0.05

// Ratios are of every measure and comparison, by comparison.
func (r *Result) Ratios() []Ratio {
	var out []Ratio
	for _, c := range comparisons() {
		for _, m := range measures() {
			out = append(out, r.ratio(c, m))
		}
	}
	return out
}

func (r *Result) ratio(c comparison, m measure) Ratio {
	d := make([]float64, 0, len(r.Rounds))
	for _, round := range r.Rounds {
		if x := math.Log(m.of(round[c.of]) / m.of(round[c.to])); !math.IsNaN(x) && !math.IsInf(x, 0) {
			d = append(d, x)
		}
	}
	middle, low, high := stats.SignedRank(d, level)
	return Ratio{Of: c.of, To: c.to, Measure: m.name, Ratio: math.Exp(middle), Low: math.Exp(low), High: math.Exp(high), Rounds: len(d)}
}

// Markdown is the page.
func (r *Result) Markdown() []byte {
	b := &bytes.Buffer{}
	fmt.Fprintf(b, `# What the autopilot costs

One HTTP service on %d of the processors under load from another process, in four arms that take turns in blocks of some seconds, in
an order drawn anew for each round: alone; with the middleware and an *idle* autopilot; *in a trial* all the time, of a knob that moves
nothing, with blocks of %.2g s, by default five times as long; and in a trial with the [live page](dashboard.md) open. A ratio is
the middle of the rounds' own ratios with its exact 95 %% interval (Hodges-Lehmann and Wilcoxon). Throughput, CPU time and
allocations are of a closed loop, latencies of an open one at half of the throughput, from when a request was due. Package
%s says why it is done so. Made by %s.

- %s
- load average before and after: %.1f and %.1f, the service and its load included; above the number of cores, others had the machine too
- %d rounds, parts of %v, %s UTC, %.0f min in all
- alone: %.0f requests/s, %.0f µs of CPU and %.0f allocations a request, p99 %.2f ms at %.0f requests/s; medians of rounds

`, r.Procs, trialBlock(r.Part).Seconds(), "`experiments/overhead`", "`autotune experiment overhead`", r.Machine, r.LoadBefore, r.LoadAfter,
		len(r.Rounds), r.Part, r.Began.UTC().Format("2006-01-02 15:04"), r.Seconds/60,
		r.median(Block.throughput), 1e6*r.median(Block.cpu), r.median(Block.allocs), 1e3*r.median(Block.p99), r.Rate)
	fmt.Fprint(b, "| ratio | idle to alone | in trial to alone | page open to closed, in a trial | page open to alone |\n|---|---|---|---|---|\n")
	for _, m := range measures() {
		fmt.Fprintf(b, "| %s ", m.title)
		for _, c := range comparisons() {
			x := r.ratio(c, m)
			fmt.Fprintf(b, "| %.4f (%.4f to %.4f) ", x.Ratio, x.Low, x.High)
		}
		b.WriteString("|\n")
	}
	b.WriteString("\n")
	for _, c := range comparisons()[:3] {
		for _, m := range measures()[:2] {
			fmt.Fprintf(b, "- %s, %s: %s\n", m.title, c.words(), targetOf(r.ratio(c, m), m.name == "throughput"))
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

func (b Block) throughput() float64 { return b.Throughput }
func (b Block) cpu() float64        { return b.CPU }
func (b Block) allocs() float64     { return b.Allocs }
func (b Block) p99() float64        { return b.P99 }

// median of a figure of the service alone.
func (r *Result) median(of func(Block) float64) float64 {
	v := make([]float64, 0, len(r.Rounds))
	for _, round := range r.Rounds {
		v = append(v, of(round[Alone]))
	}
	return stats.Median(v)
}

func (c comparison) words() string {
	if c.of == Page && c.to == Trial {
		return "page open to closed"
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
	_ = w.Write([]string{"measure", "of", "to", "value", "low", "high", "rounds"})
	for _, x := range r.Ratios() {
		_ = w.Write([]string{x.Measure + "_ratio", x.Of.String(), x.To.String(), g(x.Ratio), g(x.Low), g(x.High), strconv.Itoa(x.Rounds)})
	}
	for _, c := range r.Requests {
		_ = w.Write([]string{"added_ns_per_request", c.Name, "unrecorded", g(c.Added), g(c.Low), g(c.High), ""})
		_ = w.Write([]string{"added_allocs_per_request", c.Name, "unrecorded", g(c.Allocs), "", "", ""})
	}
	w.Flush() // to a buffer: nothing can fail
	return b.Bytes()
}
