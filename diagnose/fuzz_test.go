package diagnose

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"testing"

	"autotune/journal"
)

// Whatever records a journal holds, they are diagnosed or refused, without a
// panic, and every finding is whole.
func FuzzRecords(f *testing.F) {
	for _, name := range []string{"keep", "guard", "harm", "crash"} {
		var lines []byte
		inputs := 0
		for e, err := range journal.Read(journalNamed(name)) {
			if err != nil {
				f.Fatal(err)
			}
			if e.Record.Input != nil {
				if inputs++; inputs%8 != 1 { // short seeds are mutated faster
					continue
				}
			}
			line, err := json.Marshal(e.Record)
			if err != nil {
				f.Fatal(err)
			}
			lines = append(append(lines, line...), '\n')
		}
		f.Add(lines)
	}
	f.Fuzz(func(t *testing.T, lines []byte) {
		facts := newFacts("fuzz")
		for _, line := range bytes.Split(lines, []byte("\n")) {
			e := journal.Entry{Segment: 1, Line: 1}
			if json.Unmarshal(line, &e.Record) != nil {
				continue
			}
			if facts.take(&e) != nil {
				return
			}
		}
		if facts.session == nil {
			return
		}
		if x, err := facts.exported(); err == nil {
			if err := x.WriteJSON(io.Discard); err != nil {
				t.Fatal(err)
			}
		} else if strings.Contains(err.Error(), "is not YAML") {
			t.Fatal(err) // a value may be out of range, but the file is one
		}
		d := facts.diagnosis()
		whole(t, d)
		if err := d.WriteText(io.Discard); err != nil {
			t.Fatal(err)
		}
		if err := d.WriteJSON(io.Discard); err != nil {
			t.Fatal(err)
		}
	})
}

// whole checks what must be true of any diagnosis.
func whole(t *testing.T, d *Diagnosis) {
	t.Helper()
	if len(d.Looked) != len(Rules()) {
		t.Fatalf("%d rules looked, of %d", len(d.Looked), len(Rules()))
	}
	for _, f := range d.Findings {
		if f.What == "" || f.Cause == "" || len(f.Evidence) == 0 || len(f.Next) == 0 {
			t.Fatalf("a finding without what, evidence, cause or next action: %+v", f)
		}
	}
	for _, l := range d.Looked {
		if l.At == "" {
			t.Fatalf("%s does not say what it looked at", l.Rule)
		}
	}
}
