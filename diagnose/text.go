package diagnose

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"
)

// width of the text, in letters.
const width = 110

// WriteText tells the diagnosis to people: the findings, each with evidence, cause
// and what to do, then what was looked at and nothing found in.
func (d *Diagnosis) WriteText(w io.Writer) error {
	var t strings.Builder
	head := d.Source
	if !d.From.IsZero() {
		head += fmt.Sprintf(": %s to %s", when(d.From), when(d.To))
	}
	fmt.Fprintf(&t, "%s, %s observed, %s, %s ended\n", head, clock(d.Observed), count(d.Starts, "start"), count(d.Trials, "trial"))
	if d.Partial {
		t.WriteString("older segments are gone: it begins in the middle of a session\n")
	}
	switch n := len(d.Findings); n {
	case 0:
		t.WriteString("nothing found\n")
	default:
		fmt.Fprintf(&t, "%s\n", count(n, "finding"))
	}
	for i := range d.Findings {
		d.Findings[i].write(&t, i+1)
	}
	t.WriteString("\nlooked at\n")
	for _, l := range d.Looked {
		verdict := "nothing found: "
		switch {
		case l.Findings > 0:
			verdict = count(l.Findings, "finding") + ": "
		case !l.Known:
			verdict = "not known: "
		}
		wrap(&t, fmt.Sprintf("  %-14s", l.Rule), verdict+l.At)
	}
	if len(d.Signals) > 0 {
		t.WriteString("\nwhere a gain is likely, as measured\n")
		for _, s := range d.Signals {
			wrap(&t, "  ", s.Text+" ("+strings.Join(s.Optimizations, ", ")+")")
		}
	}
	_, err := io.WriteString(w, t.String())
	return err
}

func (f *Finding) write(t *strings.Builder, n int) {
	t.WriteByte('\n')
	wrap(t, fmt.Sprintf("%d. ", n), f.Rule+": "+f.What)
	for _, e := range f.Evidence {
		text := e.Text
		if !e.At.IsZero() {
			text += ", " + when(e.At)
		}
		wrap(t, "   evidence  ", text)
	}
	wrap(t, "   cause     ", f.Cause)
	for _, s := range f.Next {
		wrap(t, "   next      ", s)
	}
}

// wrap writes a text behind a label, in lines of width.
func wrap(t *strings.Builder, label, text string) {
	fill(t, label, strings.Repeat(" ", len([]rune(label))), text)
}

// fill writes a text in lines of width, the first behind a label, the others
// behind an indent.
func fill(t *strings.Builder, label, indent, text string) {
	line := label
	used := 0                              // words in the line
	text = strings.Map(func(r rune) rune { // names and reasons are from elsewhere
		if !unicode.IsPrint(r) && !unicode.IsSpace(r) || r == utf8.RuneError {
			return -1
		}
		return r
	}, text)
	text = strings.ReplaceAll(text, " %", "\x00%") // a figure and its sign stay together
	for _, word := range strings.Fields(text) {
		word = strings.ReplaceAll(word, "\x00", " ")
		if used > 0 && len([]rune(line))+1+len([]rune(word)) > width {
			t.WriteString(strings.TrimRight(line, " ") + "\n")
			line, used = indent, 0
		}
		if used > 0 {
			line += " "
		}
		line += word
		used++
	}
	t.WriteString(strings.TrimRight(line, " ") + "\n")
}

// WriteJSON writes one object a line: each finding, then each rule with what it
// looked at, then each signal, and last the diagnosis, which counts them.
func (d *Diagnosis) WriteJSON(w io.Writer) error {
	lines := json.NewEncoder(w)
	for _, f := range d.Findings {
		if err := lines.Encode(struct {
			Type string `json:"type"`
			Finding
		}{"finding", f}); err != nil {
			return err
		}
	}
	for _, l := range d.Looked {
		if err := lines.Encode(struct {
			Type string `json:"type"`
			Look
		}{"looked", l}); err != nil {
			return err
		}
	}
	for _, s := range d.Signals {
		if err := lines.Encode(struct {
			Type string `json:"type"`
			Signal
		}{"signal", s}); err != nil {
			return err
		}
	}
	return lines.Encode(struct {
		Type string `json:"type"`
		*Diagnosis
		ObservedSeconds float64 `json:"observed_seconds"`
		Findings        int     `json:"findings"`
	}{"diagnosis", d, d.Observed.Seconds(), len(d.Findings)})
}
