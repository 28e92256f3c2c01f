package simulate

import (
	"time"

	"autotune/controller"
)

// Score is what a run cost, without its noise: expectations, as the service
// knows them and no controller can.
type Score struct {
	// Over is how much time it covers.
	Over time.Duration
	// Requests that arrived.
	Requests float64
	// LatencySeconds is the sum of their latencies, and LatencyExcess how much
	// of it the initial setting would not have cost in the same moments:
	// negative is what the run gained.
	LatencySeconds, LatencyExcess float64
	// CPUSeconds, and how much of them the initial setting would not have cost.
	CPUSeconds, CPUExcess float64
	// Errors is the number of requests that failed.
	Errors float64
	// Stalled is how long nothing completed.
	Stalled time.Duration
}

// plus adds what a stretch cost.
func (s *Score) plus(o *Score) {
	s.Over += o.Over
	s.Requests += o.Requests
	s.LatencySeconds += o.LatencySeconds
	s.LatencyExcess += o.LatencyExcess
	s.CPUSeconds += o.CPUSeconds
	s.CPUExcess += o.CPUExcess
	s.Errors += o.Errors
	s.Stalled += o.Stalled
}

// SettingTime is how long a setting was in force.
type SettingTime struct {
	Setting controller.Setting
	Time    time.Duration
}

// Scores are the costs of a run so far.
type Scores struct {
	// Whole is since the start.
	Whole Score
	// Thirds are of the configured horizon; what is beyond it is in the last.
	Thirds [3]Score
	// Settings are those that were in force, in the order in which they first were.
	Settings []SettingTime
}

// scoring adds up as time passes.
type scoring struct {
	scores  Scores
	horizon time.Duration
	now     int     // index of the setting in force
	backlog float64 // requests that wait in a stall
}

func (s *scoring) begin(initial controller.Setting, horizon time.Duration) {
	s.horizon = horizon
	s.scores.Settings = []SettingTime{{Setting: initial}}
}

func (s *scoring) change(to controller.Setting) {
	for i := range s.scores.Settings {
		if s.scores.Settings[i].Setting.Equal(to) {
			s.now = i
			return
		}
	}
	s.now = len(s.scores.Settings)
	s.scores.Settings = append(s.scores.Settings, SettingTime{Setting: to})
}

// add counts a stretch of time around mid: what it is, and what it would be
// under the initial setting.
func (s *scoring) add(mid, d time.Duration, is, unchanged weather) {
	n := is.rate * d.Seconds()
	one := Score{Over: d, Requests: n, Errors: n * is.effect.Errors}
	one.LatencySeconds = n * is.median * is.tail.Mean()
	one.LatencyExcess = one.LatencySeconds - n*unchanged.median*unchanged.tail.Mean()
	one.CPUSeconds = n * is.cpu
	one.CPUExcess = n * (is.cpu - unchanged.cpu)
	if is.effect.Stalled { // all that arrived in it waits, for half of this stretch the newest
		wait := (s.backlog + n/2) * d.Seconds()
		s.backlog += n
		one.LatencySeconds += wait
		if !unchanged.effect.Stalled {
			one.LatencyExcess += wait
		}
		one.Stalled = d
	} else {
		s.backlog = 0
	}
	s.scores.Settings[s.now].Time += d
	s.scores.Whole.plus(&one)
	if s.horizon > 0 {
		s.scores.Thirds[min(2, int(3*mid/s.horizon))].plus(&one)
	}
}

// Score returns what the run cost so far.
func (s *Service) Score() Scores {
	out := s.score.scores
	out.Settings = append([]SettingTime(nil), out.Settings...)
	return out
}
