package controller_test

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	. "autotune/controller" //nolint:revive // the tests of a vocabulary read better with it
)

var update = flag.Bool("update", false, "write testdata/*.txt anew")

// scenario is a run that a person can read: one line a step in which anything
// happened, and what was recorded under it.
type scenario struct {
	about string
	names []string
	cfg   func(*Config)
	plant func(*plant)
	// told may change what the core is told, by step: the journal breaks, the
	// operator wishes.
	told func(step int, in *Input)
	// most steps before the run is cut, 0 for none: a crash, or a run without end.
	most int
	// then is run on the state that the cut left behind.
	then *scenario
}

var scenarios = map[string]scenario{
	"keep": {
		about: "A switch that takes 30 % off the cost is kept in seven to nine pairs;\nthe run ends when its time is over, with the switch on.",
		names: []string{"gain"},
		plant: func(p *plant) { p.effect = on("gain", -0.36) },
	},
	"harm": {
		about: "A switch that adds 50 % to the cost is called worse and withdrawn.\nIts cool-down outlasts the run.",
		names: []string{"harm"},
		plant: func(p *plant) { p.effect = on("harm", 0.4) },
	},
	"nothing": {
		about: "A switch without any effect ends without a decision to keep it.\nThis is the normal answer.",
		names: []string{"placebo"},
	},
	"guard": {
		about: "A switch that breaks a hard limit (cost above 3) is withdrawn in the next\ncommand. The safe setting is watched as a control; it does not share the\nbreach, so that is a strike. Two strikes in a row are a quarantine.",
		names: []string{"crash"},
		plant: func(p *plant) { p.effect = on("crash", 2) },
		cfg: func(c *Config) {
			c.Guards = []Guard{{Metric: "cost", Limit: 3}}
			c.Policy = always{}
			c.Budget.Until = epochZero.Add(200 * time.Second)
		},
	},
	"risky": {
		about: "A knob that is declared risky: the candidate's first look is a short one,\nbefore the first pair and no part of it. Only the guards watch, and here the\nhard limit (cost above 3) trips at once.",
		names: []string{"crash"},
		plant: func(p *plant) { p.effect = on("crash", 2) },
		cfg: func(c *Config) {
			c.Space.Knobs[0].Risky = true
			c.Timing.Measure = 4 * time.Second
			c.Guards = []Guard{{Metric: "cost", Limit: 3}}
			c.Budget.Until = epochZero.Add(125 * time.Second)
		},
	},
	"defers": {
		about: "A knob that puts work off: its blocks are four times as long, and after each of\nthem, the safe setting's too, the safe setting is in force until what was put\noff has come due.",
		names: []string{"batch"},
		plant: func(p *plant) { p.effect = on("batch", -0.36) },
		cfg: func(c *Config) {
			c.Space.Knobs[0].Defers = true
			c.Budget.Until = epochZero.Add(140 * time.Second)
		},
	},
	"guard-unmet": {
		about: "The safe setting itself breaks the limit from 31 s to 40 s. The\ncandidate in force is withdrawn, but the control shows that it is not to blame:\nno strike. Trials pause until the limit holds again.",
		names: []string{"gain"},
		plant: func(p *plant) {
			p.effect = func(s Setting, age time.Duration) float64 {
				if age > 31*time.Second && age < 40*time.Second {
					return 2
				}
				return on("gain", -0.36)(s, age)
			}
		},
		cfg: func(c *Config) { c.Guards = []Guard{{Metric: "cost", Limit: 3}} },
	},
	"leak": {
		about: "A switch is kept, and at 70 s a hard limit (cost above 3) breaks because of it.\nThe keep is taken back in the next command, trials pause until the limit holds,\nand go on.",
		names: []string{"gain"},
		plant: func(p *plant) {
			p.effect = func(s Setting, age time.Duration) float64 {
				if age > 70*time.Second {
					return on("gain", 2)(s, age)
				}
				return on("gain", -0.36)(s, age)
			}
		},
		cfg: func(c *Config) { c.Guards = []Guard{{Metric: "cost", Limit: 3}} },
	},
	"limit-stays-broken": {
		about: "A hard limit breaks at 70 s, with or without the switch that was kept. The keep\nis taken back, which does not help; nobody else is to blame, and trials pause.",
		names: []string{"gain"},
		plant: func(p *plant) {
			p.effect = func(s Setting, age time.Duration) float64 {
				if age > 70*time.Second {
					return 2
				}
				return on("gain", -0.36)(s, age)
			}
		},
		cfg: func(c *Config) { c.Guards = []Guard{{Metric: "cost", Limit: 3}} },
	},
	"crash-loop": {
		about: "A switch is kept; the process dies, and so do the next two, each soon after its\nstart. The fourth does not put the kept setting back: it is to blame, and in quarantine.",
		names: []string{"gain"},
		plant: func(p *plant) { p.effect = on("gain", -0.36) },
		most:  84,
		then: &scenario{most: 8, then: &scenario{most: 8, then: &scenario{
			cfg: func(c *Config) { c.Budget.Until = epochZero.Add(120 * time.Second) },
		}}},
	},
	"deaf": {
		about: "An actuator that does nothing: the candidate does not read back, which is\nreported. It says nothing about the optimization.",
		names: []string{"deaf"},
		plant: func(p *plant) { p.deaf = true },
		cfg:   func(c *Config) { c.Budget.Until = epochZero.Add(35 * time.Second) },
	},
	"rounds": {
		about: "A runtime that rounds what it is asked for to sixteens. What reads back first\nis what is in force, and no change from outside; what is kept is 96, not 100.",
		cfg: func(c *Config) {
			c.Space = Space{Knobs: []Knob{{Name: "size", Kind: Int, Min: 16, Max: 1024, Scale: Log, MaxMove: 8}}}
			c.Offered = []Optimization{{Name: "size", Why: "test", Knobs: []string{"size"}, Equivalence: Exact}}
			c.Policy = &once{p: Proposal{Optimization: "size", Move: "size 64 -> 100", Change: map[string]float64{"size": 100}}}
		},
		plant: func(p *plant) {
			p.set = SettingOf(map[string]float64{"size": 64})
			p.round = func(s Setting) Setting {
				v, _ := s.Get("size")
				return s.With(map[string]float64{"size": 16 * math.Floor(v/16)})
			}
			p.effect = func(s Setting, _ time.Duration) float64 {
				v, _ := s.Get("size")
				return -math.Log(v / 64)
			}
		},
	},
	"restore-fails": {
		about: "The restore after a guard abort fails four times. It is asked for again, more\nand more rarely, and the journal says so after the third. The candidate that\nreads back all the while is not taken for a change from outside.",
		names: []string{"crash"},
		plant: func(p *plant) {
			p.effect = on("crash", 2)
			fails := 4
			p.fail = func(s Setting) error {
				if p.set.On("crash") && !s.On("crash") && fails > 0 {
					fails--
					return errBroken
				}
				return nil
			}
		},
		cfg: func(c *Config) { c.Guards = []Guard{{Metric: "cost", Limit: 3}} },
	},
	"outside": {
		about: "Somebody else turns the knob \"other\" on at 30 s, in the middle of a trial. The\ntrial ends, the change is adopted as safe, and the noise is measured anew.",
		names: []string{"gain", "other"},
		cfg:   func(c *Config) { c.Offered, c.Policy = c.Offered[:1], always{} },
		plant: func(p *plant) {
			p.effect = on("gain", -0.36)
			p.before = func(p *plant) {
				if p.now.Sub(p.start) > 30*time.Second {
					p.set = p.set.With(map[string]float64{"other": 1})
					p.before = nil
				}
			}
		},
	},
	"crash": {
		about: "The process dies in a candidate block. The next one, which starts with the\noperator's configuration, finds a trial that was running in the journal: it\ngets its verdict, and its candidate is quarantined.",
		names: []string{"gain"},
		plant: func(p *plant) { p.effect = on("gain", -0.36) },
		most:  57,
		then:  &scenario{cfg: func(c *Config) { c.Budget.Until = epochZero.Add(100 * time.Second) }},
	},
	"restart": {
		about: "A switch is kept; the process ends. The next one starts with the operator's\nconfiguration and puts the kept setting back before anything else.",
		names: []string{"gain"},
		plant: func(p *plant) { p.effect = on("gain", -0.36) },
		cfg:   func(c *Config) { c.Budget.Until = epochZero.Add(60 * time.Second) },
		then:  &scenario{cfg: func(c *Config) { c.Budget.Until = epochZero.Add(100 * time.Second) }},
	},
	"operator-wins": {
		about: "A switch is kept; before the next start the operator changes another knob.\nWhat was kept was shown against another configuration: the operator's wins.",
		names: []string{"gain", "other"},
		cfg: func(c *Config) {
			c.Offered = c.Offered[:1]
			c.Budget.Until = epochZero.Add(60 * time.Second)
		},
		plant: func(p *plant) { p.effect = on("gain", -0.36) },
		then: &scenario{
			plant: func(p *plant) { p.set = p.set.With(map[string]float64{"other": 1}) },
			cfg:   func(c *Config) { c.Budget.Until = epochZero.Add(90 * time.Second) },
		},
	},
	"journal": {
		about: "The journal cannot be written from step 60 to 70, in the middle of a trial.\nTrials stop, the service runs on. It is asked for until it can be written,\nthen the whole state is written, and trials go on.",
		names: []string{"gain"},
		cfg:   func(c *Config) { c.Policy = always{} },
		plant: func(p *plant) { p.effect = on("gain", -0.36) },
		told: func(step int, in *Input) {
			if step >= 60 && step <= 70 {
				in.RecordErr = "no space left on device"
			}
		},
	},
	"advise": {
		about: "Advice only: nothing is applied, ever. The noise is measured, and what would\nbe tried is said once, in order, with the reason.",
		names: []string{"gain", "harm"},
		cfg:   func(c *Config) { c.Advise = true },
	},
	"stop": {
		about: "A stop in a candidate block: the candidate is withdrawn, and the loop ends\nonce the safe setting reads back.",
		names: []string{"gain"},
		told: func(step int, in *Input) {
			if step == 57 {
				in.Ask = Stop
			}
		},
	},
	"pause": {
		about: "The operator pauses in the middle of a trial at step 60 and resumes 20 steps\nlater. What was interrupted says nothing, and is tried again.",
		names: []string{"gain"},
		cfg:   func(c *Config) { c.Policy = always{} },
		plant: func(p *plant) { p.effect = on("gain", -0.36) },
		told: func(step int, in *Input) {
			switch step {
			case 60:
				in.Ask = Pause
			case 80:
				in.Ask = Resume
			}
		},
	},
	"audit-holds": {
		about: "The switch x was kept before this process started, and still pays. Its old\nvalue is tried for two pairs now and then, at 4, 8, 16 block lengths. Nothing\nspeaks against what is kept, so nothing changes and nobody learns anything.",
		names: []string{"x"},
		plant: func(p *plant) { p.effect = on("x", -0.36) },
		cfg: func(c *Config) {
			c.State = keptAlready("cost")
			c.Budget.Until = epochZero.Add(70 * time.Second)
		},
	},
	"audit-rolls-back": {
		about: "The switch x was kept, and turns bad after 50 s: +30 %. The next audit goes on\nfor as long as there is a little evidence that off is better, and ends with\nmore than 100 times the stake: x is off again, and cools down.",
		names: []string{"x"},
		plant: func(p *plant) {
			p.effect = func(s Setting, age time.Duration) float64 {
				if age < 50*time.Second {
					return on("x", -0.36)(s, age)
				}
				return on("x", 0.26)(s, age)
			}
		},
		cfg: func(c *Config) {
			c.State = keptAlready("cost")
			c.Policy = again{}
			c.Budget.Until = epochZero.Add(120 * time.Second)
		},
	},
	"audit-guard": {
		about: "Without x, which was kept, the service breaks a hard limit by now. The audit\nends with the first tick of the old value. Nobody is to blame, nothing is\nquarantined, and the next audit is 512 block lengths away.",
		names: []string{"x"},
		plant: func(p *plant) {
			p.effect = func(s Setting, age time.Duration) float64 {
				if s.On("x") || age < 30*time.Second {
					return 0
				}
				return 2
			}
		},
		cfg: func(c *Config) {
			c.State = keptAlready("cost")
			c.Guards = []Guard{{Metric: "cost", Limit: 3}}
			c.Budget.Until = epochZero.Add(100 * time.Second)
		},
	},
	"audit-crash": {
		about: "The process dies in an audit, with the old value in force. The next one puts\nthe kept setting back. Neither value is quarantined: both have served before.",
		names: []string{"x"},
		plant: func(p *plant) { p.effect = on("x", -0.36) },
		cfg:   func(c *Config) { c.State = keptAlready("cost") },
		most:  56,
		then:  &scenario{cfg: func(c *Config) { c.Budget.Until = epochZero.Add(100 * time.Second) }},
	},
	"alert-takes-back": {
		about: "A switch is kept at 41 s. At 58 s everything gets 60 % slower, whatever is on.\nThat is worse than expected by more than 20 %, and the keep is on probation, so\nit is taken back, tried again, and kept again. From then on it takes an audit\nto take it back, and the level of now is what is expected.",
		names: []string{"gain"},
		plant: func(p *plant) { p.effect = withStep(on("gain", -0.36), 58*time.Second, 0.47) },
		cfg: func(c *Config) {
			c.Policy, c.Alert = again{}, Alert{Interval: 8 * time.Second}
			c.Budget.Until = epochZero.Add(130 * time.Second)
		},
	},
	"alert-audits": {
		about: "The same, but the keep has outlived its probation. Its audit is due at once; it\nholds, since with the switch off things would be slower still.",
		names: []string{"x"},
		plant: func(p *plant) { p.effect = withStep(on("x", -0.36), 85*time.Second, 0.47) },
		cfg: func(c *Config) {
			c.State = keptAlready("cost")
			c.Alert = Alert{Interval: 8 * time.Second, Probation: time.Second}
			c.Budget.Until = epochZero.Add(125 * time.Second)
		},
	},
	"time-over": {
		about: "Two switches share the 22 seconds left after the noise is measured. The\nfirst has the seven pairs without which nothing can be kept, the other the rest.",
		names: []string{"first", "second"},
		cfg: func(c *Config) {
			c.Budget.Until = epochZero.Add(47 * time.Second)
			c.Budget.ReservedPairs = 2
		},
	},
}

// on is the effect of a switch, in log units.
func on(name string, effect float64) func(Setting, time.Duration) float64 {
	return func(s Setting, _ time.Duration) float64 {
		if s.On(name) {
			return effect
		}
		return 0
	}
}

// withStep adds to an effect from some age of the run on, whatever is in force.
func withStep(effect func(Setting, time.Duration) float64, at time.Duration, by float64) func(Setting, time.Duration) float64 {
	return func(s Setting, age time.Duration) float64 {
		y := effect(s, age)
		if age > at {
			y += by
		}
		return y
	}
}

// again proposes to turn on what is off, as often as it may.
type again struct{}

func (again) Learn(Trial) {}
func (again) Propose(v View) (Proposal, bool) {
	for _, o := range v.Offered {
		if v.Blocked[o.Name] == "" && !v.Safe.On(o.Switch) {
			return Proposal{Optimization: o.Name, Move: MoveOn, Change: map[string]float64{o.Switch: 1}, Why: "again"}, true
		}
	}
	return Proposal{}, false
}

// always proposes to turn the first switch on, whatever came of it before.
type always struct{}

func (always) Learn(Trial) {}
func (always) Propose(v View) (Proposal, bool) {
	o := v.Offered[0]
	if v.Blocked[o.Name] != "" {
		return Proposal{}, false
	}
	return Proposal{Optimization: o.Name, Move: MoveOn, Change: map[string]float64{o.Switch: 1}, Why: "always"}, true
}

// once makes one proposal.
type once struct {
	p    Proposal
	done bool
}

func (o *once) Learn(Trial)                   { o.done = true }
func (o *once) Propose(View) (Proposal, bool) { return o.p, !o.done }

func TestController_trajectories(t *testing.T) {
	all := maps.Clone(scenarios)
	maps.Copy(all, wishScenarios)
	for name, s := range all {
		t.Run(name, func(t *testing.T) {
			var out strings.Builder
			for _, line := range strings.Split(s.about, "\n") {
				fmt.Fprintf(&out, "# %s\n", line)
			}
			s.run(t, &out)
			file := filepath.Join("testdata", name+".txt")
			if *update {
				require.NoError(t, os.MkdirAll("testdata", 0o755))
				require.NoError(t, os.WriteFile(file, []byte(out.String()), 0o644))
			}
			want, err := os.ReadFile(file)
			require.NoError(t, err)
			require.Equal(t, string(want), out.String(), "if this is meant, go test -run trajectories -update, and read the difference")
		})
	}
}

func (s scenario) run(t *testing.T, out *strings.Builder) {
	space, offered, initial := switches(s.names...)
	cfg := Config{
		Space: space, Offered: offered, Goals: []Goal{{Metric: "cost"}}, Policy: &eachOnce{}, Seed: 1,
		Timing: fast, Budget: Budget{Until: epochZero.Add(80 * time.Second)},
	}
	p := newPlant(1, space, initial)
	var last *State
	for leg := &s; leg != nil; leg = leg.then {
		if leg != &s {
			fmt.Fprintln(out, "\n== the next process")
			text, err := json.Marshal(last)
			require.NoError(t, err)
			cfg.State, cfg.Policy = &State{}, &eachOnce{}
			require.NoError(t, json.Unmarshal(text, cfg.State))
			p.set = SettingOf(initial)
		}
		if leg.cfg != nil {
			leg.cfg(&cfg)
		}
		if leg.plant != nil {
			leg.plant(p)
		}
		p.space = cfg.Space
		core, err := New(cfg)
		require.NoError(t, err)
		story := &story{core: core, told: leg.told, most: leg.most, out: out}
		require.NoError(t, Run(context.Background(), p, story, Loop{}))
		fmt.Fprintf(out, "in force: %s\n", p.set)
		last = story.state
	}
}
