package diagnose

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
)

// WriteText tells a profile to people.
func (p *Profiled) WriteText(w io.Writer) error {
	var t strings.Builder
	fmt.Fprintf(&t, "profile of %s", p.Source)
	if p.Length > 0 {
		fmt.Fprintf(&t, " over %s", clock(p.Length))
	}
	t.WriteByte('\n')
	if s := p.CPU; s != nil {
		head := fmt.Sprintf("CPU time: %s", span(s.Total))
		if p.Length > 0 {
			head += fmt.Sprintf(", %.3g processors", s.Total/p.Length.Seconds())
		}
		if s.Samples > 0 {
			head += fmt.Sprintf(", in %s: a share of 10 %% is known to ±%.2g %%", count(int(s.Samples), "sample"), 200*math.Sqrt(0.09/float64(s.Samples)))
		}
		s.write(&t, head, "itself", "with all that it calls, outside the standard library")
	}
	if s := p.Allocs; s != nil {
		head := "allocated: " + size(s.Total)
		if p.Length > 0 {
			head += fmt.Sprintf(", %s per second", size(s.Total/p.Length.Seconds()))
		}
		s.write(&t, head, "itself", "with all that it calls, outside the standard library")
	}
	if len(p.Hints) > 0 {
		t.WriteString("\nwhat CPU time is for, that an optimization might save some of\n")
		for _, h := range p.Hints {
			wrap(&t, fmt.Sprintf("  %5.1f %%  ", 100*h.Share), h.What+" ("+strings.Join(h.Optimizations, ", ")+")")
		}
	}
	_, err := io.WriteString(w, t.String())
	return err
}

func (s *Sites) write(t *strings.Builder, head, flat, through string) {
	fmt.Fprintf(t, "\n%s\n", head)
	for _, l := range []struct {
		title string
		sites []Site
		share func(Site) float64
	}{
		{flat, s.Flat, func(x Site) float64 { return x.Flat }},
		{through, s.Through, func(x Site) float64 { return x.Cumulative }},
	} {
		if len(l.sites) == 0 {
			continue
		}
		fmt.Fprintf(t, "  by function, %s\n", l.title)
		for _, x := range l.sites {
			at := ""
			if x.File != "" {
				at = fmt.Sprintf("  %s:%d", shortFile(x.File), x.Line)
			}
			fmt.Fprintf(t, "  %5.1f %%  %s%s\n", 100*l.share(x), printable(x.Function), at)
		}
	}
}

// shortFile is the last two parts of a path.
func shortFile(file string) string {
	parts := strings.Split(printable(file), "/")
	return strings.Join(parts[max(0, len(parts)-2):], "/")
}

// WriteJSON writes one object a line: each site, each hint, and last the profile.
func (p *Profiled) WriteJSON(w io.Writer) error {
	lines := json.NewEncoder(w)
	sites := func(kind string, s *Sites) error {
		if s == nil {
			return nil
		}
		return errors.Join(encodeSites(lines, kind, "flat", s.Flat), encodeSites(lines, kind, "cumulative", s.Through))
	}
	if err := sites("cpu", p.CPU); err != nil {
		return err
	}
	if err := sites("alloc", p.Allocs); err != nil {
		return err
	}
	for _, h := range p.Hints {
		if err := lines.Encode(struct {
			Type string `json:"type"`
			Hint
		}{"hint", h}); err != nil {
			return err
		}
	}
	return lines.Encode(struct {
		Type string `json:"type"`
		*Profiled
		Seconds float64 `json:"seconds,omitempty"`
		CPU     *Sites  `json:"cpu,omitempty"`
		Alloc   *Sites  `json:"alloc,omitempty"`
	}{"profile", p, p.Length.Seconds(), p.CPU, p.Allocs})
}

func encodeSites(lines *json.Encoder, kind, by string, all []Site) error {
	for i, s := range all {
		if err := lines.Encode(struct {
			Type string `json:"type"`
			Kind string `json:"kind"`
			By   string `json:"by"`
			Rank int    `json:"rank"`
			Site
		}{"site", kind, by, i + 1, s}); err != nil {
			return err
		}
	}
	return nil
}
