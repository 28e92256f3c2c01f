package history

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"unicode"
	"unicode/utf8"

	"autotune/controller"
	"autotune/report"
)

// mostMarks and mostEffects are how many a chart can hold and still be read.
const (
	mostMarks   = 120
	mostEffects = 40
)

var armNames = [2]string{"safe setting", "candidate"}

// trajectory is a goal over time. It returns false if it was never measured.
func (h *history) trajectory(g controller.Goal) (report.Chart, bool) {
	unit, scale := axisTime(h.observed)
	l := &report.Lines{X: report.Axis{Label: "time observed", Unit: unit, Zero: true}, ShadeName: "candidate in force", Marks: h.marks(scale)}
	var all []float64
	n, failed := [2]int{}, 0
	for arm, name := range armNames {
		s := report.Series{Name: name, Dots: arm == 1}
		gap := false
		for i := range h.track.bins {
			b := &h.track.bins[i]
			gap = gap || b.gap
			if b.arms[arm] == nil {
				continue
			}
			v, ok := b.arms[arm].Value(g.Metric)
			switch {
			case !ok:
				continue
			case hopeless(g.Metric, v):
				failed++
				gap = true
				continue
			}
			x := (float64(i) + 0.5) * h.track.width.Seconds() * scale
			s.Points = append(s.Points, report.Point{X: x, Y: v, N: int(b.arms[arm].Totals[controller.Requests]), Gap: gap})
			all, gap = append(all, v), false
			n[arm]++
		}
		if len(s.Points) > 0 {
			l.Series = append(l.Series, s)
		}
	}
	if len(all) == 0 {
		return report.Chart{}, false
	}
	slices.Sort(all)
	q := quantityOf(g.Metric, all[len(all)/2])
	for _, s := range l.Series {
		for i := range s.Points {
			p := &s.Points[i]
			p.Y *= q.scale
			p.Low, p.High = p.Y, p.Y
		}
	}
	l.Y = report.Axis{Label: q.label, Unit: q.unit}
	low, high := all[0], all[len(all)-1]
	most := 1.5 * all[(len(all)-1)*97/100]
	giants := 0
	switch {
	case high > 2*most && most <= 10*all[len(all)/2]: // a few giants
		l.Y.Most = most * q.scale
		for _, v := range all {
			if v > most {
				giants++
			}
		}
	case low > 0 && high > 20*low:
		l.Y.Log = true
	}
	for _, s := range h.shades.all {
		l.Shades = append(l.Shades, report.Shade{From: s.from.Seconds() * scale, To: s.to.Seconds() * scale})
	}
	kept, back, rolled := h.outcomes()
	note := fmt.Sprintf("Each point is what was measured in %s under one setting.", clock(h.track.width))
	if h.shades.apart > 0 {
		note += fmt.Sprintf(" Blocks of a candidate that are less than %s apart are shaded as one.", clock(h.shades.apart))
	}
	if h.sessions > 1 {
		note += " Time between two processes is left out, and the line is broken there."
	}
	if giants > 0 {
		note += fmt.Sprintf(" %d points are above the picture and drawn at its edge, up to %.4g %s.", giants, high*q.scale, q.unit)
	}
	if failed > 0 {
		note += fmt.Sprintf(" %d points are left out: too many requests failed for a latency to be known.", failed)
	}
	if t := h.trials.all; len(l.Marks) < t {
		note += fmt.Sprintf(" %d of %d decisions are marked.", len(l.Marks), t)
	}
	return report.Chart{
		Title: fmt.Sprintf("%s over time", capital(q.label)),
		Alt: fmt.Sprintf("%s over %s: %d points under the safe setting, %d under candidates. %d kept, %d put back, %d rolled back.",
			capital(q.label), clock(h.observed), n[0], n[1], len(kept), len(back), len(rolled)),
		Note: note, Lines: l,
	}, true
}

func capital(s string) string {
	if s == "" {
		return s
	}
	r, n := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(r)) + s[n:]
}

// marks of the decisions: those that changed something come first.
func (h *history) marks(scale float64) []report.Mark {
	var all, moved []report.Mark
	for i := range h.trials.latest {
		t := &h.trials.latest[i]
		m := report.Mark{X: t.at.Seconds() * scale, Label: strconv.Itoa(t.ID)}
		m.Tone, m.Name = toneOf(&t.Trial)
		all = append(all, m)
		if m.Tone != report.Quiet {
			moved = append(moved, m)
		}
	}
	if len(all) > mostMarks {
		all = moved
	}
	return all[max(0, len(all)-mostMarks):]
}

// toneOf a trial, and what its mark is called.
func toneOf(t *controller.Trial) (report.Tone, string) {
	switch {
	case t.Audit != 0:
		return report.Plain, "rolled back"
	case t.Outcome == controller.Kept:
		return report.Good, "kept"
	case t.Outcome == controller.Reverted || t.Outcome == controller.Aborted:
		return report.Bad, "put back: worse, or a guard"
	}
	return report.Quiet, "put back: not shown better"
}

// mostDrawn is the relative change beyond which an interval is not drawn: it would
// leave no room for the others.
const mostDrawn = 4.0

// effects of the trials on the top goal.
func (h *history) effects() report.Chart {
	top := h.session.Goals[0].Metric
	q := quantityOf(top, 0.01)
	b := &report.Bars{
		X: report.Axis{Label: "change of " + q.label, Unit: "%"}, Dots: true,
		Limits: []report.Limit{{Label: "no change", Value: 0}}, Tones: map[report.Tone]string{},
	}
	for i := range h.trials.latest {
		t := &h.trials.latest[i]
		e, ok := t.Effect(top)
		if !ok || t.Pairs == 0 || !bounded(e.Change) || e.Change > mostDrawn {
			continue
		}
		low, high := 100*e.Low, 100*e.High
		if !bounded(e.Low) || !bounded(e.High) || e.High > mostDrawn {
			low, high = math.NaN(), math.NaN()
		}
		tone, name := toneOf(&t.Trial)
		b.Tones[tone] = name
		b.Bars = append(b.Bars, report.Bar{
			Label: fmt.Sprintf("%d  %s %s", t.ID, t.Optimization, t.Move), N: t.Pairs, Value: 100 * e.Change, Low: low, High: high, Tone: tone,
		})
	}
	if len(b.Bars) == 0 {
		return report.Chart{}
	}
	note := fmt.Sprintf("Where an interval is not drawn, there were too few pairs to bound it below %+.0f %%.", 100*mostDrawn)
	if n := len(b.Bars) - mostEffects; n > 0 {
		b.Bars = b.Bars[n:]
		note += fmt.Sprintf(" The latest %d trials are shown.", mostEffects)
	}
	return report.Chart{
		Title: "Effects on " + q.label, Note: note, Bars: b,
		Alt: fmt.Sprintf("The effect of each of %d trials on %s, in percent, with 95 %% intervals; the table of trials has the figures.", len(b.Bars), q.label),
	}
}

// guards shows how near the hard limits were: each metric as a share of its limit.
func (h *history) guards() report.Chart {
	unit, scale := axisTime(h.observed)
	l := &report.Lines{
		X: report.Axis{Label: "time observed", Unit: unit, Zero: true}, Y: report.Axis{Label: "share of the limit", Zero: true},
		Limits: []report.Limit{{Label: "trips", Value: 1}}, ShadeName: "candidate in force",
	}
	high, low := 0.0, math.Inf(1)
	for _, g := range h.session.Guards {
		side := "at most"
		if g.Below {
			side = "at least"
		}
		q := quantityOf(g.Metric, g.Limit)
		s := report.Series{Name: fmt.Sprintf("%s, %s %.4g %s", q.label, side, g.Limit*q.scale, q.unit)}
		for i := range h.track.bins {
			v, ok := h.track.bins[i].guards[g]
			if !ok || g.Limit <= 0 || g.Below && v <= 0 {
				continue
			}
			share := v / g.Limit
			if g.Below {
				share = g.Limit / v
			}
			high = max(high, share)
			if share > 0 {
				low = min(low, share)
			}
			s.Points = append(s.Points, report.Point{X: (float64(i) + 0.5) * h.track.width.Seconds() * scale, Y: share, Low: share, High: share, Gap: h.track.bins[i].gap})
		}
		if len(s.Points) > 0 {
			l.Series = append(l.Series, s)
		}
	}
	if len(l.Series) == 0 {
		return report.Chart{}
	}
	l.Y.Log = high > 20
	for _, s := range h.shades.all {
		l.Shades = append(l.Shades, report.Shade{From: s.from.Seconds() * scale, To: s.to.Seconds() * scale})
	}
	return report.Chart{
		Title: "Guards", Lines: l,
		Note: fmt.Sprintf("Each point is the tick of %s that came nearest to the limit. A guard trips at 1.", clock(h.track.width)),
		Alt:  fmt.Sprintf("How near %d guarded metrics came to their hard limits; the highest reached %.2f of its limit.", len(l.Series), high),
	}
}
