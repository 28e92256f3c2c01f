package experiments

import "slices"

// Tally is what some trials of a cell came to.
type Tally struct {
	// N is the number of trials.
	N int `json:"n"`
	// Counts of the trials to which something happened, by its name.
	Counts map[string]int `json:"counts,omitempty"`
	// Values that trials have, by name, in order of the trials.
	Values map[string][]float64 `json:"values,omitempty"`
}

// Count says that something did or did not happen in a trial. What is never
// said of a cell is not measured there.
func (t *Tally) Count(what string, happened bool) {
	if t.Counts == nil {
		t.Counts = map[string]int{}
	}
	n := 0
	if happened {
		n = 1
	}
	t.Counts[what] += n
}

// Value adds a trial's value.
func (t *Tally) Value(what string, v float64) {
	if t.Values == nil {
		t.Values = map[string][]float64{}
	}
	t.Values[what] = append(t.Values[what], v)
}

// add appends the trials that follow.
func (t *Tally) add(o *Tally) {
	t.N += o.N
	for what, n := range o.Counts {
		if t.Counts == nil {
			t.Counts = map[string]int{}
		}
		t.Counts[what] += n
	}
	for what, v := range o.Values {
		if t.Values == nil {
			t.Values = map[string][]float64{}
		}
		t.Values[what] = slices.Concat(t.Values[what], v)
	}
}

// Results are the tallies of an experiment's cells.
type Results struct {
	Cells   []Cell
	Tallies []Tally
	Short   bool
}

// Of returns a cell's tally; one that does not exist is empty.
func (r *Results) Of(scenario, contender string) *Tally {
	for i, c := range r.Cells {
		if c.Scenario == scenario && c.Contender == contender {
			return &r.Tallies[i]
		}
	}
	return &Tally{}
}

// Where merges the tallies of all cells for which is holds.
func (r *Results) Where(is func(Cell) bool) *Tally {
	all := &Tally{}
	for i, c := range r.Cells {
		if is(c) {
			all.add(&r.Tallies[i])
		}
	}
	return all
}

// Scenarios in order of the cells.
func (r *Results) Scenarios() []string {
	return r.names(func(c Cell) string { return c.Scenario })
}

// Contenders in order of the cells.
func (r *Results) Contenders() []string {
	return r.names(func(c Cell) string { return c.Contender })
}

func (r *Results) names(of func(Cell) string) []string {
	var out []string
	for _, c := range r.Cells {
		if n := of(c); !slices.Contains(out, n) {
			out = append(out, n)
		}
	}
	return out
}
