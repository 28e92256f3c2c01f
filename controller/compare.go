package controller

import (
	"errors"
	"fmt"
	"math"
	"time"

	"autotune/internal/stats"
)

// Comparison is a Stepper that judges two settings against each other in a
// fixed number of randomized pairs, and then leaves the first one in force. It
// decides nothing on the way: it is the independent check of what was kept, and
// the guide's performance validation.
type Comparison struct {
	cfg     ComparisonConfig
	arms    [2]Setting // baseline, candidate
	block   block
	epoch   uint64
	pair    int
	first   bool
	cFirst  bool
	drain   bool // the baseline is in force, whichever block it was
	apply   bool
	wait    time.Duration
	values  [2]map[Metric]float64
	diffs   map[Metric][]float64
	settled bool // the current block's setting read back
	ending  bool
	resting bool    // the last command of the end waited only
	final   Setting // asked for at the end
	asked   int
	err     error
	done    bool
	now     time.Time
	out     []Record
}

// ComparisonConfig is what a Comparison needs. Zero fields have the defaults of
// Config, except Pairs, which must be given.
type ComparisonConfig struct {
	Space     Space
	Baseline  Setting
	Candidate Setting
	// Final is left in force; Baseline if zero.
	Final  Setting
	Goals  []Goal
	Pairs  int
	Seed   uint64
	Timing Timing
}

// Compared is one line of a comparison's answer.
type Compared struct {
	Metric Metric `json:"metric"`
	// Effect is the relative change of the metric itself from baseline to
	// candidate, the median over pairs; -0.31 is 31 % less.
	Effect float64 `json:"effect"`
	// Low and High bound it with 95 % confidence.
	Low  float64 `json:"low"`
	High float64 `json:"high"`
	// Pairs it rests on.
	Pairs int `json:"pairs"`
	// Differences of the pairs, candidate less baseline, in logs of the metric,
	// for whoever wants an interval of another kind.
	Differences []float64 `json:"-"`
	// Verdict is "better", "worse", or "unclear": whether the interval is on one
	// side of no change.
	Verdict string `json:"verdict"`
}

// NewComparison returns a comparison, or what is wrong with its configuration.
func NewComparison(cfg ComparisonConfig) (*Comparison, error) {
	full := Config{Space: cfg.Space, Goals: cfg.Goals, Timing: cfg.Timing, Policy: nothing{}}
	full.setDefaults()
	if err := full.check(); err != nil {
		return nil, err
	}
	cfg.Goals, cfg.Timing = full.Goals, full.Timing
	if cfg.Pairs < 1 {
		return nil, fmt.Errorf("comparison: pairs %d: must be at least 1", cfg.Pairs)
	}
	switch {
	case cfg.Baseline.IsZero():
		return nil, errors.New("comparison: baseline is empty: must have a value for each knob")
	case cfg.Candidate.IsZero():
		return nil, errors.New("comparison: candidate is empty: must have a value for each knob")
	}
	if cfg.Final.IsZero() {
		cfg.Final = cfg.Baseline
	}
	c := &Comparison{cfg: cfg, arms: [2]Setting{cfg.Baseline, cfg.Candidate}, diffs: map[Metric][]float64{}}
	return c, nil
}

// PairDuration is how long a pair of blocks takes that is not prolonged, or what
// is wrong with the configuration.
func (cfg ComparisonConfig) PairDuration() (time.Duration, error) {
	c, err := NewComparison(cfg)
	if err != nil {
		return 0, err
	}
	return c.layout().pair(), nil
}

// layout of its blocks: what the settings differ in decides.
func (c *Comparison) layout() layout {
	return layoutFor(c.cfg.Space, c.cfg.Timing, c.cfg.Baseline, c.cfg.Baseline.Diff(c.cfg.Candidate))
}

// nothing is a policy that proposes nothing.
type nothing struct{}

func (nothing) Propose(View) (Proposal, bool) { return Proposal{}, false }
func (nothing) Learn(Trial)                   {}

// Start begins the first pair.
func (c *Comparison) Start() Command {
	c.beginPair()
	return c.command()
}

// Step takes a tick. An outside change, or anything that cannot be applied or
// observed, ends the comparison with an error: half a comparison is none.
func (c *Comparison) Step(in Input) Command {
	c.now, c.out, c.apply = in.At, nil, false
	switch {
	case c.ending:
		c.stepEnding(&in)
	case in.RecordErr != "": // then the setting was not applied either
		c.end(fmt.Errorf("comparison: record: %s", in.RecordErr))
	case in.Ask == Stop, in.Ask == StopToInitial:
		c.end(fmt.Errorf("comparison: stopped after %d of %d pairs", c.pair-1, c.cfg.Pairs))
	case in.ApplyErr != "":
		c.end(fmt.Errorf("comparison: apply: %s", in.ApplyErr))
	case in.ReadErr != "":
		c.end(fmt.Errorf("comparison: read back: %s", in.ReadErr))
	case in.ObserveErr != "":
		c.end(fmt.Errorf("comparison: observe: %s", in.ObserveErr))
	case c.settled && !in.Current.Equal(c.arms[c.inForce()]):
		c.end(fmt.Errorf("comparison: changed from outside: %v", c.arms[c.inForce()].Diff(in.Current)))
	default:
		c.arms[c.inForce()] = in.Current // a runtime may round
		c.settled = true
		if c.arms[0].Equal(c.arms[1]) && !c.cfg.Baseline.Equal(c.cfg.Candidate) {
			c.end(fmt.Errorf("comparison: baseline %s and candidate %s both read back as %s: nothing to compare",
				c.cfg.Baseline, c.cfg.Candidate, in.Current))
			break
		}
		c.take(&in)
	}
	return c.command()
}

// stepEnding asks for the final setting until it reads back. After an error the
// loop answers at once, so it rests before it asks again.
func (c *Comparison) stepEnding(in *Input) {
	inForce := in.ReadErr == "" && in.Current.Equal(c.final)
	if c.resting && !inForce {
		c.resting, c.apply = false, true
		return
	}
	c.asked++
	switch {
	case inForce:
		c.done = true
	case c.asked >= giveUpAfter:
		c.done = true
		c.err = errors.Join(c.err, fmt.Errorf("comparison: %s does not read back: in force is %s", c.final, in.Current))
	default:
		c.resting = in.ApplyErr != ""
		c.apply = !c.resting
		c.wait = min(c.wait*2, slowestRestore)
	}
}

// finalSetting is what must be in force at the end; where an arm was rounded by
// the runtime, as it read back.
func (c *Comparison) finalSetting() Setting {
	switch {
	case c.cfg.Final.Equal(c.cfg.Baseline):
		return c.arms[0]
	case c.cfg.Final.Equal(c.cfg.Candidate):
		return c.arms[1]
	}
	return c.cfg.Final
}

func (c *Comparison) take(in *Input) {
	switch c.block.take(&in.Sample, c.wait) {
	case washed:
		c.epoch++
	case full:
		if c.block.plan.drain == 0 {
			c.endBlock()
			return
		}
		c.drain = true
		c.apply, c.settled = true, false
		c.epoch++
	case drained:
		c.drain = false
		c.endBlock()
		return
	case starved:
		c.end(fmt.Errorf("comparison: %v requests in %v: a block needs %d",
			c.block.sample.Totals[Requests], c.block.elapsed, c.cfg.Timing.MinRequests))
		return
	}
	c.wait = c.block.next()
}

func (c *Comparison) endBlock() {
	values := map[Metric]float64{}
	for _, g := range c.cfg.Goals {
		v, ok := c.block.value(g.Metric)
		if y, ok := logOf(g, v, ok); ok {
			values[g.Metric] = y
		}
	}
	c.values[c.arm()] = values
	if c.first {
		c.first = false
		c.beginBlock()
		return
	}
	for _, g := range c.cfg.Goals {
		a, okA := c.values[0][g.Metric]
		b, okB := c.values[1][g.Metric]
		if okA && okB {
			c.diffs[g.Metric] = append(c.diffs[g.Metric], b-a)
		}
	}
	if c.pair == c.cfg.Pairs {
		c.end(nil)
		return
	}
	c.beginPair()
}

func (c *Comparison) beginPair() {
	c.pair++
	c.first, c.cFirst = true, coin(c.cfg.Seed, 0, c.pair)
	c.values = [2]map[Metric]float64{}
	c.out = append(c.out, Record{At: c.now, Kind: RecordCoin, Coin: &Coin{Pair: c.pair, CandidateFirst: c.cFirst}})
	c.beginBlock()
}

func (c *Comparison) arm() int {
	if c.first == c.cFirst {
		return 1
	}
	return 0
}

// inForce is the arm whose setting is in force.
func (c *Comparison) inForce() int {
	if c.drain {
		return 0
	}
	return c.arm()
}

func (c *Comparison) beginBlock() {
	c.epoch++
	c.apply, c.settled = true, false
	c.block.start(c.layout())
	c.wait = c.block.next()
}

// end puts the final setting in force and finishes.
func (c *Comparison) end(err error) {
	c.err, c.ending, c.apply = err, true, true
	c.final = c.finalSetting()
	c.epoch++
	c.wait = c.cfg.Timing.Tick
}

func (c *Comparison) command() Command {
	setting := c.arms[c.inForce()]
	if c.ending {
		setting = c.final
	}
	return Command{
		Records: c.out, Durable: c.apply && len(c.out) > 0, Setting: setting, Apply: c.apply && !c.done,
		Epoch: c.epoch, Wait: c.wait, Done: c.done,
	}
}

// Pairs that were completed, out of how many.
func (c *Comparison) Pairs() (done, of int) {
	done = c.pair - 1
	if c.done && c.err == nil {
		done = c.pair
	}
	return max(done, 0), c.cfg.Pairs
}

// Result returns one line a goal, and why the comparison ended early, if it did.
func (c *Comparison) Result() ([]Compared, error) {
	out := make([]Compared, 0, len(c.cfg.Goals))
	for _, g := range c.cfg.Goals {
		p, differences := stats.NewPairs(nil), []float64(nil)
		for _, d := range c.diffs[g.Metric] {
			if err := p.Add(d); err != nil {
				return nil, fmt.Errorf("comparison: %s: %w", g.Metric, err)
			}
			if g.Maximize {
				d = -d
			}
			differences = append(differences, d)
		}
		e := effectOf(g, p)
		line := Compared{Metric: g.Metric, Effect: e.Change, Low: e.Low, High: e.High, Pairs: p.Len(), Differences: differences, Verdict: "unclear"}
		up, down := "worse", "better"
		if g.Maximize {
			up, down = down, up
		}
		switch {
		case p.Len() == 0 || math.IsNaN(e.Change):
		case e.High < 0:
			line.Verdict = down
		case e.Low > 0:
			line.Verdict = up
		}
		out = append(out, line)
	}
	return out, c.err
}
