package report

import (
	"bytes"
	"fmt"
	"io"
	"strings"
)

// WriteMarkdown writes the report with a sentence in place of each picture.
func (d *Document) WriteMarkdown(w io.Writer) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "# %s\n", plain(d.Title))
	for _, s := range d.Summary {
		fmt.Fprintf(&b, "\n%s\n", plain(s))
	}
	if len(d.Facts) > 0 {
		b.WriteByte('\n')
		for _, f := range d.Facts {
			fmt.Fprintf(&b, "- %s: %s\n", plain(f.Name), plain(f.Value))
		}
	}
	if len(d.Claims) > 0 {
		t := Table{Title: "Claims", Head: []string{"claim", "figure", "holds"}}
		for _, c := range d.Claims {
			holds := "yes"
			if !c.Holds {
				holds = "no"
			}
			t.Rows = append(t.Rows, []string{c.Text, c.Figure, holds})
		}
		t.writeMarkdown(&b)
	}
	for _, c := range d.Charts {
		if c.Alt == "" {
			continue
		}
		fmt.Fprintf(&b, "\n## %s\n\n%s\n", plain(c.Title), plain(c.Alt))
		if c.Note != "" {
			fmt.Fprintf(&b, "\n%s\n", plain(c.Note))
		}
	}
	for i := range d.Tables {
		d.Tables[i].writeMarkdown(&b)
	}
	_, err := w.Write(b.Bytes())
	return err
}

func (t *Table) writeMarkdown(b *bytes.Buffer) {
	fmt.Fprintf(b, "\n## %s\n\n", plain(t.Title))
	row := func(cells []string) {
		for _, c := range cells {
			b.WriteString("| " + plain(c) + " ")
		}
		b.WriteString("|\n")
	}
	row(t.Head)
	b.WriteString(strings.Repeat("|---", len(t.Head)) + "|\n")
	for _, r := range t.Rows {
		row(r)
	}
	if t.Note != "" {
		fmt.Fprintf(b, "\n%s\n", plain(t.Note))
	}
}

// plain keeps a text on one line and what is in it from being taken for
// Markdown: tables, tags, links, code, and emphasis other than within a word.
func plain(s string) string {
	s = strings.Join(strings.Fields(visible(s)), " ")
	return strings.NewReplacer("|", `\|`, "<", "&lt;", ">", "&gt;", "`", "\\`", "[", `\[`, "]", `\]`, "*", `\*`).Replace(s)
}
