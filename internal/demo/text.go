package demo

import (
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"
	"text/tabwriter"

	"autotune/controller"
)

// WriteText writes the summary for people.
func (s *Summary) WriteText(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "\nseed %d, %.0f s, %d requests, %d failed, %d dropped\n", s.Seed, s.Seconds, s.Load.Sent, s.Load.Failed, s.Load.Dropped)
	if s.Interrupted {
		b.WriteString("interrupted: the candidate was withdrawn; what was kept stays\n")
	}
	if len(s.Tried) > 0 {
		b.WriteString("\nTried\n")
		for _, t := range s.Tried {
			fmt.Fprintf(&b, "  %s %s: %s, %s, %d of %d pairs\n", t.Name, t.Move, t.Outcome, t.Reason, t.Pairs, t.Cap)
			if t.Pairs > 0 {
				fmt.Fprintf(&b, "      %s %s\n", t.Metric, interval(t.Effect, t.Low, t.High, t.Pairs))
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.Untried)) {
		fmt.Fprintf(&b, "  %s was not tried: %s\n", name, s.Untried[name])
	}
	if len(s.Advice) > 0 {
		b.WriteString("\nWould try, in this order (nothing was changed)\n")
		for _, a := range s.Advice {
			fmt.Fprintf(&b, "  %s %s (%s)\n      %s\n", a.Name, a.Move, controller.SettingOf(a.Change), a.Why)
		}
	}
	b.WriteString("\n")
	lines(&b, "Kept", s.Kept)
	lines(&b, "Put back", s.Reverted)
	if len(s.RolledBack) > 0 {
		lines(&b, "Rolled back by an audit", s.RolledBack)
	}
	var changed []string
	for name, now := range s.Final.All() {
		if was, _ := s.Initial.Get(name); was != now {
			changed = append(changed, fmt.Sprintf("%s %v -> %v", name, was, now))
		}
	}
	lines(&b, "Changed", changed)
	if len(s.Check) > 0 {
		b.WriteString("\nCheck: final against initial setting, in randomized blocks\n")
		table(&b, func(row func(cells ...any)) {
			for _, c := range s.Check {
				row("  "+string(c.Metric), c.Verdict, interval(c.Effect, c.Low, c.High, c.Pairs), fmt.Sprintf("%d pairs", c.Pairs))
			}
		})
	}
	fmt.Fprintf(&b, "\nThe autopilot itself used %.2f %% of one core, %.2f %% of the service's CPU time.\n", 100*s.AutopilotCPU, 100*s.AutopilotShare)
	_, err := io.WriteString(w, b.String())
	return err
}

func table(b *strings.Builder, fill func(row func(cells ...any))) {
	t := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	fill(func(cells ...any) {
		for i, c := range cells {
			if i > 0 {
				fmt.Fprint(t, "\t")
			}
			fmt.Fprint(t, c)
		}
		fmt.Fprintln(t)
	})
	_ = t.Flush() // a Builder does not fail
}

// interval formats an effect with its interval: "-31 % (-35 % to -27 %)".
func interval(mid, low, high float64, pairs int) string {
	if pairs == 0 {
		return "-"
	}
	return fmt.Sprintf("%s (%s to %s)", percent(mid), percent(low), percent(high))
}

// unbounded is where an interval is not bounded yet: ends of controller effects
// lie at plus or minus ten log units then.
var unboundedLow, unboundedHigh = math.Expm1(-9.99), math.Expm1(9.99)

func percent(x float64) string {
	if x <= unboundedLow || x >= unboundedHigh {
		return "?"
	}
	return fmt.Sprintf("%+.0f %%", 100*x)
}

// lines writes a heading and what belongs under it, one a line.
func lines(b *strings.Builder, heading string, what []string) {
	if len(what) == 0 {
		what = []string{"nothing"}
	}
	for i, w := range what {
		if i > 0 {
			heading = ""
		}
		fmt.Fprintf(b, "%-9s %s\n", heading, w)
	}
}
