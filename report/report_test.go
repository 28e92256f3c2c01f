package report

import (
	"bytes"
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "rewrite the golden reports")

// sketch has every part that a document can have.
func sketch() *Document {
	return &Document{
		Kind: "experiment", Name: "sketch", Title: "A sketch", Summary: []string{"Each part once."},
		Facts:  []Fact{{"seed", "1"}},
		Claims: []Claim{{"false keeps ≤ 2.5 %", "2 of 200", true}, {"gains are kept", "3 of 10", false}},
		Charts: []Chart{
			{Title: "Trajectory", Alt: "Cost falls after a keep.", Lines: &Lines{
				X: Axis{Label: "time", Unit: "s", Zero: true}, Y: Axis{Label: "latency", Unit: "ms"},
				Series: []Series{
					{Name: "safe", Points: []Point{{X: 1, Y: 10, Low: 9, High: 12}, {X: 2, Y: 11, Low: 10, High: 13}, {X: 3, Y: 7, Low: 6, High: 8, Gap: true}, {X: 4, Y: 7, Low: 7, High: 7}}},
					{Name: "candidate", Dots: true, Points: []Point{{X: 2.5, Y: 6, Low: 6, High: 6}}},
				},
				Limits: []Limit{{"limit", 15}}, Shades: []Shade{{2.2, 2.8}}, ShadeName: "candidate in force",
				Marks: []Mark{{X: 3, Label: "1", Tone: Good, Name: "kept"}},
			}},
			{Title: "Errors", Alt: "One rule errs more.", Bars: &Bars{
				X: Axis{Label: "false keeps", Unit: "%"}, Limits: []Limit{{"2.5 %", 2.5}}, Tones: map[Tone]string{Good: "ours", Bad: "theirs"},
				Bars: []Bar{
					{Group: "no effect", Label: "ours", N: 200, Value: 1, Low: 0.1, High: 3.6, Tone: Good},
					{Group: "no effect", Label: "theirs", N: 200, Value: 12, Low: 8, High: 17, Tone: Bad},
				},
			}},
			{Title: "Map", Alt: "The cache pays on reads.", Heat: &Heat{
				Rows: []string{"cache", "pool"}, Cols: []string{"reads", "writes"}, Label: "change of latency", Unit: "%", Less: "faster", More: "slower",
				Cells: []Cell{{0, 0, 20, -31, -35, -27}, {0, 1, 20, 2, -1, 5}, {1, 0, 20, 12, 8, 16}},
			}},
		},
		Tables: []Table{{Title: "Rules", Note: "All of them.", Head: []string{"rule", "n", "kept %"}, Rows: [][]string{{"ours", "200", "1.0 (0.1..3.6)"}, {"theirs", "200", "12.0 (8.0..17.0)"}}}},
		Rows: []Row{
			{Scenario: "no effect", Contender: "ours", Measure: "kept", N: 200, Value: 0.01, Low: 0.001, High: 0.036, Level: 0.99, Better: Less},
			{Scenario: "no effect", Contender: "theirs", Measure: "kept", N: 200, Value: 0.12, Low: 0.08, High: 0.17, Level: 0.99, Better: Less},
			{Scenario: "trial", Contender: "ours", Measure: "latency", N: 9, Value: -0.31, Low: -0.35, High: -0.27, Level: 0.95, Better: Less, Relative: true},
		},
	}
}

func written(t testing.TB, d *Document, f Format) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, d.Write(&b, f))
	return b.String()
}

// The four formats, for people to look at.
func TestWrite_golden(t *testing.T) {
	for _, f := range Formats() {
		golden := filepath.Join("testdata", "sketch."+string(f))
		got := written(t, sketch(), f)
		if *update {
			require.NoError(t, os.MkdirAll("testdata", 0o750))
			require.NoError(t, os.WriteFile(golden, []byte(got), 0o600))
		}
		want, err := os.ReadFile(golden)
		require.NoError(t, err)
		require.Equal(t, string(want), got, golden)
	}
}

// Nothing of a page is elsewhere: no script, no link, no font, no picture.
func TestWriteHTML_isSelfContained(t *testing.T) {
	page := written(t, sketch(), HTML)
	for _, c := range sketch().Charts {
		for _, w := range []int{Wide, Narrow} {
			svg, err := c.SVG(w)
			require.NoError(t, err)
			require.Contains(t, page, string(svg))
			require.NoError(t, wellFormed(svg), "%s at %d", c.Title, w)
		}
	}
	page = strings.ReplaceAll(page, `xmlns="http://www.w3.org/2000/svg"`, "")
	for _, what := range []string{"<script", "<link", "<img", "<iframe", "http:", "https:", "url(", "@import", "href=", "src="} {
		require.NotContains(t, page, what)
	}
}

func wellFormed(text []byte) error {
	d := xml.NewDecoder(bytes.NewReader(text))
	for {
		_, err := d.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// hostile is what a name may hold if nobody looks.
const hostile = "</svg></td><script>alert(1)</script>\"' onload=x {{.}} |\n\x00\x1b[31m\xff]]> <!-- -->"

// Wherever a name goes, it is text.
func TestWrite_hostileNames(t *testing.T) {
	d := hostileDocument(hostile)
	page := written(t, d, HTML)
	require.NotContains(t, page, "<script")
	require.NotContains(t, page, "<!-- -->")
	require.NotContains(t, page, "\x1b")
	require.NotRegexp(t, regexp.MustCompile(`<[a-z]+[^>"]*onload`), page)
	require.Contains(t, page, "&lt;script&gt;")

	text := written(t, d, Markdown)
	require.NotContains(t, text, "<script")
	for _, line := range strings.Split(text, "\n") {
		if strings.HasPrefix(line, "| ") {
			require.Equal(t, strings.Count(line, "|")-strings.Count(line, `\|`), 1+strings.Count(line, " | ")+1, line)
		}
	}

	back, err := ReadJSON(strings.NewReader(written(t, d, JSON)))
	require.NoError(t, err)
	require.Len(t, back.Rows, 1)
}

// hostileDocument has a name in every place that takes one.
func hostileDocument(name string) *Document {
	return &Document{
		Kind: "journal", Name: name, Title: name, Summary: []string{name}, Facts: []Fact{{name, name}},
		Claims: []Claim{{name, name, true}, {name, name, false}},
		Charts: []Chart{
			{Title: name, Alt: name, Note: name, Lines: &Lines{
				X: Axis{Label: name, Unit: name}, Y: Axis{Label: name, Unit: name}, ShadeName: name, Shades: []Shade{{1, 2}},
				Series: []Series{{Name: name, Points: []Point{{X: 1, Y: 1}, {X: 2, Y: 2}}}}, Limits: []Limit{{name, 1}},
				Marks: []Mark{{X: 1, Label: name, Name: name, Tone: Tone(name)}},
			}},
			{Title: name, Alt: name, Bars: &Bars{X: Axis{Label: name}, Bars: []Bar{{Group: name, Label: name, N: 1, Value: 1, Low: 0, High: 2}}, Tones: map[Tone]string{Bad: name}}},
			{Title: name, Alt: name, Heat: &Heat{Rows: []string{name}, Cols: []string{name}, Label: name, Less: name, More: name, Cells: []Cell{{Value: 1}}}},
		},
		Tables: []Table{{Title: name, Note: name, Head: []string{name}, Rows: [][]string{{name}}}},
		Rows:   []Row{{Scenario: name, Contender: name, Measure: name, N: 1, Value: 1, Low: 0, High: 2, Level: 0.95}},
	}
}

// Whatever is in a chart, drawing it ends, in something well-formed.
func TestSVG_strangeValues(t *testing.T) {
	strange := []float64{math.NaN(), math.Inf(1), math.Inf(-1), 0, -1, 1e300, -1e300, 1e-300}
	for _, log := range []bool{false, true} {
		l := &Lines{X: Axis{Label: "x", Log: log}, Y: Axis{Label: "y", Log: log}}
		b := &Bars{X: Axis{Label: "x", Log: log}}
		h := &Heat{Rows: []string{"a"}, Cols: []string{"b"}}
		for _, v := range strange {
			one := Series{Name: "one", Points: []Point{{X: v, Y: v, Low: v, High: v}}}
			l.Series = append(l.Series, one)
			b.Bars = append(b.Bars, Bar{Label: "bar", Value: v, Low: v, High: v})
			h.Cells = append(h.Cells, Cell{Value: v, Low: v, High: v}, Cell{Row: 5, Col: -1, Value: v})
			for _, c := range []Chart{
				{Lines: &Lines{X: l.X, Y: l.Y, Series: []Series{one}, Marks: []Mark{{X: v}}, Shades: []Shade{{v, v}}, Limits: []Limit{{"l", v}}}},
				{Bars: &Bars{X: b.X, Bars: b.Bars[len(b.Bars)-1:], Limits: []Limit{{"l", v}}}},
				{Heat: &Heat{Rows: h.Rows, Cols: h.Cols, Cells: h.Cells[len(h.Cells)-2:]}},
			} {
				svg, err := c.SVG(Narrow)
				require.NoError(t, err)
				require.NoError(t, wellFormed(svg))
				require.NotContains(t, string(svg), "NaN", "%v, log %v, %+v", v, log, c)
			}
		}
		for _, c := range []Chart{{Lines: l}, {Bars: b}, {Heat: h}} {
			_, err := c.SVG(Wide)
			require.NoError(t, err)
		}
	}
	for _, c := range []Chart{{Title: "none"}, {Title: "none", Bars: &Bars{}}, {Title: "none", Heat: &Heat{}}} {
		_, err := c.SVG(Wide)
		require.EqualError(t, err, `chart "none": has nothing to draw`)
	}
}

func TestReadJSON_readsWhatIsWritten(t *testing.T) {
	d := sketch()
	back, err := ReadJSON(strings.NewReader(written(t, d, JSON)))
	require.NoError(t, err)
	require.Equal(t, d, back)

	d.Rows[0].Value = math.NaN() // was not measured
	back, err = ReadJSON(strings.NewReader(written(t, d, JSON)))
	require.NoError(t, err)
	require.Equal(t, d.Rows[1:], back.Rows)
}

func TestReadJSON_badInput(t *testing.T) {
	for text, want := range map[string]string{
		`{`:                             "report: unexpected EOF",
		`{"type":"run","version":1}`:    `report: type "run": must be "report"`,
		`{"type":"report","version":2}`: "report: version 2: must be 1",
		`{"type":"report","version":1,"rows":[{"n":0}]}`:                                "report: row 1: n 0: must be at least 1",
		`{"type":"report","version":1,"rows":[{"n":1,"low":2,"high":1,"level":0.95}]}`:  "report: row 1: low 2: must not be above high 1",
		`{"type":"report","version":1,"rows":[{"n":1,"level":95}]}`:                     "report: row 1: level 95: must be within 0..1",
		`{"type":"report","version":1,"rows":[{"n":1,"level":0.95,"better":"bigger"}]}`: `report: row 1: better "bigger": must be "less", "more" or empty`,
	} {
		_, err := ReadJSON(strings.NewReader(text))
		require.EqualError(t, err, want)
	}
}

func TestFormatOf(t *testing.T) {
	f, err := FormatOf("a/b.html")
	require.NoError(t, err)
	require.Equal(t, HTML, f)
	_, err = FormatOf("report")
	require.EqualError(t, err, `report: ending "": must be .html, .md, .csv or .json`)
}
