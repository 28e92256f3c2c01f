package terminal

import (
	"fmt"
	"math"
	"strings"
	"time"
	"unicode"

	"github.com/vbauerster/mpb/v8/decor"

	"autotune/controller"
)

// unbounded is the log ratio beyond which an end of an interval says only that
// the pairs so far do not bound it.
const unbounded = 10.0

var (
	unboundedLow  = math.Exp(-unbounded) - 1
	unboundedHigh = math.Exp(unbounded) - 1
)

// bounded reports whether an interval says anything yet.
func bounded(low, high float64) bool { return low > unboundedLow || high < unboundedHigh }

// percent formats a relative change, 0.31 as "+31 %". Changes below a tenth get
// one decimal, since there a whole percent may be a third of the effect.
func percent(x float64) string {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return "?"
	}
	x *= 100
	format, step := "%+.0f %%", 1.0
	if math.Abs(x) < 9.95 {
		format, step = "%+.1f %%", 0.1
	}
	if math.Abs(x) < step/2 {
		return "0 %"
	}
	return fmt.Sprintf(format, x)
}

// interval formats the bounds of a change: "(-35 % to -27 %)", with "?" for an
// end that is not bounded yet.
func interval(low, high float64) string {
	l, h := percent(low), percent(high)
	if low <= unboundedLow {
		l = "?"
	}
	if high >= unboundedHigh {
		h = "?"
	}
	return "(" + l + " to " + h + ")"
}

// evalue formats evidence in at most four characters.
func evalue(e float64) string {
	switch {
	case math.IsNaN(e) || e < 0:
		return "?"
	case e < 0.1:
		return "<0.1"
	case e < 9.95:
		return fmt.Sprintf("%.1f", e)
	case e < 9999.5:
		return fmt.Sprintf("%.0f", e)
	case e > 1e6:
		return ">1e6"
	}
	// Rounded down: a number on show must not claim more than there is.
	exponent := math.Floor(math.Log10(e))
	return fmt.Sprintf("%.0fe%.0f", math.Floor(e/math.Pow(10, exponent)), exponent)
}

// towards is how far evidence e has come to a threshold, on a log scale: 0 for
// none, 1 for enough.
func towards(e, threshold float64) float64 {
	if !(e > 1) || !(threshold > 1) {
		return 0
	}
	if e >= threshold {
		return 1
	}
	return math.Log(e) / math.Log(threshold)
}

// span formats a length of time to the second: "2m41s". A negative one is none.
func span(d time.Duration) string {
	d = max(d.Round(time.Second), 0)
	if d >= 100*time.Hour {
		return fmt.Sprintf("%.0fd", d.Hours()/24)
	}
	return d.String()
}

// pairs formats a number of pairs: "1 pair", "9 pairs".
func pairs(n int) string {
	if n == 1 {
		return "1 pair"
	}
	return fmt.Sprintf("%d pairs", n)
}

// name is what a trial tries, for people. The move of a number names its knob.
func name(t *controller.Trial) string {
	return clean(strings.TrimSpace(t.Optimization + " " + t.Move))
}

// clean makes text safe to print on one line: names and errors come from
// outside and may hold line breaks and control codes.
func clean(text string) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "?"))
	return strings.TrimRight(text, " ")
}

var measure = decor.WC{}

// width is how many columns text takes on a terminal.
func width(text string) int {
	wc := measure
	_, n := (&wc).Init().Format(text)
	return n
}

// cut shortens text to at most n columns, with an ellipsis where it was cut.
func cut(text string, n int, ellipsis string) string {
	if n <= 0 {
		return ""
	}
	if width(text) <= n {
		return text
	}
	room := n - width(ellipsis)
	if room < 0 {
		return ""
	}
	used := 0
	for i, r := range text {
		w := width(string(r))
		if used+w > room {
			return strings.TrimRight(text[:i], " ") + ellipsis
		}
		used += w
	}
	return text
}

// pad fills text with spaces up to n columns; right puts it at the right end.
func pad(text string, n int, right bool) string {
	fill := strings.Repeat(" ", max(n-width(text), 0))
	if right {
		return fill + text
	}
	return text + fill
}

// wrap breaks text between words into lines of at most n columns. Lines after
// the first have the indent. A percent sign stays with its number; a word longer
// than a line is left as it is, for the terminal to break.
func wrap(text string, n int, indent string) []string {
	var lines []string
	line := ""
	words := strings.Split(strings.ReplaceAll(text, " %", "\u00a0%"), " ")
	for _, word := range words {
		word = strings.ReplaceAll(word, "\u00a0%", " %")
		switch {
		case line == "":
			line = word
		case width(line)+1+width(word) <= n:
			line += " " + word
		default:
			lines = append(lines, line)
			line = indent + word
		}
	}
	return append(lines, line)
}
