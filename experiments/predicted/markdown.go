package predicted

import (
	"fmt"
	"math"
	"strings"
)

// Markdown is the comparison for people: what disagrees first, and by name.
func Markdown(cells []Cell) []byte {
	var b strings.Builder
	count := map[Agreement]int{}
	for i := range cells {
		count[cells[i].Agreement()]++
	}
	shown := count[Agreed] + count[Factor] + count[Opposed]
	b.WriteString(`# Predicted and measured

What each switch does to the demonstration service, as the service model (` + "`simulate/plant`" + `) predicts it and as it was measured
live ([effects.csv](effects.csv)). The model runs the comparison that was run live; its parameters are what the parts of the
service cost by themselves, and none was fitted to an effect. An effect is the relative change of the metric with the
switch against without, less is better, with its 95 % interval.

`)
	acts, agreed := 0, 0
	for i := range cells {
		if c := &cells[i]; c.Shown() && c.Acts() {
			acts++
			if c.Agreement() == Agreed {
				agreed++
			}
		}
	}
	fmt.Fprintf(&b, `Of %d cells, %d show an effect live. The model says so too in %d of these: **%d of %d agree** (the same direction, and within a
factor of 2). In the other %d the model knows nothing that the switch could act on: an effect that it lacks, or chance, by which up
to %d of so many intervals exclude zero. Of the %d cells that show no effect, the interval allows the prediction, or a part of it down to half, in %d.
`, len(cells), shown, acts, agreed, acts, shown-acts, (len(cells)+10)/20, len(cells)-shown, count[Allowed])
	table := func(title string, in func(*Cell) bool) {
		fmt.Fprintf(&b, "\n## %s\n\n", title)
		some := false
		for i := range cells {
			c := &cells[i]
			if !in(c) {
				continue
			}
			if !some {
				b.WriteString("| switch | workload | metric | predicted | measured | |\n|---|---|---|---|---|---|\n")
				some = true
			}
			fmt.Fprintf(&b, "| %s | %s | %s | %s (%s to %s) | %s (%s to %s) | %s |\n", c.Switch, c.Workload, c.Live.Metric,
				percent(c.Model.Effect), percent(c.Model.Low), percent(c.Model.High),
				percent(c.Live.Effect), percent(c.Live.Low), percent(c.Live.High), c.Agreement())
		}
		if !some {
			b.WriteString("None.\n")
		}
	}
	table("Both show an effect, and disagree", func(c *Cell) bool { return c.Shown() && c.Acts() && c.Agreement() != Agreed })
	table("Both show an effect, and agree", func(c *Cell) bool { return c.Shown() && c.Acts() && c.Agreement() == Agreed })
	table("Shown live, where the model knows nothing to act on", func(c *Cell) bool { return c.Shown() && !c.Acts() })
	table("Not shown live, and the interval excludes the prediction", func(c *Cell) bool { return c.Agreement() == Outside })
	return []byte(b.String())
}

func percent(v float64) string {
	if v = 100 * v; math.Abs(v) < 0.05 {
		v = 0
	}
	if v == 0 {
		return "0 %"
	}
	return fmt.Sprintf("%+.1f %%", v)
}
