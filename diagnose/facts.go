package diagnose

import (
	"maps"
	"slices"
	"time"

	"autotune/catalog"
	"autotune/controller"
)

// Limits of what is remembered of a journal, however long it is.
const (
	mostTrials = 2000
	mostEvents = 200
	century    = 100 * 365 * 24 * time.Hour
)

// facts are what rules look at. Nothing in them is about a candidate's blocks but
// trials.
type facts struct {
	source   string
	from, to time.Time
	observed time.Duration
	starts   int
	partial  bool
	session  *controller.Session // the latest
	state    *controller.State   // the latest; nil: none was written
	initial  controller.Setting  // the operator's, at the latest start
	safe     controller.Setting
	inForce  controller.Setting
	running  *controller.Trial   // it has no verdict yet
	outlook  *controller.Outlook // the policy's; nil: not known
	phase    controller.Phase
	why      string
	byHand   bool // paused by the operator

	trials   []controller.Trial // that ended, oldest first; of audits those that rolled back
	advised  []controller.Trial
	alerts   []alert
	outside  []outside
	breaches []breach
	excused  []breach  // what the safe setting did right after a candidate was withdrawn for it
	won      []outside // the operator's configuration won over what was kept

	panics []breach // of the autopilot itself

	deaths []time.Time // of processes that did not live for ten minutes, when last heard of

	ticks    int
	present  map[controller.Metric]int // in how many ticks of the safe setting
	safeSeen controller.Sample         // all that was seen under the safe setting
	most     map[controller.Metric]peak
	track    track
	fails    map[string]*failing // by what failed
}

// alert is a degradation that the controller told of.
type alert struct {
	at time.Time
	controller.Degraded
	// kept is the latest trial that was kept before it, within probation; 0: none.
	kept int
}

// outside is a change that nobody here made.
type outside struct {
	at      time.Time
	changed map[string]float64
}

// breach is a hard limit that the safe setting broke.
type breach struct {
	at   time.Time
	what string
}

// peak is the highest value of a metric in a tick, and when.
type peak struct {
	value float64
	at    time.Time
}

// failing is something that goes wrong again and again.
type failing struct {
	times       int
	first, last time.Time
	text        string // of the last
}

func newFacts(source string) *facts {
	return &facts{
		source: source, phase: controller.Starting,
		present: map[controller.Metric]int{}, most: map[controller.Metric]peak{}, fails: map[string]*failing{},
	}
}

func (f *facts) failed(what, text string, at time.Time) {
	if text == "" {
		return
	}
	x := f.fails[what]
	if x == nil {
		x = &failing{first: at}
		f.fails[what] = x
	}
	x.times++
	x.last, x.text = at, text
}

// value of a metric over all that was seen under the safe setting.
func (f *facts) value(m controller.Metric) (float64, bool) { return f.safeSeen.Value(m) }

// goals of the session; without one, those by default.
func (f *facts) goals() []controller.Goal {
	if f.session == nil {
		return controller.DefaultGoals()
	}
	return f.session.Goals
}

// knob of the session's space.
func (f *facts) knob(name string) (controller.Knob, bool) {
	if f.session == nil {
		return controller.Knob{}, false
	}
	return f.session.Space.Knob(name)
}

// optimization that was offered.
func (f *facts) optimization(name string) (controller.Optimization, bool) {
	if f.session != nil {
		for _, o := range f.session.Offered {
			if o.Name == name {
				return o, true
			}
		}
	}
	return controller.Optimization{}, false
}

// now is a setting that is in force for certain, or should be.
func (f *facts) now() controller.Setting {
	if f.safe.IsZero() {
		return f.inForce
	}
	return f.safe
}

// on reports whether a switch is on in the safe setting.
func (f *facts) on(name string) bool { return f.now().On(name) }

// latest keeps the last most of a list.
func latest[T any](list []T, x T, most int) []T {
	if len(list) >= most {
		list = slices.Delete(list, 0, len(list)-most+1)
	}
	return append(list, x)
}

// idleExecutor: the service has knobs of its own and runs nothing in the executor,
// which is a way to use the autopilot: what the executor could do is no advice.
func (f *facts) idleExecutor() bool {
	if n, ok := f.safeSeen.Totals[catalog.Executions]; !ok || n > 0 {
		return false
	}
	for name := range f.now().All() {
		if _, ok := catalog.FieldOf(name); !ok {
			return true
		}
	}
	return f.session != nil && slices.ContainsFunc(f.session.Space.Knobs, func(k controller.Knob) bool {
		_, ok := catalog.FieldOf(k.Name)
		return !ok
	})
}

// names of what changed, ascending.
func (o outside) names() []string { return slices.Sorted(maps.Keys(o.changed)) }
