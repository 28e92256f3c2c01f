package experiments

import (
	"fmt"

	"autotune/internal/stats"
)

// gainful are the scenarios with something to gain that were played.
func gainful(r *Results) (gain, still []string) {
	for _, w := range workloads() {
		switch {
		case r.Of(w.Name, byGuide).N == 0:
		case w.still:
			still = append(still, w.Name)
		case len(r.Of(w.Name, byGuide).Values[gainTime]) > 0:
			gain = append(gain, w.Name)
		}
	}
	return gain, still
}

// sooner are the differences in the time to the gain, by seed, on average of the
// scenarios: below 0 the first is sooner.
func sooner(r *Results, scenarios []string, first, second string) Estimate {
	var sums []float64
	for _, s := range scenarios {
		a, b := r.Of(s, first).Values[gainTime], r.Of(s, second).Values[gainTime]
		for i := range min(len(a), len(b)) {
			if i >= len(sums) {
				sums = append(sums, 0)
			}
			sums[i] += (a[i] - b[i]) / float64(len(scenarios))
		}
	}
	e, _ := Measure{Name: gainTime, Of: Mean}.Take(&Tally{N: len(sums), Values: map[string][]float64{gainTime: sums}})
	return e
}

func orderClaims(r *Results) []Claim {
	gain, still := gainful(r)
	var claims []Claim
	for _, other := range []string{byOrder, byChance} {
		e := sooner(r, gain, byGuide, other)
		claims = append(claims, Claim{
			Text:   fmt.Sprintf("the guide has 90 %% of the oracle's gain sooner than %s, on average of the workloads", other),
			Figure: fmt.Sprintf("%+.0f s (%+.0f..%+.0f), means of %d seeds; %s", e.Value, e.Low, e.High, e.N, medians(r, gain, byGuide, other)), Holds: e.High < 0,
		})
	}
	e := sooner(r, gain, byGuide, byPlain)
	claims = append(claims, Claim{
		Text:   fmt.Sprintf("the guide has 90 %% of the oracle's gain no later than %s, on average of the workloads", byPlain),
		Figure: fmt.Sprintf("%+.0f s (%+.0f..%+.0f), means of %d seeds; %s", e.Value, e.Low, e.High, e.N, medians(r, gain, byGuide, byPlain)), Holds: e.Low <= 0,
	})
	for _, s := range gain {
		ours := stats.Median(r.Of(s, byGuide).Values[gainTime])
		for _, other := range []string{byOrder, byChance} {
			theirs := stats.Median(r.Of(s, other).Values[gainTime])
			claims = append(claims, Claim{
				Text:   fmt.Sprintf("%s: no later than %s, by the median", s, other),
				Figure: fmt.Sprintf("%.0f s against %.0f s, n=%d", ours, theirs, r.Of(s, byGuide).N), Holds: ours <= theirs+slack(r),
			})
		}
	}
	for _, s := range still {
		t := r.Of(s, byGuide)
		e, _ := Measure{Name: atInitial, Of: Rate}.Take(t)
		tries := stats.Median(t.Values[triedTrials])
		claims = append(claims, Claim{
			Text:   fmt.Sprintf("%s: the guide ends at the baseline", s),
			Figure: fmt.Sprintf("in %.0f %% of %d sessions, after %.0f trials (median)", 100*e.Value, e.N, tries), Holds: e.Value >= 0.9,
		})
	}
	return append(claims, rivalClaims(r, gain, still)...)
}

// slack in seconds: a few pairs are luck, and with two seeds a trial is.
func slack(r *Results) float64 {
	if r.Short {
		return 240
	}
	return 15
}

func medians(r *Results, scenarios []string, names ...string) string {
	text := "medians over all sessions"
	for _, name := range names {
		var all []float64
		for _, s := range scenarios {
			all = append(all, r.Of(s, name).Values[gainTime]...)
		}
		text += fmt.Sprintf(", %s %.0f s", name, stats.Median(all))
	}
	return text
}

func orderTables(r *Results) []Table {
	m := Order().Measures
	var out []Table
	for _, w := range workloads() {
		t := Table{Title: w.Name, Head: []string{"policy", "n"}, Note: w.For}
		if !w.still {
			t.Note += fmt.Sprintf(". A time of %.0f s is a session that never had the gain, or gave it back.", orderLong.Seconds())
		}
		for _, x := range m {
			t.Head = append(t.Head, x.Name)
		}
		for _, p := range proposers() {
			if tally := r.Of(w.Name, p.name); tally.N > 0 {
				t.Rows = append(t.Rows, append([]string{p.name}, figures(tally, m)...))
			}
		}
		if len(t.Rows) > 0 {
			out = append(out, t)
		}
	}
	return out
}
