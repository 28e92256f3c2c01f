package terminal

import (
	"os"
	"strings"
	"time"

	"autotune"
)

// Snapshot is what a whole view shows, once, as text: a title, the latest decisions,
// oldest first, and below them how things stand at now. point may be nil. It has no
// control codes, and no line wider than wide columns but where a word is.
func Snapshot(title string, s *autotune.Status, point *autotune.Point, now time.Time, wide int) string {
	var b strings.Builder
	b.WriteString(clean(title) + "\n")
	for _, t := range s.Ended[max(0, len(s.Ended)-mostOld):] {
		clock := stamp(t.Ended.In(now.Location()), now)
		for _, line := range wrap(clock+Decision(t), wide-1, strings.Repeat(" ", len(clock))) {
			b.WriteString(line + "\n")
		}
	}
	sc := scene{status: s, now: now, start: now, until: s.Until, whole: true, point: point}
	for _, line := range newStyle(!unicodeLocale()).frame(&sc, wide, 1<<10) {
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	return b.String()
}

// Wide is the width of the terminal behind f, in columns, or 100 where there is none.
func Wide(f *os.File) int {
	if wide, _, ok := windowSize(f); ok && wide > 0 {
		return wide
	}
	return 100
}
