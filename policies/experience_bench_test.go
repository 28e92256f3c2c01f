package policies

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"autotune/controller"
)

// veteran is a policy after 200 trials of 12 knobs, half of them numbers, with the
// view in which it is asked next.
func veteran() (*Experience, controller.View, func()) {
	rng := rand.New(rand.NewPCG(7, 200))
	v := controller.View{At: noon, Blocked: map[string]string{}, PairsLeft: -1}
	values := map[string]float64{}
	for i := range 6 {
		o := controller.Optimization{Name: fmt.Sprintf("o%d", i), Why: "test", Switch: fmt.Sprintf("s%d", i), Knobs: []string{fmt.Sprintf("n%d", i)}, Equivalence: controller.Exact}
		v.Offered = append(v.Offered, o)
		v.Space.Knobs = append(
			v.Space.Knobs, controller.Knob{Name: o.Switch, Kind: controller.Switch},
			controller.Knob{Name: o.Knobs[0], Kind: controller.Int, Min: 1, Max: 1 << 16, Scale: controller.Log, MaxMove: 4, Needs: o.Switch},
		)
		values[o.Switch], values[o.Knobs[0]] = float64(i%2), 256
	}
	v.Safe = controller.SettingOf(values)
	g, err := NewGuide("")
	if err != nil {
		panic(err) // it has a name
	}
	e := WithExperience(g)
	learn := func() {
		all := moves(v)
		p := all[rng.IntN(len(all))]
		v.At = v.At.Add(5 * time.Minute)
		t := controller.Trial{
			Optimization: p.Optimization, Move: p.Move, Change: p.Change, From: v.Safe, To: v.Safe.With(p.Change), Pairs: 10,
			Started: v.At.Add(-5 * time.Minute), Ended: v.At, Outcome: controller.Reverted, Reason: controller.Worse,
		}
		effect := 0.1 * rng.NormFloat64()
		t.Effects = []controller.Effect{{Metric: "cost", Change: effect, Low: effect - 0.02, High: effect + 0.02}}
		if effect < -0.1 {
			t.Outcome, t.Reason, v.Safe = controller.Kept, controller.Better, t.To
		}
		e.Learn(t)
	}
	for range 200 {
		learn()
	}
	return e, v, learn
}

// What a proposal takes from the control loop: when a trial has just been learned,
// when nothing happened since, which is nearly always, and when all moves, and all
// pairs of moves, are weighed, which is once after each trial.
func BenchmarkExperience_Propose(b *testing.B) {
	for _, joint := range []bool{false, true} {
		name := map[bool]string{false: "single", true: "joint"}[joint]
		b.Run(name+"/learned", func(b *testing.B) {
			e, v, learn := veteran()
			v.Joint = joint
			b.ReportAllocs()
			for b.Loop() {
				learn()
				e.Propose(v)
			}
		})
		b.Run(name+"/again", func(b *testing.B) {
			e, v, _ := veteran()
			v.Joint = joint
			b.ReportAllocs()
			for b.Loop() {
				e.Propose(v)
			}
		})
		b.Run(name+"/weighed", func(b *testing.B) {
			e, v, _ := veteran()
			v.Joint = joint
			now, ok := e.believe(v)
			if !ok {
				b.Fatal("nothing is believed")
			}
			b.ReportAllocs()
			for b.Loop() {
				now.rank(v)
			}
		})
	}
}
