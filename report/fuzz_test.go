package report

import (
	"bytes"
	"testing"
)

// FuzzWrite puts any text in every place of a document that takes one.
func FuzzWrite(f *testing.F) {
	f.Add(hostile)
	f.Add("")
	f.Add("\u202e\ufffe\U0001f600")
	f.Fuzz(func(t *testing.T, name string) {
		if len(name) > 200 {
			return
		}
		d := hostileDocument(name)
		for _, format := range Formats() {
			var b bytes.Buffer
			if err := d.Write(&b, format); err != nil {
				t.Fatal(err)
			}
			if format == HTML && bytes.Contains(bytes.ToLower(b.Bytes()), []byte("<script")) {
				t.Fatal("a script")
			}
		}
		for _, c := range d.Charts {
			svg, err := c.SVG(Narrow)
			if err != nil {
				t.Fatal(err)
			}
			if err := wellFormed(svg); err != nil {
				t.Fatalf("%v:\n%s", err, svg)
			}
		}
	})
}
