package experiments

import (
	"fmt"
	"slices"
	"strings"

	"gonum.org/v1/gonum/floats"

	"autotune/internal/stats"
)

// sooners are the judges with which the guide may have the gain no later than with the
// Controller, or sooner by so many seconds at most, on average of the workloads, and why.
var sooners = map[string]struct {
	most float64
	why  string
}{
	Window().Name:    {150, "it keeps on one look, a verdict takes nine pairs or more, and of what the guide proposes on these workloads hardly anything harms. See contenders and noisy for where much does"},
	Threshold().Name: {120, "it keeps what five checks do not find much worse, a verdict takes nine pairs or more, and of what the guide proposes on these workloads hardly anything harms. See contenders and noisy for where much does"},
}

// rivalClaims are what the Controller is worth to the guide, beside other judges.
func rivalClaims(r *Results, gain, still []string) []Claim {
	var claims []Claim
	for _, j := range judges() {
		e := sooner(r, gain, byGuide, j.Name)
		c := Claim{
			Text:   fmt.Sprintf("judged by the Controller, what the guide proposes has 90 %% of the oracle's gain sooner than judged by %s, on average of the workloads", j.Name),
			Figure: fmt.Sprintf("%+.0f s (%+.0f..%+.0f), means of %d seeds; medians %s", e.Value, e.Low, e.High, e.N, eachMedian(r, gain, j.Name)), Holds: e.High < 0,
		}
		if x, ok := sooners[j.Name]; ok && !c.Holds {
			c.Text = fmt.Sprintf("judged by the Controller, what the guide proposes has 90 %% of the oracle's gain no sooner than judged by %s, but later by at most %.0f s on average of the workloads: %s", j.Name, x.most, x.why)
			c.Holds = e.Value <= x.most
		}
		claims = append(claims, c)
	}
	bad, of := worseKeeps(r, byGuide)
	claims = append(claims, Claim{
		Text:   fmt.Sprintf("judged by the Controller at most %.0f %% of keeps are truly worse than what they replaced", 100*mostWorse),
		Figure: fmt.Sprintf("%s; %s", outOf(bad, of), each(func(j Rule) string { return outOf(worseKeeps(r, j.Name)) })), Holds: bad <= mostWorse*of,
	})
	still = slices.DeleteFunc(slices.Clone(still), func(s string) bool { return r.Of(s, judges()[0].Name).N == 0 })
	ours := ends(r, still, byGuide)
	holds := true
	for _, j := range judges() {
		_, tests := sooners[j.Name]
		holds = holds && (!tests || ends(r, still, j.Name) <= ours)
	}
	return append(claims, Claim{
		Text:   fmt.Sprintf("%s: what the guide proposes ends at the baseline no less often judged by the Controller than by who keeps without a test", strings.Join(still, ", ")),
		Figure: fmt.Sprintf("in %.0f %% of sessions; %s", 100*ours, each(func(j Rule) string { return fmt.Sprintf("%.0f %%", 100*ends(r, still, j.Name)) })), Holds: holds,
	})
}

// each judge, with what is said of it.
func each(say func(Rule) string) string {
	var out []string
	for _, j := range judges() {
		out = append(out, j.Name+": "+say(j))
	}
	return strings.Join(out, ", ")
}

// eachMedian has the medians of the time to the gain, by workload.
func eachMedian(r *Results, scenarios []string, rival string) string {
	var out []string
	for _, s := range scenarios {
		of := func(name string) float64 { return stats.Median(r.Of(s, name).Values[gainTime]) }
		out = append(out, fmt.Sprintf("%s %.0f s against %.0f s", s, of(byGuide), of(rival)))
	}
	return strings.Join(out, ", ")
}

// worseKeeps are the keeps of all scenarios that are truly worse, and all of them.
func worseKeeps(r *Results, contender string) (bad, of float64) {
	t := r.Where(func(c Cell) bool { return c.Contender == contender })
	return floats.Sum(t.Values[keptWorseOf]), floats.Sum(t.Values[keeps])
}

func outOf(bad, of float64) string { return fmt.Sprintf("%.0f of %.0f", bad, of) }

// ends is the share of sessions that end as they began.
func ends(r *Results, scenarios []string, contender string) float64 {
	k, n := 0, 0
	for _, s := range scenarios {
		t := r.Of(s, contender)
		k, n = k+t.Counts[atInitial], n+t.N
	}
	return float64(k) / float64(max(n, 1))
}
