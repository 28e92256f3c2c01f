package terminal

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"autotune"
	"autotune/controller"
)

// scene is all that a frame shows: a copy, fixed when the frame is made.
type scene struct {
	status *autotune.Status // nil: none yet
	stage  *stage           // nil: the autopilot is at work
	start  time.Time
	until  time.Time // zero: not known
	now    time.Time
	whole  bool            // the service is shown too
	point  *autotune.Point // what was measured last; nil: nothing
	link   string          // what is wrong with where it comes from; "": nothing
}

// stage is another part of a run: seeding, warming up, the final check.
type stage struct {
	name     string
	done, of int // of 0: not known
}

// Columns that rows need, whatever the width.
const (
	labelWidth  = 9 // "  blocks "
	numberWidth = 4 // of an e-value
	mostBar     = 40
)

// row is a line of a frame. In a low window those of a high rank go first.
type row struct {
	rank int
	text string
}

// style draws what depends on the terminal's characters.
type style struct {
	bar      mpb.BarFiller
	edges    int // columns of a bar that are never filled
	ellipsis string
}

// newStyle draws with blocks, or with ASCII where the locale has no others.
func newStyle(ascii bool) style {
	if ascii {
		return style{mpb.BarStyle().Lbound("[").Filler("#").Tip("#").Padding("-").Rbound("]").Build(), 2, "..."}
	}
	return style{mpb.BarStyle().Lbound("").Filler("█").Tip("█").Padding("░").Rbound("").Build(), 0, "…"}
}

// meter is a bar of n columns, filled to a share of 0..1, rounded down: only a
// share of 1 fills it.
func (s style) meter(share float64, n int) string {
	if n < 3 {
		return ""
	}
	var b strings.Builder
	cells := n - s.edges
	full := int64(min(max(share, 0), 1) * float64(cells))
	stat := decor.Statistics{AvailableWidth: n, RequestedWidth: n, Total: int64(cells), Current: full}
	if err := s.bar.Fill(&b, stat); err != nil {
		return ""
	}
	return b.String()
}

// frame is the live area: at most high lines, each at most wide-1 columns, so
// that no terminal wraps one.
func (s style) frame(sc *scene, wide, high int) []string {
	rows := s.rows(sc, wide-1)
	for len(rows) > max(high, 1) {
		last := 0
		for i, r := range rows {
			if r.rank >= rows[last].rank {
				last = i
			}
		}
		rows = slices.Delete(rows, last, last+1)
	}
	lines := make([]string, len(rows))
	for i, r := range rows {
		lines[i] = cut(r.text, wide-1, s.ellipsis)
	}
	return lines
}

// labeled is a row with a name in its left column.
func labeled(rank int, label, text string) row {
	return row{rank, "  " + pad(label, labelWidth-2, false) + text}
}

func (s style) rows(sc *scene, wide int) []row {
	rows := []row{{9, ""}}
	add := func(rank int, label, text string) { rows = append(rows, labeled(rank, label, text)) }
	room := wide - labelWidth
	bar := min(2*room/5, mostBar)

	if sc.link != "" {
		add(0, "link", clean(sc.link))
	}
	switch {
	case sc.stage != nil && sc.stage.of > 0:
		g := sc.stage
		add(1, "stage", clean(g.name))
		add(2, "done", s.meter(float64(g.done)/float64(g.of), bar)+fmt.Sprintf("  %d of %d", g.done, g.of))
	case sc.stage != nil:
		add(1, "stage", clean(sc.stage.name))
	case sc.status != nil:
		add(1, "state", state(&sc.status.Status))
		switch t := sc.status.Trial; {
		case t != nil:
			rows = append(rows, s.trialRows(t, wide, bar)...)
		case sc.status.Phase == controller.Measuring:
			of := max(sc.status.MeasuredOf, 1)
			add(2, "blocks", s.meter(float64(sc.status.Measured)/float64(of), bar)+
				fmt.Sprintf("  %d of %d", sc.status.Measured, sc.status.MeasuredOf))
		}
	}
	if sc.status != nil {
		rows = append(rows, s.keptRows(&sc.status.Status, room)...)
		if sc.whole {
			rows = append(rows, s.serviceRows(sc, room)...)
		}
	}
	if text := s.timeText(sc, bar, room); text != "" {
		add(2, "time", text)
	}
	return rows
}

// The heading of the goals' effects, and of their evidence where it fits.
const (
	heading = "   effect  95 % interval"
	legend  = "     a full bar decides"
)

// trialRows show what is tried and why, pairs so far, and for each goal effect
// and evidence.
func (s style) trialRows(t *controller.Trial, wide, bar int) []row {
	rows := []row{labeled(2, "trial", fmt.Sprintf("%d, %s", t.ID, name(t)))}
	if t.Audit != 0 {
		rows = []row{labeled(2, "audit", fmt.Sprintf("of trial %d, %s", t.Audit, name(t)))}
	}
	if t.Why != "" {
		rows = append(rows, twoRows("why", 7, 9, wrap(clean(t.Why), wide-labelWidth, ""))...)
	}
	rows = append(rows, labeled(3, "pairs", s.meter(float64(t.Pairs)/float64(max(t.Cap, 1)), bar)+
		fmt.Sprintf("  %d of at most %d", t.Pairs, t.Cap)))
	names := 0
	for _, e := range t.Effects {
		names = max(names, width(string(e.Metric)))
	}
	if names > 0 && wide >= len("  ")+names+len(heading) {
		head := "  " + pad("", names, false) + heading
		if wide >= len(head)+len(legend) {
			head += legend
		}
		rows = append(rows, row{8, head})
	}
	for i, e := range t.Effects {
		rank := 3
		if i > 0 {
			rank = 5
		}
		effect := "no pair yet"
		if t.Pairs > 0 {
			effect = pad(percent(e.Change), 7, true) + "  " + interval(e.Low, e.High)
		}
		rows = append(rows,
			row{rank, "  " + pad(clean(string(e.Metric)), names, false) + "  " + effect},
			row{rank + 1, s.evidence(&e, wide)})
	}
	return rows
}

// evidence shows the three tests of a goal as bars on a log scale; a full one
// is enough for that decision.
func (s style) evidence(e *controller.Effect, wide int) string {
	const gap = 2
	indent := 4
	type test struct {
		label         string
		value, enough float64
	}
	tests := []test{{"better", e.Better, e.BetterAt}, {"worse", e.Worse, e.WorseAt}, {"futile", e.Futile, e.FutileAt}}
	number := func(t test) string { return pad(evalue(t.value), numberWidth, true) }
	cell := (wide - indent - 2*gap) / len(tests)
	ofWidth := 0
	if cell >= 32 { // room to say what is enough
		ofWidth = len(" of ") + numberWidth
	}
	bar := min(cell-len("better ")-1-numberWidth-ofWidth, mostBar)
	if s.meter(0, bar) == "" { // no room for bars: at least the numbers
		indent, ofWidth = 2, 0
	}
	parts := make([]string, len(tests))
	for i, t := range tests {
		meter := s.meter(towards(t.value, t.enough), bar)
		of := ""
		if ofWidth > 0 {
			of = pad(" of "+evalue(t.enough), ofWidth, false)
		}
		if t.enough == 0 { // watched, and never the reason that a trial ends
			meter = pad("", width(meter), false)
			of = pad("", ofWidth, false)
		}
		label := t.label
		if meter != "" {
			label += " "
		}
		parts[i] = label + meter + " " + number(t) + of
	}
	return strings.Repeat(" ", indent) + strings.TrimRight(strings.Join(parts, strings.Repeat(" ", gap)), " ")
}

// keptRows show what is kept now, in at most two rows, and how trials ended.
func (s style) keptRows(st *controller.Status, room int) []row {
	list := kept(st)
	if len(list) == 0 {
		list = []string{"nothing changed so far"}
	}
	rows := twoRows("kept", 4, 8, wrapList(list, room))
	if len(st.Ended) > 0 {
		rows = append(rows, labeled(8, "tried", tally(st.Ended)))
	}
	return rows
}

// twoRows are the lines of a text that has a label; what is more than two rows
// is left for the frame to cut.
func twoRows(label string, first, second int, lines []string) []row {
	rows := []row{labeled(first, label, lines[0])}
	if len(lines) > 1 {
		rows = append(rows, labeled(second, "", strings.Join(lines[1:], " ")))
	}
	return rows
}

// wrapList joins items with commas into lines of at most n columns.
func wrapList(items []string, n int) []string {
	var lines []string
	line := ""
	for i, item := range items {
		if i < len(items)-1 {
			item += ","
		}
		switch {
		case line == "":
			line = item
		case width(line)+1+width(item) <= n:
			line += " " + item
		default:
			lines = append(lines, line)
			line = item
		}
	}
	return append(lines, line)
}

// timeText is the time left, or the time so far where no end is known, and what
// the autopilot itself costs where there is room to say so.
func (s style) timeText(sc *scene, bar, room int) string {
	var text string
	switch {
	case sc.whole && sc.status != nil: // what is watched began before the watching
		text = "as of " + sc.status.At.In(sc.now.Location()).Format(time.TimeOnly)
		if !sc.until.IsZero() {
			text += ", " + span(sc.until.Sub(sc.now)) + " left"
		}
	case sc.until.IsZero():
		text = span(sc.now.Sub(sc.start)) + " so far"
	default:
		whole, gone := sc.until.Sub(sc.start), sc.now.Sub(sc.start)
		share := 1.0
		if whole > 0 {
			share = gone.Seconds() / whole.Seconds()
		}
		text = s.meter(share, bar) + "  " + span(sc.until.Sub(sc.now)) + " left"
	}
	if sc.status != nil && sc.status.CPURatio > 0 {
		cost := fmt.Sprintf(", autopilot %.2f %% of a core", 100*sc.status.CPURatio)
		if width(text+cost) <= room {
			text += cost
		}
	}
	return text
}
