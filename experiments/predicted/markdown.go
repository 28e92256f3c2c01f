package predicted

import (
	"fmt"
	"math"
	"strings"
)

// Markdown is the comparison for people: what disagrees first, and by name.
// Measured are the cells as read, the control's among them.
func Markdown(measured, cells []Cell) []byte {
	var b strings.Builder
	b.WriteString(`# Predicted and measured

What each switch does to the demonstration service, as the service model (` + "`simulate/plant`" + `) predicts it and as it was measured
live ([effects.csv](effects.csv)). The model runs the comparison that was run live; its parameters are what the parts of the
service cost by themselves, and none was fitted to an effect. An effect is the relative change of the metric with the
switch against without, less is better, with its 95 % interval.

One such interval in twenty leaves out zero by chance. So the table is read as a whole: an effect *stands* if it is among
those of which one in twenty at most is chance (Benjamini and Hochberg 1995). The model *agrees* where it says the same
direction, and an effect within a factor of 2.

`)
	shown, stands, agreed, allowed := 0, 0, 0, 0
	for i := range cells {
		switch c := &cells[i]; {
		case c.Stands && c.Agreement() == Agreed:
			agreed++
			fallthrough
		case c.Stands:
			stands++
			fallthrough
		case c.Shown():
			shown++
		case c.Agreement() == Allowed:
			allowed++
		}
	}
	fmt.Fprintf(&b, `Of %d cells, %d have an interval that leaves out zero, and %d of these stand. **The model agrees with %d of the %d that stand.**
Of the %d cells that show no effect, the interval allows the prediction, or a part of it down to half, in %d.
`, len(cells), shown, stands, agreed, stands, len(cells)-shown, allowed)
	if all, out := control(measured); all > 0 {
		fmt.Fprintf(&b, "Of the control's %d, two configurations that are the same, %d leave out zero.\n", all, out)
	}
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
	table("Stand, and the model disagrees", func(c *Cell) bool { return c.Stands && c.Agreement() != Agreed })
	table("Stand, and the model agrees", func(c *Cell) bool { return c.Stands && c.Agreement() == Agreed })
	table("Leave out zero, and do not stand", func(c *Cell) bool { return c.Shown() && !c.Stands })
	table("Show no effect, and exclude the prediction", func(c *Cell) bool { return c.Agreement() == Outside })
	return []byte(b.String())
}

// control counts the cells of no switch, and those whose interval leaves out zero.
func control(measured []Cell) (all, out int) {
	for i := range measured {
		if measured[i].Switch != controlRow {
			continue
		}
		if all++; measured[i].Shown() {
			out++
		}
	}
	return all, out
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
