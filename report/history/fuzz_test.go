package history

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"autotune/journal"
	"autotune/report"
)

// FuzzRecords reads records, one JSON object a line, as if a journal held them.
// Whatever they are, there is an error or a report in every format.
func FuzzRecords(f *testing.F) {
	for _, name := range []string{"keep", "guard", "harm", "crash"} {
		var lines []byte
		for e, err := range journal.Read(filepath.Join("..", "..", "testdata", "journals", name+".jsonl")) {
			if err != nil {
				f.Fatal(err)
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
		h := newHistory("fuzz")
		for _, line := range bytes.Split(lines, []byte("\n")) {
			e := journal.Entry{Segment: 1, Line: 1}
			if json.Unmarshal(line, &e.Record) != nil {
				continue
			}
			if h.take(&e) != nil {
				return
			}
		}
		if h.session == nil {
			return
		}
		d := h.document()
		for _, format := range report.Formats() {
			var b bytes.Buffer
			if err := d.Write(&b, format); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// FuzzRead reads any bytes as a segment.
func FuzzRead(f *testing.F) {
	text, err := os.ReadFile(filepath.Join("..", "..", "testdata", "journals", "keep.jsonl"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte(`{"v":1,`))
	f.Fuzz(func(t *testing.T, text []byte) {
		path := filepath.Join(t.TempDir(), "fuzz.jsonl")
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		d, err := Read(path)
		if err == nil && len(d.Tables) == 0 {
			t.Fatal("a report of nothing")
		}
	})
}

// BenchmarkRead reads a journal over and over: its time and memory a byte.
func BenchmarkRead(b *testing.B) {
	dir := b.TempDir()
	record(b, dir, 20*time.Minute, journal.Options{})
	size := int64(0)
	files, err := os.ReadDir(dir)
	if err != nil {
		b.Fatal(err)
	}
	for _, f := range files {
		info, err := f.Info()
		if err != nil {
			b.Fatal(err)
		}
		size += info.Size()
	}
	b.SetBytes(size)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Read(dir); err != nil {
			b.Fatal(err)
		}
	}
}
