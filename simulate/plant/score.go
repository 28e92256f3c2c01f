package plant

import (
	"context"
	"time"

	"autotune/controller"
	"autotune/simulate"
)

// scoring adds up what a run costs, third by third, tick by tick. What the
// initial setting would have cost is not guessed: a twin that nobody tunes gets
// the same requests with the same luck, and is let run when somebody asks.
type scoring struct {
	scores simulate.Scores
	now    int // index of the setting in force
	twin   *Service
}

func (c *scoring) begin(s *Service) {
	c.scores.Settings = []simulate.SettingTime{{Setting: s.setting}}
}

func (c *scoring) change(to controller.Setting) {
	for i := range c.scores.Settings {
		if c.scores.Settings[i].Setting.Equal(to) {
			c.now = i
			return
		}
	}
	c.now = len(c.scores.Settings)
	c.scores.Settings = append(c.scores.Settings, simulate.SettingTime{Setting: to})
}

// add counts a tick, in the third in which it ends.
func (c *scoring) add(s *Service, d time.Duration) {
	t := &s.tick
	one := simulate.Score{
		Over: d, Requests: float64(t.requests), LatencySeconds: t.latency.Seconds(), CPUSeconds: t.cpu.Seconds(),
		Errors: float64(t.failed + t.rejected),
	}
	c.scores.Settings[c.now].Time += d
	plus(&c.scores.Whole, &one)
	if h := s.cfg.Horizon; h > 0 {
		plus(&c.scores.Thirds[min(2, int(3*(s.now-1)/h))], &one)
	}
}

func plus(s, o *simulate.Score) {
	s.Over += o.Over
	s.Requests += o.Requests
	s.LatencySeconds += o.LatencySeconds
	s.CPUSeconds += o.CPUSeconds
	s.Errors += o.Errors
}

// Score returns what the run cost so far, and how much of it the initial setting
// would not have cost under the same requests: it runs a service that was never
// tuned to the same age, which takes as long as this one took.
func (s *Service) Score() simulate.Scores {
	c := &s.score
	if c.twin == nil {
		twin, err := New(s.cfg)
		if err != nil {
			panic(err) // the configuration was checked before
		}
		c.twin = twin
	}
	for c.twin.now < s.now {
		_, _ = c.twin.Observe(context.Background(), 0, min(time.Second, s.now-c.twin.now))
	}
	out, was := c.scores, &c.twin.score.scores
	out.Settings = append([]simulate.SettingTime(nil), out.Settings...)
	out.Whole.LatencyExcess = out.Whole.LatencySeconds - was.Whole.LatencySeconds
	out.Whole.CPUExcess = out.Whole.CPUSeconds - was.Whole.CPUSeconds
	for i := range out.Thirds {
		out.Thirds[i].LatencyExcess = out.Thirds[i].LatencySeconds - was.Thirds[i].LatencySeconds
		out.Thirds[i].CPUExcess = out.Thirds[i].CPUSeconds - was.Thirds[i].CPUSeconds
	}
	return out
}
