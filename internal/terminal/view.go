package terminal

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"autotune"
	"autotune/controller"
)

// Mode says how a View shows things.
type Mode int

// The modes. The zero Mode is Auto.
const (
	// Auto is Live on a terminal that can move its cursor, and Plain elsewhere.
	Auto Mode = iota + 1
	// Live redraws an area at the bottom.
	Live
	// Plain writes lines with a timestamp and no control codes.
	Plain
)

var modeNames = [...]string{"", "auto", "live", "plain"}

// String returns the mode's name.
func (m Mode) String() string {
	if m < Auto || int(m) >= len(modeNames) {
		return fmt.Sprintf("Mode(%d)", int(m))
	}
	return modeNames[m]
}

// Options of a View. The zero value is for a command on its error output.
type Options struct {
	// Mode is Auto by default.
	Mode Mode
	// Until is the end of the whole run, for the time left. Zero: what the
	// statuses say, or the time so far.
	Until time.Time
	// Whole shows the service too: what was measured last (Seen), what the operator
	// holds, what may not be tried and why, what is left to err with.
	Whole bool
	// Now reads the clock; time.Now by default.
	Now func() time.Time
	// Width and Height, in columns and rows, of a Live view on something whose
	// size cannot be asked for; 80 and 24 by default.
	Width, Height int
}

// Intervals of a plain view.
const (
	signOfLife = 15 * time.Second // between lines, at least one
	longPhase  = 5 * time.Second  // how long a restore takes to be worth telling
)

// mostOld is how many decisions from before the first status are told.
const mostOld = 10

// View shows what an autopilot does. It is safe for concurrent use. What cannot
// be written is dropped: a view never stands in the way of what it shows.
type View struct {
	w   io.Writer
	o   Options
	now func() time.Time

	mu     sync.Mutex
	scene  scene
	live   *live // nil: plain, or closed
	closed bool
	told   telling
}

// telling is what has been told already, so that nothing is told twice.
type telling struct {
	ended   int             // id of the last ended trial, plus 1
	endedAt time.Time       // its end: ids begin anew where nothing is remembered
	advised map[string]bool // proposals, by id
	alerted time.Time       // the last alert's
	phase   string
	stage   stage
	last    time.Time // of the last plain line
	since   time.Time // since when restoring
}

// New returns a view that writes to w. Close it before w is used otherwise.
func New(w io.Writer, o Options) *View {
	v := &View{w: w, o: o, now: o.Now}
	if v.now == nil {
		v.now = time.Now
	}
	v.scene.start, v.scene.until, v.scene.whole = v.now(), o.Until, o.Whole
	v.told.last, v.told.advised = v.scene.start, map[string]bool{}
	if v.isLive() {
		v.live = newLive(w, v.size)
	}
	return v
}

func (v *View) isLive() bool {
	switch v.o.Mode {
	case Live:
		return true
	case Plain:
		return false
	}
	wide, high, ok := windowSize(v.w)
	return ok && wide >= leastWide && high >= leastHigh && !dumb(os.Getenv("TERM"))
}

// dumb: a terminal of that name does not understand control codes.
func dumb(term string) bool { return term == "dumb" || term == "" }

func (v *View) size() (wide, high int) {
	if wide, high, ok := windowSize(v.w); ok {
		return wide, high
	}
	return cmp.Or(v.o.Width, 80), cmp.Or(v.o.Height, 24)
}

// Show takes a status. Call it a few times a second: the time left moves with it.
func (v *View) Show(s autotune.Status) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.closed {
		return
	}
	v.scene.status, v.scene.stage, v.scene.now = &s, nil, v.now()
	if v.o.Until.IsZero() {
		v.scene.until = s.Until
	}
	v.told.stage = stage{}
	v.tell(&s)
	v.draw()
}

// Seen takes what was measured of the service last. It is shown with the next
// status.
func (v *View) Seen(p autotune.Point) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.scene.point = &p
}

// Link says what is wrong with where statuses come from, "" that nothing is. It is
// shown until the next Link, beside the last status.
func (v *View) Link(problem string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.closed {
		return
	}
	fresh := problem != v.scene.link
	v.scene.link, v.scene.now = problem, v.now()
	if v.live == nil && fresh {
		v.say(clean(cmp.Or(problem, "connected again")))
	}
	v.draw()
}

// Stage takes the progress of another part of the run, done of so many; of 0 if
// that is not known. It is shown until the next Stage or Show.
func (v *View) Stage(name string, done, of int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.closed {
		return
	}
	g := stage{name, done, of}
	v.scene.stage, v.scene.now = &g, v.now()
	if v.live == nil {
		v.tellStage(g)
	}
	v.draw()
}

// Line prints a line above the live area, or a plain line. After Close too.
func (v *View) Line(text string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.scene.now = v.now()
	for line := range strings.Lines(text) {
		v.say(clean(line))
	}
	v.draw()
}

// Close erases the live area; what has scrolled by above it stays. It may be
// called again.
func (v *View) Close() {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.live != nil {
		v.live.close()
		v.live = nil
	}
	v.closed = true
}

// tell prints what is new in a status.
func (v *View) tell(s *autotune.Status) {
	for i := range s.Advice {
		if a := &s.Advice[i]; !v.told.advised[a.ID] {
			v.say(advises(a))
			v.told.advised[a.ID] = true
		}
	}
	ended := s.Ended
	if v.told.ended == 0 {
		ended = ended[max(0, len(ended)-mostOld):]
	}
	for _, t := range ended {
		if t.ID >= v.told.ended || t.Ended.After(v.told.endedAt) {
			v.sayAt(t.Ended, Decision(t))
			v.told.ended, v.told.endedAt = t.ID+1, t.Ended
		}
	}
	for i := range s.Alerts {
		if a := &s.Alerts[i]; a.At.After(v.told.alerted) {
			v.told.alerted = a.At
			if text := alarms(a); text != "" {
				v.sayAt(a.At, text)
			}
		}
	}
	phase, text := v.worthTelling(&s.Status)
	fresh := phase != "" && phase != v.told.phase
	if fresh {
		v.told.phase = phase
	}
	if v.live != nil {
		if fresh && s.Phase == controller.Paused {
			v.say(text)
		}
		return
	}
	switch {
	case fresh:
		v.say(text)
	case v.scene.now.Sub(v.told.last) < signOfLife:
	case s.Trial != nil:
		v.say(progress(s.Trial) + v.left())
	default:
		v.say(standing(&s.Status) + v.left())
	}
}

// worthTelling names what the controller is at, coarsely, and says it. The name
// is empty for what passes too soon to be told.
func (v *View) worthTelling(s *controller.Status) (phase, text string) {
	if s.Phase != controller.Restoring {
		v.told.since = time.Time{}
	}
	switch s.Phase {
	case controller.Settling, controller.Trying:
		if s.Trial == nil {
			return "", ""
		}
		return fmt.Sprintf("trial %d", s.Trial.ID), begins(s.Trial)
	case controller.Measuring:
		return "measuring", standing(s)
	case controller.Restoring:
		if v.told.since.IsZero() {
			v.told.since = v.scene.now
		}
		if v.scene.now.Sub(v.told.since) < longPhase {
			return "", ""
		}
		return "restoring", state(s)
	}
	return state(s), state(s)
}

func (v *View) tellStage(g stage) {
	switch {
	case g.name != v.told.stage.name, g != v.told.stage && g.of > 0 && g.done >= g.of,
		v.scene.now.Sub(v.told.last) >= signOfLife:
	default:
		return
	}
	v.told.stage = g
	v.told.phase = ""
	text := clean(g.name)
	if g.of > 0 {
		text += fmt.Sprintf(": %d of %d", g.done, g.of)
	}
	v.say(text)
}

// left is the time left, for the end of a plain line.
func (v *View) left() string {
	if v.scene.until.IsZero() {
		return ""
	}
	return "; " + span(v.scene.until.Sub(v.scene.now)) + " left"
}

// say prints one line, above the live area if there is one.
func (v *View) say(text string) { v.sayAt(v.scene.now, text) }

// sayAt prints one line of what was at a time; zero: now.
func (v *View) sayAt(at time.Time, text string) {
	now := v.scene.now
	if at.IsZero() {
		at = now
	}
	at = at.In(now.Location())
	if v.live != nil {
		v.live.above(stamp(at, now), text)
		return
	}
	v.told.last = now
	_, _ = fmt.Fprintf(v.w, "%s %s\n", at.Format(time.RFC3339), text)
}

// stamp is a time of day, or a day if that was long ago.
func stamp(at, now time.Time) string {
	if now.Sub(at) > 12*time.Hour {
		return at.Format("Jan _2 15:04 ")
	}
	return at.Format("15:04:05 ")
}

func (v *View) draw() {
	if v.live != nil {
		v.live.draw(&v.scene)
	}
}
