package experiments

import (
	"math"
	"time"

	"autotune/catalog"
	"autotune/controller"
	"autotune/simulate/plant"
)

// truth is what settings truly do on a scenario.
type truth struct {
	scenario plant.Scenario
	known    *onces[string, goalCosts]
	best     onces[struct{}, bestGain]
}

// goalCosts are the logs of the goals, on average of some runs.
type goalCosts struct {
	mean float64
	err  error
}

type bestGain struct {
	gain float64
	err  error
}

// A setting is run with so many seeds, for so long each.
const (
	truthSeeds = 3
	truthLong  = 45 * time.Second
)

func (t *truth) cost(s controller.Setting) goalCosts {
	return t.known.get(s.String(), func() goalCosts {
		sum := 0.0
		for seed := range uint64(truthSeeds) {
			c, err := t.scenario.Cost(s, seed+1, truthLong)
			if err != nil {
				return goalCosts{err: err}
			}
			sum += (math.Log(c.P95) + math.Log(c.CPUPerRequest) + math.Log(c.LatencyMean)) / 3
		}
		return goalCosts{mean: sum / truthSeeds}
	})
}

// gain of a setting over the initial one, in log units.
func (t *truth) gain(s controller.Setting) (float64, error) {
	was, is := t.cost(t.scenario.Initial()), t.cost(s)
	if was.err != nil {
		return 0, was.err
	}
	return was.mean - is.mean, is.err
}

// leastStep is what a step of the oracle must gain: less is luck.
const leastStep = 0.005

// oracle is the largest gain that coordinate ascent finds: each switch in turn, with
// the numbers that the guide starts it with, until none gains anything; then each
// number that can be tried, by a factor of two or a quarter of its range.
func (t *truth) oracle() (float64, error) {
	b := t.best.get(struct{}{}, func() bestGain {
		at, err := t.ascend()
		if err != nil {
			return bestGain{err: err}
		}
		gain, err := t.gain(at)
		return bestGain{gain, err}
	})
	return b.gain, b.err
}

func (t *truth) ascend() (controller.Setting, error) {
	at := t.scenario.Initial()
	here, err := t.gain(at)
	if err != nil {
		return at, err
	}
	for _, moves := range []func(controller.Setting) []controller.Setting{t.switches, t.numbers} {
		for better := true; better; {
			better = false
			for _, to := range moves(at) {
				gain, err := t.gain(to)
				if err != nil {
					return at, err
				}
				if gain > here+leastStep {
					at, here, better = to, gain, true
					break
				}
			}
		}
	}
	return at, nil
}

func (t *truth) switches(at controller.Setting) []controller.Setting {
	var out []controller.Setting
	for _, o := range t.scenario.Offered {
		change := map[string]float64{o.Switch: 1}
		if at.On(o.Switch) {
			change[o.Switch] = 0
		} else {
			for name, v := range catalog.StartIn(o, t.scenario.Workload, "", func(controller.Metric) (float64, bool) { return 0, false }) {
				if k, ok := t.scenario.Config.Space.Knob(name); ok && k.Period == 0 {
					change[name] = k.Clamp(v)
				}
			}
		}
		if k, _ := t.scenario.Config.Space.Knob(o.Switch); k.PeriodOf == "" { // acts too rarely for trials
			out = append(out, at.With(change))
		}
	}
	return out
}

func (t *truth) numbers(at controller.Setting) []controller.Setting {
	var out []controller.Setting
	for _, o := range t.scenario.Offered {
		for _, name := range o.Knobs {
			k, ok := t.scenario.Config.Space.Knob(name)
			now, _ := at.Get(name)
			if !ok || k.Period > 0 || !at.On(o.Switch) {
				continue
			}
			for _, to := range []float64{now * 2, now / 2} {
				if k.Scale != controller.Log {
					to = now + (to-now)/math.Max(now, 1e-9)*(k.Max-k.Min)/4
				}
				if to = k.Clamp(to); to != now {
					out = append(out, at.With(map[string]float64{name: to}))
				}
			}
		}
	}
	return out
}
