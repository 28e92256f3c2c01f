package report

import (
	"errors"
	"fmt"
	"math"
	"strconv"
)

// Compare says how b differs from a, row by row: those that have the same
// scenario, contender and measure. The difference of two values is b - a, of two
// relative changes (1+b)/(1+a) - 1.
//
// Its interval is made from those of the two values (MOVER, Zou and Donner 2008;
// for proportions it is Newcombe's), which asks for nothing but that the two are
// independent. Runs over the same worlds are not: then it is wider than it need
// be, and errs to the side of "unclear".
//
// An error is two documents that have no row in common.
func Compare(a, b *Document) (*Document, error) {
	type key struct{ scenario, contender, measure string }
	was := map[key]Row{}
	for _, r := range a.Rows {
		was[key{r.Scenario, r.Contender, r.Measure}] = r
	}
	c := comparison{counts: map[string]int{}}
	for _, r := range b.Rows {
		k := key{r.Scenario, r.Contender, r.Measure}
		if old, ok := was[k]; ok && old.Relative == r.Relative && old.Level == r.Level {
			c.add(&old, &r)
			delete(was, k)
		} else {
			c.fresh++
		}
	}
	if len(c.rows) == 0 {
		return nil, errors.New("compare: no row in common: two reports must share scenario, contender and measure")
	}
	return c.document(a, b, len(was)), nil
}

type comparison struct {
	rows    []Row
	unclear [][]string // rows of tables
	changed [][]string
	same    int
	counts  map[string]int
	fresh   int
	bars    []Bar // of relative changes: they share an axis
}

// add compares a row with what it was.
func (c *comparison) add(old, now *Row) {
	d := *now
	d.N = min(old.N, now.N)
	d.Value, d.Low, d.High = difference(old, now)
	verdict := d.verdict()
	c.counts[verdict]++
	c.rows = append(c.rows, d)
	n := strconv.Itoa(now.N)
	if old.N != now.N {
		n = strconv.Itoa(old.N) + ", " + n
	}
	line := []string{now.Scenario, now.Contender, now.Measure, verdict, d.signed(), old.text(), now.text(), n}
	if d.Relative && math.Abs(d.Low) < 100 && math.Abs(d.High) < 100 {
		tone := map[string]Tone{"better": Good, "worse": Bad, unclear: Quiet}[verdict]
		c.bars = append(c.bars, Bar{
			Label: now.Scenario + ", " + now.Measure, N: d.N, Value: 100 * d.Value, Low: 100 * d.Low, High: 100 * d.High, Tone: tone,
		})
	}
	switch {
	case verdict != unclear:
		c.changed = append(c.changed, line)
	case old.Value == now.Value && old.Low == now.Low && old.High == now.High:
		c.same++
	default:
		c.unclear = append(c.unclear, line)
	}
}

const unclear = "unclear"

// verdict of a difference: whether its interval is on one side of none, and
// whether that side is the better one.
func (r *Row) verdict() string {
	up, down := "higher", "lower"
	switch r.Better {
	case Less:
		up, down = "worse", "better"
	case More:
		up, down = "better", "worse"
	}
	switch {
	case r.Low > 0:
		return up
	case r.High < 0:
		return down
	}
	return unclear
}

// difference of two values with its interval.
func difference(a, b *Row) (value, low, high float64) {
	av, al, ah, bv, bl, bh := a.Value, a.Low, a.High, b.Value, b.Low, b.High
	if a.Relative {
		for _, v := range []*float64{&av, &al, &ah, &bv, &bl, &bh} {
			*v = math.Log1p(max(*v, -1+1e-12))
		}
	}
	value = bv - av
	low = value - math.Hypot(bv-bl, ah-av)
	high = value + math.Hypot(bh-bv, av-al)
	if a.Relative {
		value, low, high = math.Expm1(value), math.Expm1(low), math.Expm1(high)
	}
	return value, low, high
}

// text is a row as tables show it.
func (r *Row) text() string { return r.format(short) }

func (r *Row) signed() string { return r.format(signed) }

func (r *Row) format(f func(float64) string) string {
	if r.Relative {
		p := func(v float64) string {
			if v > 1000 || v < -0.9999 {
				return "?"
			}
			return fmt.Sprintf("%+.1f %%", 100*v)
		}
		return fmt.Sprintf("%s (%s to %s)", p(r.Value), p(r.Low), p(r.High))
	}
	return fmt.Sprintf("%s (%s to %s)", f(r.Value), f(r.Low), f(r.High))
}

// document puts the comparison together.
func (c *comparison) document(a, b *Document, gone int) *Document {
	verdicts := ""
	for _, v := range []string{"better", "worse", "higher", "lower", unclear} {
		if n := c.counts[v]; n > 0 {
			verdicts += fmt.Sprintf(", %d %s", n, v)
		}
	}
	levels := map[float64]bool{}
	for _, r := range c.rows {
		levels[r.Level] = true
	}
	chance := ""
	if len(levels) == 1 {
		level := c.rows[0].Level
		chance = fmt.Sprintf(" Each has an interval of its own, at %g %%: of %d that did not change, up to %.0f would be called changed by chance.",
			100*level, len(c.rows), math.Ceil((1-level)*float64(len(c.rows))))
	} else {
		chance = " Each has an interval of its own: of many that did not change, some are called changed by chance."
	}
	d := &Document{
		Kind: "comparison", Name: a.Name + " and " + b.Name, Title: "Comparison of " + a.Name + " with " + b.Name,
		Summary: []string{
			fmt.Sprintf("%d figures are in both%s.", len(c.rows), verdicts) + chance,
			"A difference is the second value less the first; of two relative changes, how the second leaves the metric against the first.",
		},
		Facts: append(differing(a, b),
			Fact{"only in the first", strconv.Itoa(gone)},
			Fact{"only in the second", strconv.Itoa(c.fresh)},
			Fact{"the same in both", strconv.Itoa(c.same)},
		),
		Rows: c.rows,
	}
	const mostBars = 40
	if n := len(c.bars); n > 0 {
		d.Charts = append(d.Charts, Chart{
			Title: "Differences", Alt: fmt.Sprintf("%d differences of relative changes, in percent with their intervals; the table has them.", min(n, mostBars)),
			Bars: &Bars{
				X: Axis{Label: "second against first", Unit: "%"}, Dots: true, Bars: c.bars[:min(n, mostBars)], Limits: []Limit{{"no difference", 0}},
				Tones: map[Tone]string{Good: "better", Bad: "worse", Quiet: unclear},
			},
		})
	}
	head := []string{"scenario", "contender", "measure", "verdict", "difference", "first", "second", "n"}
	for _, t := range []Table{
		{Title: "What changed", Head: head, Rows: c.changed},
		{Title: "Differences that may be chance", Head: head, Rows: c.unclear},
	} {
		if len(t.Rows) > 0 {
			d.Tables = append(d.Tables, t)
		}
	}
	return d
}

// differing are the titles of two documents, and what they say of themselves that
// is not the same.
func differing(a, b *Document) []Fact {
	out := []Fact{{"first", a.Title}, {"second", b.Title}}
	of := map[string]string{}
	for _, f := range a.Facts {
		of[f.Name] = f.Value
	}
	for _, f := range b.Facts {
		if was, ok := of[f.Name]; ok && was != f.Value {
			out = append(out, Fact{f.Name, was + " and " + f.Value})
		}
	}
	return out
}
