package experiments

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"autotune/controller"
	"autotune/simulate"
)

// The traps in which everything works, and the effect of the candidate is not
// what blocks show of it.

// on is an effect of the switch x.
func on(e simulate.Effect) func(simulate.Moment) simulate.Effect {
	return func(m simulate.Moment) simulate.Effect {
		if m.Setting.On("x") {
			return e
		}
		return simulate.Effect{}
	}
}

func lockedPeriod() trap {
	return trap{
		name: "period locked to the blocks",
		doc: "The load has the period of a pair, 12 s, and the candidate costs 10 %. A schedule that alternates in a fixed order always has the candidate in the " +
			"trough, and keeps it; a random order sees the period as noise.",
		service: func(cfg *simulate.ServiceConfig, _ *rand.Rand) {
			// The middle of the first block after a look of 250 ms and a washout of 1 s.
			const period, peak = 12 * time.Second, 3750 * time.Millisecond
			cfg.Level = simulate.Sum(cfg.Level, simulate.Oscillation(period, 0.3, math.Pi/2-2*math.Pi*peak.Seconds()/period.Seconds()))
			cfg.Effect = on(simulate.Effect{Latency: math.Log(1.1)})
		},
		fooled: FixedAlternation().Name,
		claims: func(of func(string) *Tally) []Claim {
			abab := of(FixedAlternation().Name).Values[keepsOf]
			return []Claim{
				{
					Text:   "fixed alternation keeps the harm in every seed",
					Figure: fmt.Sprintf("keeps by seed %.0f", abab), Holds: len(abab) > 0 && slices.Min(abab) >= 1,
				},
				neverKept(of),
			}
		},
	}
}

// neverKept claims that autotune keeps nothing in any seed.
func neverKept(of func(string) *Tally) Claim {
	v := of(autotune().name).Values[keepsOf]
	return Claim{Text: "nothing is kept", Figure: fmt.Sprintf("by seed %.0f", v), Holds: len(v) > 0 && slices.Max(v) == 0}
}

// always claims that something was counted in every seed of autotune.
func always(of func(string) *Tally, text, what string) Claim {
	t := of(autotune().name)
	return Claim{Text: text, Figure: fmt.Sprintf("%d of %d seeds", t.Counts[what], t.N), Holds: t.N > 0 && t.Counts[what] == t.N}
}

func deferredCost(declared bool) trap {
	t := trap{
		name: "deferred cost, declared",
		doc: "The candidate puts off 5 % of its CPU cost by 6 s, into the next block, and saves nothing. Blocks see 10 % less. A knob that says that it defers " +
			"gets longer blocks, and a drain before the other setting.",
		cpu: true,
		stage: func(st *stage) {
			st.target = simulate.Deferred(st.target, func(s controller.Setting) float64 {
				if s.On("x") {
					return 0.05
				}
				return 0
			}, 6*time.Second)
		},
		space: func(s *controller.Space) {
			if declared {
				s.Knobs[0].Defers = true
			}
		},
	}
	if declared {
		t.claims = func(of func(string) *Tally) []Claim {
			return []Claim{neverKept(of)}
		}
	} else {
		t.name = "deferred cost, not declared"
		t.doc = "The same from a knob that does not say so. Blocks are all that a rule sees, and they lie: keeping it is what any rule does, and costs nothing here."
	}
	return t
}

func highLoad() trap {
	return trap{
		name: "effect only at high load",
		doc:  "The candidate saves 25 % above 1.3 times the usual load and costs 5 % below 0.7 times, and the load swings over 40 minutes. A short window sees one of the two.",
		service: func(cfg *simulate.ServiceConfig, rng *rand.Rand) {
			cfg.Load = simulate.Oscillation(40*time.Minute, 0.7, 2*math.Pi*rng.Float64())
			cfg.Effect = func(m simulate.Moment) (e simulate.Effect) {
				switch {
				case !m.Setting.On("x"):
				case m.Load > 1.3:
					e.Latency = math.Log(0.75)
				case m.Load < 0.7:
					e.Latency = math.Log(1.05)
				}
				return e
			}
		},
	}
}

func decays() trap {
	return trap{
		name: "effect that decays",
		doc:  "The candidate saves 20 % for ten minutes from when it is first in force, and then nothing for good.",
		service: func(cfg *simulate.ServiceConfig, _ *rand.Rand) {
			first := time.Duration(-1)
			cfg.Effect = func(m simulate.Moment) (e simulate.Effect) {
				if !m.Setting.On("x") {
					return e
				}
				if first < 0 {
					first = m.Age
				}
				if m.Age-first < 10*time.Minute {
					e.Latency = math.Log(0.8)
				}
				return e
			}
		},
	}
}

func wideTail() trap {
	wide := simulate.Lognormal(0.9)
	return trap{
		name: "better p50, worse p99",
		doc:  "The candidate makes the median 18 % better, p95 34 % and p99 65 % worse. A rule that looks at medians keeps it.",
		service: func(cfg *simulate.ServiceConfig, _ *rand.Rand) {
			cfg.Effect = on(simulate.Effect{Latency: -0.2, Tail: wide})
		},
		claims: func(of func(string) *Tally) []Claim { return []Claim{neverKept(of)} },
	}
}

func rarelyBad() trap {
	return trap{
		name: "a little better, rarely much worse",
		doc: "The candidate saves 5 % in 95 % of the time, and takes 3 times as long in stretches of some ten seconds that make up 5 %: 5 % worse on average. " +
			"A verdict on the typical block keeps it; bad blocks are the guards' business.",
		limit: "the verdict is on the typical block; blocks as bad and as rare as these are seen by the guards only when a candidate block meets them, and not at all after a keep",
		service: func(cfg *simulate.ServiceConfig, rng *rand.Rand) {
			mood := simulate.Jumps(rng, 10*time.Second, 1)
			cfg.Effect = func(m simulate.Moment) (e simulate.Effect) {
				bad := mood.At(m.Age) > 1.645 // of a standard normal value, one in twenty
				switch {
				case !m.Setting.On("x"):
				case bad:
					e.Latency = math.Log(3)
				default:
					e.Latency = math.Log(0.95)
				}
				return e
			}
		},
	}
}

func turnsBad() trap {
	return trap{
		name: "a keep that turns bad",
		doc:  "The candidate saves 20 % until minute 40 and costs 20 % from then on. Who keeps and forgets pays for good; evidence gathered since the keep has to be undone first.",
		service: func(cfg *simulate.ServiceConfig, _ *rand.Rand) {
			cfg.Effect = func(m simulate.Moment) (e simulate.Effect) {
				switch {
				case !m.Setting.On("x"):
				case m.Age < 40*time.Minute:
					e.Latency = math.Log(0.8)
				default:
					e.Latency = math.Log(1.2)
				}
				return e
			}
		},
	}
}

func interaction() trap {
	return trap{
		name:     "two knobs that interact",
		doc:      "Either switch alone saves 15 %, both together cost 30 %. What was right when it was tried alone is wrong beside the other.",
		switches: []string{"a", "b"},
		service: func(cfg *simulate.ServiceConfig, _ *rand.Rand) {
			cfg.Effect = func(m simulate.Moment) (e simulate.Effect) {
				a, b := m.Setting.On("a"), m.Setting.On("b")
				switch {
				case a && b:
					e.Latency = math.Log(1.3)
				case a || b:
					e.Latency = math.Log(0.85)
				}
				return e
			}
		},
	}
}

func switchCost() trap {
	return trap{
		name: "switch cost above the gain",
		doc:  "Each change costs two seconds at twice the latency, and the candidate saves 1 %. Trying it again and again costs more than it can ever save.",
		service: func(cfg *simulate.ServiceConfig, _ *rand.Rand) {
			cfg.Effect = func(m simulate.Moment) (e simulate.Effect) {
				if m.Setting.On("x") {
					e.Latency = math.Log(0.99)
				}
				if m.Changes > 0 && m.Since < 2*time.Second {
					e.Latency += math.Ln2
				}
				return e
			}
		},
		claims: func(of func(string) *Tally) []Claim {
			v := worst(of(autotune().name), wholeCost)
			return []Claim{{
				Text:   "trying it costs at most 5 % over the whole run",
				Figure: fmt.Sprintf("at worst %+.1f %%", v), Holds: v <= 5,
			}}
		},
	}
}

func loadStep() trap {
	return trap{
		name: "load step on the first candidate block",
		doc:  "The latency of everything halves for good when the candidate, which costs 8 %, is first in force. A window before and one after keep it.",
		service: func(cfg *simulate.ServiceConfig, _ *rand.Rand) {
			stepped := false
			cfg.Effect = func(m simulate.Moment) (e simulate.Effect) {
				if m.Setting.On("x") {
					stepped = true
					e.Latency = math.Log(1.08)
				}
				if stepped {
					e.Latency -= math.Ln2
				}
				return e
			}
		},
		fooled: Welch().Name,
		claims: func(of func(string) *Tally) []Claim {
			v := of(Welch().Name).Values[keepsOf]
			return []Claim{
				neverKept(of),
				{Text: "before/after keeps the harm in every seed", Figure: fmt.Sprintf("keeps by seed %.0f", v), Holds: len(v) > 0 && slices.Min(v) >= 1},
			}
		},
	}
}

func flat() trap {
	return trap{
		name:    "flat plant",
		doc:     "The candidate does nothing at all, for eight hours. The right thing is to find out that it is not worth having, and to go quiet.",
		horizon: 8 * time.Hour,
		claims: func(of func(string) *Tally) []Claim {
			ours := of(autotune().name)
			end, trials := worst(ours, tryingEnd), worst(ours, trialsOf)
			return []Claim{{
				Text:   "it goes quiet: at most 6 trials, and at most 10 % of requests of the final third see a candidate",
				Figure: fmt.Sprintf("at worst %.0f trials, and %.1f %%", trials, end), Holds: end >= 0 && end <= 10 && trials <= 6,
			}}
		},
	}
}
