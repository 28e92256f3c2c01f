package plant

import (
	"context"
	"slices"
	"time"

	"autotune/controller"
	"autotune/simulate"
)

// scoring adds up what a run costs, tick by tick. What the initial setting would
// have cost is not guessed: a twin that nobody tunes gets the same requests with
// the same luck, and is let run when somebody asks.
type scoring struct {
	whole    bill
	thirds   [3]bill
	settings []simulate.SettingTime
	now      int             // index of the setting in force
	seconds  []time.Duration // latency of those that were done, by the second in which they were
	twin     *Service
}

// bill is what some time cost. Whole nanoseconds add up the same however time is cut.
type bill struct {
	over, latency, cpu time.Duration
	requests, errors   int
}

func (b *bill) add(d time.Duration, t *tally) {
	b.over += d
	b.latency += t.latency
	b.cpu += t.cpu
	b.requests += t.requests
	b.errors += t.failed + t.rejected
}

// against is the score of a bill, compared with another's.
func (b *bill) against(was *bill) simulate.Score {
	return simulate.Score{
		Over: b.over, Requests: float64(b.requests), Errors: float64(b.errors),
		LatencySeconds: b.latency.Seconds(), LatencyExcess: (b.latency - was.latency).Seconds(),
		CPUSeconds: b.cpu.Seconds(), CPUExcess: (b.cpu - was.cpu).Seconds(),
	}
}

func (c *scoring) begin(s *Service) {
	c.settings = []simulate.SettingTime{{Setting: s.setting}}
}

func (c *scoring) change(to controller.Setting) {
	for i := range c.settings {
		if c.settings[i].Setting.Equal(to) {
			c.now = i
			return
		}
	}
	c.now = len(c.settings)
	c.settings = append(c.settings, simulate.SettingTime{Setting: to})
}

// done counts a request.
func (c *scoring) done(now, latency time.Duration) {
	second := int(now / time.Second)
	for second >= len(c.seconds) {
		c.seconds = append(c.seconds, 0)
	}
	c.seconds[second] += latency
}

// add counts a tick, in the third in which it ends.
func (c *scoring) add(s *Service, d time.Duration) {
	c.settings[c.now].Time += d
	c.whole.add(d, &s.tick)
	if h := s.cfg.Horizon; h > 0 {
		c.thirds[min(2, int(3*(s.now-1)/h))].add(d, &s.tick)
	}
}

// untuned returns the twin, at the same age. That takes as long as this service
// took, once.
func (s *Service) untuned() *Service {
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
	return c.twin
}

// Score returns what the run cost so far, and how much of it the initial setting
// would not have cost under the same requests. It runs a service that was never
// tuned to the same age, so it takes as long as the run did.
func (s *Service) Score() simulate.Scores {
	is, was := &s.score, &s.untuned().score
	out := simulate.Scores{Whole: is.whole.against(&was.whole), Settings: slices.Clone(is.settings)}
	for i := range out.Thirds {
		out.Thirds[i] = is.thirds[i].against(&was.thirds[i])
	}
	return out
}

// Bill is what the run cost so far, compared with nothing: it costs no time.
func (s *Service) Bill() simulate.Score { return s.score.whole.against(&s.score.whole) }

// Harm is what the run's worse seconds cost, in seconds of latency: how much more
// requests took in them than under the initial setting, without what other seconds
// gained. It is 0 for a run that nobody tuned.
func (s *Service) Harm() float64 {
	is, was, harm := s.score.seconds, s.untuned().score.seconds, time.Duration(0)
	for i, latency := range is {
		if i < len(was) {
			latency -= was[i]
		}
		harm += max(0, latency)
	}
	return harm.Seconds()
}
