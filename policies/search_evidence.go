package policies

import (
	"math"
	"slices"

	"autotune/controller"
	"autotune/policies/internal/gaussian"
)

// evidence is what trials said of settings. A trial tells a candidate's value as
// a share of the safe setting's, and a candidate that is kept is the next safe
// setting: so all values are known as shares of the first one's.
type evidence struct {
	seen []seen
	// more is by how many verdicts more is better; negative: less is.
	more int
}

// seen is a setting that was tried.
type seen struct {
	setting controller.Setting
	// share is the mean over trials, 1 for the first setting; NaN if no trial told.
	share  float64
	trials float64
}

// add takes in a trial. It reports whether what was known before is as it was.
func (e *evidence) add(t *controller.Trial) (asBefore bool) {
	if t.To.IsZero() || t.From.IsZero() || t.Interrupted() {
		return true
	}
	from, asBefore := e.find(t.From), true
	if from < 0 || math.IsNaN(e.seen[from].share) { // not connected with what is known
		asBefore = len(e.seen) == 0
		e.seen, from = []seen{{t.From, 1, 1}}, 0
	}
	share := math.NaN()
	if len(t.Effects) > 0 {
		change := t.Effects[0].Change
		share = e.seen[from].share * (1 + change)
		switch {
		case t.Reason == controller.Better && change > 0, t.Reason == controller.Worse && change < 0:
			e.more++
		case t.Reason == controller.Better && change < 0, t.Reason == controller.Worse && change > 0:
			e.more--
		}
	}
	at := e.find(t.To)
	if at < 0 {
		e.seen = append(e.seen, seen{t.To, share, 1})
		return asBefore
	}
	if old := &e.seen[at]; !math.IsNaN(share) {
		if math.IsNaN(old.share) {
			*old = seen{t.To, share, 0}
		}
		old.trials++
		old.share += (share - old.share) / old.trials
	}
	return false
}

func (e *evidence) find(s controller.Setting) int {
	return slices.IndexFunc(e.seen, func(o seen) bool { return o.setting.Equal(s) })
}

// settings that were tried, and another one.
func (e *evidence) settings(another controller.Setting) []controller.Setting {
	out := []controller.Setting{another}
	for _, t := range e.seen {
		out = append(out, t.setting)
	}
	return out
}

// points are the settings with a value, of which less is better: the log of the
// share, or the share itself if one is not above 0. A setting that broke a trial
// is as bad as the worst.
func (e *evidence) points(s *sample) (gaussian.Points, []float64) {
	values := make([]float64, len(e.seen))
	positive := !slices.ContainsFunc(e.seen, func(t seen) bool { return t.share <= 0 })
	worst := math.Inf(-1)
	for i, t := range e.seen {
		values[i] = t.share
		if positive {
			values[i] = math.Log(t.share)
		}
		if e.more > 0 {
			values[i] = -values[i]
		}
		if !math.IsNaN(values[i]) {
			worst = max(worst, values[i])
		}
	}
	settings := make([]controller.Setting, len(e.seen))
	for i, t := range e.seen {
		settings[i] = t.setting
		if math.IsNaN(values[i]) {
			values[i] = worst
		}
	}
	return s.at(settings), values
}
