package table

import (
	"context"
	"fmt"
	"math"
	"strings"
	"testing"

	"autotune/controller"
)

// grid is a table of measured configurations, with noise of so many percent: a
// choice, switches and numbers, of which the second choice with fewer of each is
// better.
func grid(switches, levels int, rsd float64) string {
	var b strings.Builder
	b.WriteString("a,b,c")
	for i := range switches {
		fmt.Fprintf(&b, ",s%d", i)
	}
	b.WriteString(",n,y,rsd\n")
	for choice := range 3 {
		for bits := range 1 << switches {
			for n := range levels {
				y := 100 * (1 + 0.3*math.Abs(float64(choice-1)))
				row := [3]int{}
				row[choice] = 1
				fmt.Fprintf(&b, "%d,%d,%d", row[0], row[1], row[2])
				for i := range switches {
					on := bits >> i & 1
					y *= 1 + 0.1*float64(on*(i%3-1))
					fmt.Fprintf(&b, ",%d", on)
				}
				y *= 1 + 0.05*math.Abs(float64(n-levels/2))
				fmt.Fprintf(&b, ",%d,%.6g,%g\n", n+1, y, rsd)
			}
		}
	}
	return b.String()
}

var gridConfig = Config{Metrics: []string{"y"}, RelativeSD: "rsd"}

// A run of 100 evaluations, each some dozen pairs, is to take 50 ms at most.
func BenchmarkRun(b *testing.B) {
	t := read(b, grid(6, 10, 0.03), gridConfig)
	for _, judge := range []Judge{Sequential, Exact} {
		b.Run(judge.String(), func(b *testing.B) {
			evaluations, draws := 0, 0
			for i := range b.N {
				r, err := t.Run(context.Background(), RunConfig{Policy: oneByOne{}, Evaluations: 100, Judge: judge, Seed: uint64(i), Start: -1})
				if err != nil {
					b.Fatal(err)
				}
				evaluations += r.Evaluations
				draws += r.Measurements
			}
			b.ReportMetric(float64(evaluations)/float64(b.N), "evaluations/op")
			b.ReportMetric(float64(draws)/float64(b.N), "measurements/op")
		})
	}
}

func BenchmarkRead(b *testing.B) {
	text := grid(11, 12, 0.03) // 73,728 rows
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		read(b, text, gridConfig)
	}
}

// oneByOne is a policy for tests: the first knob with a value that is not blocked.
type oneByOne struct{}

func (oneByOne) Learn(controller.Trial) {}

func (oneByOne) Propose(v controller.View) (controller.Proposal, bool) {
	for _, o := range v.Offered[:len(v.Offered)-1] {
		name := o.Switch
		levels := []float64{0, 1}
		if name == "" {
			name = o.Knobs[0]
			k, _ := v.Space.Knob(name)
			levels = k.Levels
		}
		now, _ := v.Safe.Get(name)
		for _, to := range levels {
			if to == now {
				continue
			}
			p := controller.Proposal{Optimization: o.Name, Move: "to", Change: map[string]float64{name: to}}
			if o.Switch != "" {
				if p.Move = controller.MoveOff; to == 1 {
					p.Move = controller.MoveOn
				}
			}
			if v.Blocked[p.BlockKey()] == "" {
				return p, true
			}
		}
	}
	return controller.Proposal{}, false
}
