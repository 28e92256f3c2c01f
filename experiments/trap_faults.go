package experiments

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"autotune/controller"
	"autotune/simulate"
)

// The traps in which something breaks: the service, its process, the clock, or
// the actuator.

func leak() trap {
	return trap{
		name: "slow leak after a keep",
		doc: "The candidate saves 10 % and leaks 0.3 MB/s; above the limit of 1 GB the process is killed, away for 20 s, and starts with its initial setting. " +
			"No rule that looks at latency sees it coming; what was kept answers for a hard limit that breaks under it.",
		service: func(cfg *simulate.ServiceConfig, _ *rand.Rand) {
			cfg.Effect = on(simulate.Effect{Latency: math.Log(0.9), Leak: 0.3e6})
		},
		stage: killed,
		claims: func(of func(string) *Tally) []Claim {
			v := of(autotune().name).Values[deathsOf]
			return []Claim{{
				Text:   "the keep is taken back before the process is killed",
				Figure: fmt.Sprintf("deaths by seed %.0f", v), Holds: len(v) > 0 && slices.Max(v) == 0,
			}}
		},
	}
}

func stall() trap {
	return trap{
		name: "total stall in a candidate block",
		doc:  "Two seconds after the candidate is in force nothing completes any more. A rule that waits for its window waits for it with everything standing still.",
		service: func(cfg *simulate.ServiceConfig, _ *rand.Rand) {
			cfg.Effect = func(m simulate.Moment) simulate.Effect {
				return simulate.Effect{Stalled: m.Setting.On("x") && m.Since > 2*time.Second}
			}
		},
		claims: func(of func(string) *Tally) []Claim {
			v := worst(of(autotune().name), stalled)
			return []Claim{{
				Text:   "it stalls for at most 8 s in all, two strikes and a quarantine",
				Figure: fmt.Sprintf("at worst %.2f s", v), Holds: v >= 0 && v <= 8,
			}}
		},
	}
}

func clockJump() trap {
	return trap{
		name: "clock that jumps",
		doc:  "The clock goes back by half an hour at minute 20 and forth again at minute 60; the candidate saves 20 %. Rules that subtract times wait for ever, or not at all.",
		service: func(cfg *simulate.ServiceConfig, _ *rand.Rand) {
			cfg.Effect = on(simulate.Effect{Latency: math.Log(0.8)})
		},
		stage: func(st *stage) {
			st.target = simulate.Skewed(st.target, func(age time.Duration) time.Duration {
				if age >= 20*time.Minute && age < 60*time.Minute {
					return -30 * time.Minute
				}
				return 0
			})
		},
		claims: func(of func(string) *Tally) []Claim {
			v := worst(of(autotune().name), endCost)
			return []Claim{{
				Text:   "the gain is found and held",
				Figure: fmt.Sprintf("%+.1f %% in the final third at worst", v), Holds: v > -100 && v < -15,
			}}
		},
	}
}

func crash() trap {
	const quarantined = "quarantined"
	return trap{
		name: "crash in a trial",
		doc: "The process dies three seconds after the candidate is in force, is away for 20 s, and starts with its initial setting. " +
			"Who forgets tries it again, and dies again.",
		stage: func(st *stage) {
			since, s := time.Duration(-1), st.service
			st.dies = func() bool {
				switch {
				case !s.Setting().On("x"):
					since = -1
				case since < 0:
					since = s.Age()
				}
				return since >= 0 && s.Age()-since >= 3*time.Second
			}
		},
		mark: func(s *session, into *Tally) {
			into.Count(quarantined, s.state != nil && s.state.Memory["x"].Quarantined != "")
		},
		claims: func(of func(string) *Tally) []Claim {
			v := of(autotune().name).Values[deathsOf]
			return []Claim{
				{Text: "it dies once", Figure: fmt.Sprintf("deaths by seed %.0f", v), Holds: len(v) > 0 && slices.Max(v) == 1},
				always(of, "the candidate is in quarantine after it", quarantined),
			}
		},
	}
}

func deaf() trap {
	const reported = "reported"
	return trap{
		name:  "actuator that does nothing",
		doc:   "What is applied is said to be in force and is not. A rule that takes its own word for it records a success.",
		stage: func(st *stage) { st.target = simulate.Deaf(st.target) },
		mark: func(s *session, into *Tally) {
			all := len(s.verdicts) > 0
			for _, v := range s.verdicts {
				all = all && v.Reason == controller.ApplyFailed
			}
			into.Count(reported, all)
		},
		claims: func(of func(string) *Tally) []Claim {
			return []Claim{
				always(of, "every trial ends as not applied", reported),
				neverKept(of),
			}
		},
	}
}

func rounds() trap {
	const quiet = "no outside change"
	return trap{
		name: "actuator that rounds",
		doc: "A number is rounded down to a power of two by the runtime, and saves 20 % from 16 on. Who compares what reads back with what was asked for sees somebody else's " +
			"hand in it, for ever.",
		space: func(s *controller.Space) {
			s.Knobs = append(s.Knobs, controller.Knob{Name: "n", Kind: controller.Int, Min: 8, Max: 64})
		},
		service: func(cfg *simulate.ServiceConfig, _ *rand.Rand) {
			cfg.Effect = func(m simulate.Moment) (e simulate.Effect) {
				if n, _ := m.Setting.Get("n"); n >= 16 {
					e.Latency = math.Log(0.8)
				}
				return e
			}
		},
		stage: func(st *stage) {
			st.target = simulate.Rounding(st.target, func(s controller.Setting) controller.Setting {
				n, _ := s.Get("n")
				return s.With(map[string]float64{"n": math.Exp2(math.Floor(math.Log2(n)))})
			})
		},
		policy: thirty{},
		mark: func(s *session, into *Tally) {
			outside := slices.ContainsFunc(s.verdicts, func(v controller.Trial) bool { return v.Reason == controller.ExternalChange })
			into.Count(quiet, !outside)
		},
		claims: func(of func(string) *Tally) []Claim {
			v := worst(of(autotune().name), endCost)
			return []Claim{
				always(of, "rounding is not taken for an outside change", quiet),
				{Text: "the gain is kept", Figure: fmt.Sprintf("%+.1f %% in the final third at worst", v), Holds: v > -100 && v < -15},
			}
		},
	}
}

// thirty proposes 30 where the number is small.
type thirty struct{}

// Propose proposes it.
func (thirty) Propose(v controller.View) (controller.Proposal, bool) {
	n, _ := v.Safe.Get("n")
	p := controller.Proposal{
		Optimization: "n", Move: fmt.Sprintf("n %v -> 30", n), Change: map[string]float64{"n": 30}, Why: "it is small",
	}
	return p, n < 16 && v.Blocked[p.BlockKey()] == "" && v.Blocked["n"] == ""
}

// Learn has nothing to learn.
func (thirty) Learn(controller.Trial) {}

// killed ends the process above the limit on memory; what leaked is free again.
func killed(st *stage) {
	leaky := &freed{Target: st.target}
	st.target = leaky
	st.dies = func() bool {
		if leaky.ratio < 1 {
			return false
		}
		leaky.free()
		return true
	}
}

// freed is a target whose leaked memory can be given back, by a new process.
type freed struct {
	controller.Target
	ratio, gone float64
}

// Observe takes off what earlier processes leaked.
func (f *freed) Observe(ctx context.Context, epoch uint64, d time.Duration) (controller.Sample, error) {
	s, err := f.Target.Observe(ctx, epoch, d)
	if v, ok := s.Gauges[controller.MemoryRatio]; ok {
		f.ratio = v - f.gone
		s.Gauges[controller.MemoryRatio] = f.ratio
	}
	return s, err
}

func (f *freed) free() { f.gone += f.ratio - 0.1 }
