package predicted

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"

	"autotune/catalog"
	"autotune/controller"
	"autotune/internal/stats"
	"autotune/simulate/plant"
)

// Cell is what a switch does to a metric of a workload, as measured and as predicted.
type Cell struct {
	Switch, Workload string
	Live, Model      controller.Compared
	// P is the measurement's p-value of no effect, and Stands says that it stands
	// among those of the whole table (Judge).
	P      float64
	Stands bool
}

// Agreement is how the model compares with a cell's measurement.
type Agreement int

// Shown cells are Agreed, or Factor (the same
// direction, and off by more than a factor of two), or Opposed (another direction,
// or no effect). The others are Allowed by their interval, or Outside of it.
const (
	Agreed Agreement = iota + 1
	Factor
	Opposed
	Allowed
	Outside
)

var agreementNames = [...]string{"", "agrees", "factor", "opposed", "allowed", "outside"}

// String returns the agreement's name.
func (a Agreement) String() string {
	if a <= 0 || int(a) >= len(agreementNames) {
		return fmt.Sprintf("Agreement(%d)", int(a))
	}
	return agreementNames[a]
}

// Shown reports whether the measurement's interval leaves out zero.
func (c *Cell) Shown() bool { return c.Live.Low > 0 || c.Live.High < 0 }

// controlRow is of no switch: two configurations that are the same.
const controlRow = "control"

// falseShare of what stands may be chance, on average.
const falseShare = 0.05

// Judge says which effects of a whole table stand: one interval in twenty leaves
// out zero by chance, which of hundreds is a dozen and more; of those that stand
// it is one in twenty (stats.Discoveries).
func Judge(cells []Cell) {
	p := make([]float64, len(cells))
	for i := range cells {
		p[i] = cells[i].P
	}
	for i, stands := range stats.Discoveries(p, falseShare) {
		cells[i].Stands = stands
	}
}

// Agreement of the model with the measurement.
func (c *Cell) Agreement() Agreement {
	live, model := math.Log1p(c.Live.Effect), math.Log1p(c.Model.Effect)
	low, high := math.Log1p(c.Live.Low), math.Log1p(c.Live.High)
	if !c.Shown() {
		for _, part := range []float64{1, 0.75, 0.5} {
			if v := part * model; v >= low && v <= high {
				return Allowed
			}
		}
		return Outside
	}
	switch ratio := model / live; {
	case !(ratio > 0):
		return Opposed
	case ratio < 0.5 || ratio > 2:
		return Factor
	}
	return Agreed
}

// ReadLive reads docs/effects.csv. An error is one line.
func ReadLive(r io.Reader) ([]Cell, error) {
	rows := csv.NewReader(r)
	header, err := rows.Read()
	want := []string{"switch", "workload", "metric", "pairs", "effect", "low", "high", "verdict", "p"}
	if err != nil || !slices.Equal(header, want) {
		return nil, fmt.Errorf("line 1: header %q: must be %q", header, want)
	}
	var cells []Cell
	for {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			return cells, nil
		}
		if err != nil {
			return nil, err
		}
		c := Cell{Switch: row[0], Workload: row[1]}
		c.Live.Metric, c.Live.Verdict = controller.Metric(row[2]), row[7]
		for i, into := range map[int]*float64{4: &c.Live.Effect, 5: &c.Live.Low, 6: &c.Live.High, 8: &c.P} {
			if *into, err = strconv.ParseFloat(row[i], 64); err != nil || !(*into >= -1) {
				line, _ := rows.FieldPos(i)
				return nil, fmt.Errorf("line %d, column %q: %q: must be a number of at least -1", line, want[i], row[i])
			}
		}
		if !(c.P >= 0 && c.P <= 1) {
			line, _ := rows.FieldPos(8)
			return nil, fmt.Errorf("line %d, column %q: %q: must be from 0 to 1", line, want[8], row[8])
		}
		if c.Live.Pairs, err = strconv.Atoi(row[3]); err != nil {
			line, _ := rows.FieldPos(3)
			return nil, fmt.Errorf("line %d, column %q: %q: must be a whole number", line, want[3], row[3])
		}
		cells = append(cells, c)
	}
}

// Predict fills in what the model says. Cells of the autopilot's own switch, which
// keeps more than one, are left out, and so are those of no switch.
func Predict(ctx context.Context, measured []Cell) ([]Cell, error) {
	type key struct{ name, workload string }
	said := map[key][]controller.Compared{}
	var out []Cell
	for _, c := range measured {
		if c.Switch == catalog.EnableAutomatic || c.Switch == controlRow {
			continue
		}
		k := key{c.Switch, c.Workload}
		if said[k] == nil {
			s, err := plant.Named(c.Workload)
			if err != nil {
				return nil, err
			}
			plan, err := s.PlanFor(c.Switch)
			if err != nil {
				return nil, err
			}
			if said[k], err = s.Predict(ctx, plan); err != nil {
				return nil, fmt.Errorf("%s on %s: %w", c.Switch, c.Workload, err)
			}
		}
		i := slices.IndexFunc(said[k], func(m controller.Compared) bool { return m.Metric == c.Live.Metric })
		if i < 0 {
			continue
		}
		c.Model = said[k][i]
		out = append(out, c)
	}
	Judge(out)
	return out, nil
}
