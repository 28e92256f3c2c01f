package terminal

import (
	"fmt"
	"maps"
	"slices"

	"autotune"
	"autotune/controller"
)

// What is shown of a service besides its trials, to whoever watches it from
// elsewhere: what was measured last, what the operator holds, what would be tried
// next and what may not, and what is left to err with.

// readings are what was measured in the last second or so; what was not measured
// is left out.
func readings(p *autotune.Point) []string {
	var parts []string
	add := func(v *float64, say func(float64) string) {
		if v != nil {
			parts = append(parts, say(*v))
		}
	}
	add(p.P95, func(v float64) string { return "p95 " + seconds(v) })
	add(p.CPU, func(v float64) string { return "CPU " + seconds(v) + " a request" })
	add(p.RSS, func(v float64) string { return "memory " + memory(v) })
	add(p.Requests, func(v float64) string { return fmt.Sprintf("%.3g requests/s", v) })
	add(p.Errors, func(v float64) string { return fmt.Sprintf("%.2g %% failed", 100*v) })
	if p.Candidate {
		parts = append(parts, "of the candidate")
	}
	if len(parts) == 0 {
		parts = []string{"nothing measured"}
	}
	return parts
}

// pins say what the operator holds: "gc=100 by ann (load test)".
func pins(s *controller.Status) []string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(s.Pins)) {
		p := s.Pins[name]
		out = append(out, clean(controller.SettingOf(p.Values).String()+" "+p.By.String()))
	}
	return out
}

// barred says what may not be tried now, and why.
func barred(s *controller.Status) []string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(s.Blocked)) {
		out = append(out, clean(name+" "+s.Blocked[name]))
	}
	return out
}

// prospects are what would be tried next, with what was measured of it.
func prospects(s *controller.Status) []string {
	var out []string
	if s.Outlook == nil {
		return nil
	}
	for i := range s.Outlook.Prospects {
		p := &s.Outlook.Prospects[i]
		switch {
		case p.Skip != "", s.Blocked[p.Optimization] != "", s.Safe.On(p.Optimization), s.Trial != nil && s.Trial.Optimization == p.Optimization:
		case p.Signal != "":
			out = append(out, clean(p.Optimization+" ("+p.Signal+")"))
		default:
			out = append(out, clean(p.Optimization))
		}
	}
	return out
}

// serviceRows are the rows of a whole view; each list has at most two.
func (s style) serviceRows(sc *scene, room int) []row {
	var rows []row
	if sc.point != nil {
		rows = append(rows, twoRows("now", 3, 4, wrapList(readings(sc.point), room))...)
	}
	st := &sc.status.Status
	if list := pins(st); len(list) > 0 {
		rows = append(rows, twoRows("pinned", 7, 9, wrapList(list, room))...)
	}
	if list := prospects(st); len(list) > 0 {
		rows = append(rows, twoRows("next", 8, 9, wrapList(list, room))...)
	}
	if list := barred(st); len(list) > 0 {
		rows = append(rows, twoRows(fmt.Sprintf("not %d", len(list)), 9, 9, wrapList(list, room))...)
	}
	if open := approvals(st); open > 0 {
		rows = append(rows, labeled(6, "advice", fmt.Sprintf("%d of %d proposals wait for an answer", open, len(st.Advice))))
	}
	if n := len(sc.status.Alerts); n > 0 {
		a := &sc.status.Alerts[n-1]
		text := fmt.Sprintf("%s%s: %s", stamp(a.At.In(sc.now.Location()), sc.now), clean(string(a.Kind)), clean(a.Message))
		rows = append(rows, twoRows("alert", 5, 9, wrap(text, room, ""))...)
	}
	budget := fmt.Sprintf("%.3g of error left", st.Wealth)
	for i := range st.Audits {
		a := &st.Audits[i]
		budget += fmt.Sprintf("; audits of %s %s: %d, evidence %s of 100", clean(a.Optimization), clean(a.Move), a.Done, evalue(a.Evidence))
	}
	if n := sc.status.AlertsDropped; n > 0 {
		budget += fmt.Sprintf("; %d alerts dropped", n)
	}
	return append(rows, labeled(9, "budget", budget))
}

// approvals counts the proposals to which nobody said anything.
func approvals(s *controller.Status) int {
	n := 0
	for i := range s.Advice {
		if s.Advice[i].Said == 0 {
			n++
		}
	}
	return n
}

// seconds formats a time in three digits: "12.3 ms".
func seconds(v float64) string {
	switch {
	case v < 1e-3:
		return fmt.Sprintf("%.3g µs", v*1e6)
	case v < 1:
		return fmt.Sprintf("%.3g ms", v*1e3)
	}
	return fmt.Sprintf("%.3g s", v)
}

// memory formats a size in three digits: "45.1 MB".
func memory(v float64) string {
	switch {
	case v < 1e6:
		return fmt.Sprintf("%.3g kB", v/1e3)
	case v < 1e9:
		return fmt.Sprintf("%.3g MB", v/1e6)
	}
	return fmt.Sprintf("%.3g GB", v/1e9)
}
