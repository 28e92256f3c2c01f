package terminal

import (
	"cmp"
	"io"
	"os"
	"strings"
	"sync/atomic"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
)

// The least window for a live view, how many of its rows are for what has
// scrolled by and for the cursor, and how many rows the area has at least and at
// most, where there are as many.
const (
	leastWide = 40
	leastHigh = 6
	freeRows  = 4
	fewRows   = 5
	mostRows  = 22
)

// live is the area that is redrawn. It is one bar of the progress library: as
// many rows as the window allows, those at the top empty, which take no space.
// The library must never be given more rows than fit: it then miscounts how far
// up the next frame begins. So a change of the window's height starts it anew.
type live struct {
	w     io.Writer
	size  func() (wide, high int)
	style style
	color bool

	progress *mpb.Progress
	bar      *mpb.Bar
	refresh  chan any
	slots    int // rows
	wide     int // columns that the library assumes where it cannot ask
	lines    atomic.Pointer[[]string]
}

func newLive(w io.Writer, size func() (wide, high int)) *live {
	l := &live{w: w, size: size, style: newStyle(!unicodeLocale()), color: os.Getenv("NO_COLOR") == ""}
	l.start()
	return l
}

// unicodeLocale reports whether the terminal is said to show more than ASCII.
func unicodeLocale() bool {
	locale := strings.ToUpper(cmp.Or(os.Getenv("LC_ALL"), os.Getenv("LC_CTYPE"), os.Getenv("LANG")))
	return strings.Contains(locale, "UTF-8") || strings.Contains(locale, "UTF8")
}

// fit is the width of the window, and how many rows the area may have. One is
// always left for the cursor.
func (l *live) fit() (wide, slots int) {
	wide, high := l.size()
	return wide, max(min(max(high-freeRows, fewRows), high-1, mostRows), 1)
}

func (l *live) start() {
	l.wide, l.slots = l.fit()
	l.lines.Store(&[]string{})
	l.refresh = make(chan any, 1)
	l.progress = mpb.New(mpb.WithOutput(l.w), mpb.ForceTTY(), mpb.WithWidth(l.wide), mpb.WithManualRefresh(l.refresh))
	above := make([]mpb.BarFiller, l.slots-1)
	for i := range above {
		above[i] = l.slot(i + 1)
	}
	// A bar of total 1 that is never incremented: close aborts it.
	bar, err := l.progress.Add(1, l.slot(0), mpb.BarFillerTrim(), mpb.BarTopExtender(above...))
	if err != nil {
		panic("terminal: a new container takes no bar: " + err.Error())
	}
	l.bar = bar
}

// slot fills the row that is n above the lowest. The lowest is there even when
// it is empty, and the library ends its line.
func (l *live) slot(n int) mpb.BarFiller {
	return mpb.BarFillerFunc(func(w io.Writer, st decor.Statistics) error {
		lines := *l.lines.Load()
		if n >= len(lines) {
			return nil
		}
		text := cut(lines[len(lines)-1-n], st.AvailableWidth, l.style.ellipsis)
		if n > 0 {
			text += "\n"
		}
		_, err := io.WriteString(w, text)
		return err
	})
}

// draw asks for a frame. It does not wait for it: frames that come faster than
// the terminal takes them are left out.
func (l *live) draw(sc *scene) {
	wide, slots := l.fit()
	if slots != l.slots {
		l.close()
		l.start()
	}
	lines := l.style.frame(sc, wide, slots)
	l.lines.Store(&lines)
	select {
	case l.refresh <- sc.now:
	default:
	}
}

// above prints text that scrolls by above the area, from the next frame on.
func (l *live) above(clock, text string) {
	wide, _ := l.fit()
	var b strings.Builder
	for i, line := range wrap(clock+text, wide-1, strings.Repeat(" ", len(clock))) {
		if i == 0 && l.color {
			line = line[:len(clock)] + paint(line[len(clock):])
		}
		b.WriteString(line + "\n")
	}
	_, _ = l.progress.Write([]byte(b.String()))
}

// verbs are the first words of decisions, with the color that says how it went.
var verbs = []struct{ word, color string }{
	{"kept ", "\x1b[32m"},
	{"reverted ", "\x1b[31m"},
	{"aborted ", "\x1b[31m"},
	{"errored ", "\x1b[33m"},
	{"paused", "\x1b[33m"},
}

// paint colors the verb of a decision.
func paint(text string) string {
	for _, v := range verbs {
		if rest, ok := strings.CutPrefix(text, v.word); ok {
			return v.color + v.word + "\x1b[0m" + rest
		}
	}
	return text
}

// close erases the area and ends all that belongs to it.
func (l *live) close() {
	l.lines.Store(&[]string{})
	l.bar.Abort(true)
	l.progress.Wait()
}
