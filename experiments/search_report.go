package experiments

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"autotune/report"
)

func searchReport(r *Results) []Table {
	flash := Table{
		Title: "Beside FLASH",
		Head: []string{
			"table", "configurations", "measurements", "n", "search, median rank", "search, mean rank", "FLASH, mean rank",
			"random, mean rank", "greedy, mean rank", "as good as FLASH",
		},
		Note: "FLASH's figures are those published, means of 20 runs; its measurements are rounded down. Ranks are skewed: of a random " +
			"search the median is about 0.7 of the mean. On sol-6d-c2-obj1 the best configurations have throughputs below 0, which " +
			"cannot be: they are a broken service's noise, and which of them is the least no model can tell.",
	}
	for _, f := range flashTables() {
		scenario := "flash/" + f.Name
		t := r.Of(scenario, ours)
		verdict := "yes"
		if why := f.short(t); why != "" {
			verdict = "no: " + why
		}
		flash.Rows = append(flash.Rows, []string{
			f.Name, strconv.Itoa(r.configurations(scenario)), strconv.Itoa(f.Measurements), strconv.Itoa(t.N),
			figure(searchRank, t), figure(searchMeanRank, t), fmt.Sprintf("%.2f", f.MeanRank),
			figure(searchMeanRank, r.Of(scenario, atRandom)), figure(searchMeanRank, r.Of(scenario, "greedy")), verdict,
		})
	}
	out := []Table{flash}
	for _, l := range loggedTables() {
		scenario := "promisetune/" + l.Name
		t := Table{
			Title: fmt.Sprintf("Beside logged tuners: %s, %d configurations, after %d measurements", l.Name, r.configurations(scenario), loggedMeasurements),
			Head:  []string{"tuner", "n", gapMedian, gapMean},
			Note:  "Logged runs are those published with PromiseTune; a run that ended sooner counts as it ended. Ours draw rows of the table.",
		}
		if !l.Asked {
			t.Note += " No claim is made of this table: nobody is far ahead of chance on it."
		}
		for _, c := range byMeanGap(r, scenario) {
			tally := r.Of(scenario, c)
			t.Rows = append(t.Rows, []string{c, strconv.Itoa(len(tally.Values[gapMean])), figure(searchGap, tally), figure(searchMeanGap, tally)})
		}
		out = append(out, t)
	}
	return out
}

// figure of a measure as a table shows it, "-" where there is none.
func figure(m Measure, t *Tally) string {
	if e, ok := m.Take(t); ok {
		return m.Text(e)
	}
	return "-"
}

// configurations of a scenario's table.
func (r *Results) configurations(scenario string) int {
	for _, c := range r.Cells {
		if on, ok := c.Params.(searchOn); ok && c.Scenario == scenario {
			return on.Configurations
		}
	}
	return 0
}

// byMeanGap are the contenders of a scenario, the nearest to the best first.
func byMeanGap(r *Results, scenario string) []string {
	var out []string
	for _, c := range r.Cells {
		if c.Scenario == scenario {
			out = append(out, c.Contender)
		}
	}
	slices.SortStableFunc(out, func(a, b string) int {
		return cmp.Compare(searchMeanGap.value(r.Of(scenario, a)), searchMeanGap.value(r.Of(scenario, b)))
	})
	return out
}

func searchCharts(r *Results) []report.Chart {
	bars := &report.Bars{
		X:     report.Axis{Label: "mean gap", Unit: "%", Zero: true, Most: 30},
		Tones: map[report.Tone]string{report.Good: "search", report.Plain: "others"},
	}
	for _, l := range loggedTables() {
		scenario := "promisetune/" + l.Name
		for _, c := range byMeanGap(r, scenario) {
			tone := report.Plain
			if c == ours {
				tone = report.Good
			}
			if b, ok := measureBar(searchMeanGap, l.Name, strings.TrimSuffix(c, loggedSuffix), r.Of(scenario, c), tone); ok {
				bars.Bars = append(bars.Bars, b)
			}
		}
	}
	return []report.Chart{{
		Title: fmt.Sprintf("How far from the best after %d measurements", loggedMeasurements),
		Alt:   "The mean gap of each tuner on each table with logs, with its interval: 0 % is the best configuration, 100 % the median one.",
		Bars:  bars,
	}}
}
