package policies

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"autotune/controller"
)

// Experience is a policy with a memory: it asks another policy, and knows from
// what trials showed whether what that proposes is worth a trial again. What cost
// a tenth is not tried again because a cool-down is over; what made no difference
// may be, once the world has changed. A first trial of anything is the other
// policy's business, and happens.
//
// When that has nothing left, it looks for what one optimization at a time does
// not find (interactions.go).
//
// What trials showed is a belief (surrogate.go) about effects in the regime in
// force: with each change of regime it gets vaguer, which is when what was close
// is worth another look, and first. Where nothing changes it gets certain, and the
// policy quiet.
//
// Not safe for concurrent use, as no policy is.
type Experience struct {
	policy   controller.Policy
	trials   []controller.Trial // that showed something, oldest first
	failed   map[string]int     // times in a row that a setting could not be put in force
	workload string             // of the last trial that says
	learned  int
	belief   belief
}

var (
	_ controller.Policy    = (*Experience)(nil)
	_ controller.Explainer = (*Experience)(nil)
	_ controller.Surveyor  = (*Experience)(nil)
)

// WithExperience returns a policy that asks another one.
func WithExperience(policy controller.Policy) *Experience {
	return &Experience{policy: policy, failed: map[string]int{}}
}

// String is the other policy's name: its journal replays with it.
func (e *Experience) String() string { return fmt.Sprint(e.policy) }

// mostSights is how many trials are remembered, the latest.
const mostSights = 48

// mostFailures is how often in a row a setting may fail to be put in force: it does
// not exist, or breaks a constraint that nobody declared.
const mostFailures = 2

// Learn remembers what a trial showed.
func (e *Experience) Learn(t controller.Trial) {
	e.policy.Learn(t)
	if t.Basis != nil {
		e.workload = t.Basis.Workload
	}
	if !t.To.IsZero() {
		if key := t.To.String(); t.Reason == controller.ApplyFailed {
			e.failed[key]++
			e.belief.useless = nil
		} else {
			delete(e.failed, key)
		}
	}
	if len(t.Intervals()) == 0 || t.Interrupted() {
		return
	}
	e.trials = append(e.trials, t)
	e.trials = e.trials[max(0, len(e.trials)-mostSights):]
	e.learned++
}

// Propose asks the other policy for something that is worth a trial, and then
// what was learned.
func (e *Experience) Propose(v controller.View) (controller.Proposal, bool) {
	ask := v
	ask.Blocked = maps.Clone(v.Blocked)
	if ask.Blocked == nil {
		ask.Blocked = map[string]string{}
	}
	b, _ := e.believe(v)
	for key, why := range b.useless { // as found out before: it need not be proposed again
		if why != "" {
			ask.Blocked[key] = why
		}
	}
	for range mostRefused {
		p, ok := e.policy.Propose(ask)
		if !ok {
			return e.interaction(v)
		}
		key := p.BlockKey()
		why := e.useless(v, p, key)
		if _, again := ask.Blocked[key]; why == "" || again {
			return p, true
		}
		ask.Blocked[key] = why
	}
	return controller.Proposal{}, false
}

// Skipped are those of the other policy.
func (e *Experience) Skipped(v controller.View) []controller.Skip {
	if x, ok := e.policy.(controller.Explainer); ok {
		return x.Skipped(v)
	}
	return nil
}

// Outlook is the other policy's.
func (e *Experience) Outlook(v controller.View) controller.Outlook {
	if x, ok := e.policy.(controller.Surveyor); ok {
		return x.Outlook(v)
	}
	return controller.Outlook{}
}

// mostRefused is how much of what the other policy proposes may be refused in a row.
const mostRefused = 10_000

// useless says why a proposal is not worth a trial, or "".
func (e *Experience) useless(v controller.View, p controller.Proposal, key string) string {
	b, ok := e.believe(v)
	if why, known := b.useless[key]; known {
		return why
	}
	to := v.Safe.With(p.Change)
	why := ""
	switch {
	case e.failed[to.String()] >= mostFailures:
		why = "could not be put in force"
	case ok && e.tried(key):
		if p := b.prospect(to); p.value(b.least) < 0 {
			why = fmt.Sprintf("trials showed %+.0f%%, give or take %.0f: not worth another", 100*math.Expm1(p.mean), 100*p.sd)
		}
	}
	b.useless[key] = why
	return why
}

// tried reports whether a trial of this showed something.
func (e *Experience) tried(key string) bool {
	return slices.ContainsFunc(e.trials, func(t controller.Trial) bool {
		return controller.Proposal{Optimization: t.Optimization, Move: t.Move, Change: t.Change}.BlockKey() == key
	})
}

// belief is what is believed in one situation. It is computed from what was learned
// and the view alone: keeping it saves time and changes no answer.
type belief struct {
	of    situation
	model surrogate
	here  standpoint // in force
	brief bool       // the model has trials of before a restart
	known bool
	least float64 // effect worth having
	from  time.Time
	unit  time.Duration // in which what was shown ages as by a change of regime
	// What came of it.
	useless map[string]string // why not, by key
	paths   []controller.Proposal
	ranked  bool
}

// situation is what a belief rests on.
type situation struct {
	learned int
	safe    string
	joint   bool
	era     float64
}

// believe returns what is believed, and whether that is anything. Nothing is fitted
// unless a trial showed something new.
func (e *Experience) believe(v controller.View) (*belief, bool) {
	b := &e.belief
	fresh := b.of.learned != e.learned || b.useless == nil
	if fresh {
		b.from, b.unit = e.times()
	}
	now := situation{e.learned, v.Safe.String(), v.Joint, math.Floor(8*b.era(v.Regime, v.At)) / 8}
	if now == b.of && b.useless != nil {
		return b, b.known
	}
	brief := len(e.trials) > 0 && e.trials[0].To.IsZero() // whose settings follow from what is in force
	if fresh || brief && now.safe != b.of.safe {
		b.model.space, b.least = v.Space, worthHaving
		e.recall(v, brief)
		b.known = b.model.fit()
	}
	if b.known {
		b.here = b.model.standAt(spotOf(v.Space, v.Safe))
	}
	b.of, b.useless, b.paths, b.ranked = now, map[string]string{}, nil, false
	return b, b.known
}

// recall takes into the model what was learned since, or, while there are brief
// trials, everything anew.
func (e *Experience) recall(v controller.View, brief bool) {
	b := &e.belief
	since := e.learned - b.of.learned
	if brief || b.brief || since > len(e.trials) || b.useless == nil {
		b.model.drop(len(b.model.seen))
		since = len(e.trials)
	}
	b.brief = brief
	var sights []sight
	e.look(v, since, func(t *controller.Trial, from, to controller.Setting) { sights = append(sights, b.sight(t, from, to)) })
	for _, s := range slices.Backward(sights) {
		b.model.add(s)
	}
	b.model.drop(max(0, len(b.model.seen)-mostSights))
	for i := range b.model.seen { // a trial's length, and so its age, is a mean
		s := &b.model.seen[i]
		s.era = b.era(s.regime, s.ended)
	}
}

// times are when the first trial began, and the longest cool-down of one of mean
// length, in which what it showed ages as much as by a change of regime.
func (e *Experience) times() (from time.Time, unit time.Duration) {
	for i := range e.trials {
		unit += e.trials[i].Ended.Sub(e.trials[i].Started)
	}
	if n := time.Duration(len(e.trials)); n > 0 {
		from, unit = e.trials[0].Started, longestCoolDown*unit/n
	}
	return from, max(unit, time.Second)
}

// longestCoolDown of a failure, in lengths of its trial.
const longestCoolDown = 64

func (b *belief) era(regime int, at time.Time) float64 {
	return float64(regime) + at.Sub(b.from).Seconds()/b.unit.Seconds()
}

// look calls see for the latest trials, the last one first, with their whole
// settings. Of trials before a restart only what they changed is known: the rest
// follows from what is in force now, or was when the first one after it began.
func (e *Experience) look(v controller.View, latest int, see func(t *controller.Trial, from, to controller.Setting)) {
	after := v.Safe
	for i := len(e.trials) - 1; i >= len(e.trials)-latest; i-- {
		t := &e.trials[i]
		if !t.To.IsZero() {
			see(t, t.From, t.To)
			after = t.From
			continue
		}
		from, to := after, after.With(t.Change)
		if t.Outcome == controller.Kept {
			if !to.Equal(after) {
				return // something else was put in force meanwhile
			}
			from = after.With(t.From.Map())
		}
		see(t, from, to)
		after = from
	}
}

// sight is what a trial showed on the goal that decided it: of a keep the first
// that was shown better, else the top one. An interval holds at any time, and is
// wider than two standard deviations each way.
func (b *belief) sight(t *controller.Trial, from, to controller.Setting) sight {
	shown := t.Intervals()
	i := shown[0]
	if t.Outcome == controller.Kept {
		if at := slices.IndexFunc(shown, func(i controller.Interval) bool { return i.High < 0 }); at >= 0 {
			i = shown[at]
		}
	}
	low, high := max(i.Low, -mostShown), min(i.High, mostShown)
	return sight{
		from: spotOf(b.model.space, from), to: spotOf(b.model.space, to),
		effect: (low + high) / 2, sd: (high - low) / 5, regime: t.Regime, ended: t.Ended,
	}
}

// mostShown is the largest effect, log units: beyond twice or half it does not
// matter how much.
const mostShown = 0.7

// prospect of going from what is in force to a setting now.
func (b *belief) prospect(to controller.Setting) prospect {
	mean, sd := b.here.expect(spotOf(b.model.space, to), b.of.era)
	return prospect{mean, sd}
}
