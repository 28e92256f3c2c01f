package experiments

import (
	"context"
	"fmt"
	"hash/fnv"

	"autotune/report"
)

// Experiment is a question about the decision code that many trials answer.
type Experiment struct {
	// Name of the experiment and of its files.
	Name string
	// Doc says what is asked, in a sentence or two.
	Doc string
	// Cells to run; the short form asks the same of fewer trials. An error says
	// what it needs and does not have.
	Cells func(short bool) ([]Cell, error)
	// Measures are taken of every cell that has them.
	Measures []Measure
	// Tables for people; nil: one, of all cells and measures.
	Tables func(*Results) []Table
	// Charts for people; nil: none.
	Charts func(*Results) []report.Chart
	// Claims that the results must support.
	Claims func(*Results) []Claim
}

// Cell is one scenario with one contender.
type Cell struct {
	// Scenario and Contender name the cell. Contenders of a scenario get the same
	// seeds.
	Scenario, Contender string
	// Params is all that determines a trial besides its seed and the code. Its
	// text is part of the key under which results are kept.
	Params any
	// Trials in all, and how many make a job: about a second of work.
	Trials, Batch int
	// Trial plays one trial and tells the tally what came of it. It must be a pure
	// function of the seed, safe for concurrent use, and end soon after ctx.
	Trial func(ctx context.Context, seed uint64, into *Tally) error
}

// seedOf is the seed of a trial: a hash of everything that names it except the
// contender.
func seedOf(base uint64, experiment, scenario string, trial int) uint64 {
	h := fnv.New64a()
	fmt.Fprintf(h, "%d|%s|%s|%d", base, experiment, scenario, trial)
	return h.Sum64()
}

// job is a stretch of a cell's trials.
type job struct {
	cell     int
	from, to int // trials
}

// key names all that determines a job's result.
func (j job) key(e *Experiment, c *Cell, o *Options) string {
	h := fnv.New128a()
	fmt.Fprintf(h, "%s|%d|%+v", o.Build, o.Seed, c.Params)
	return fmt.Sprintf("%s|%s|%s|%d-%d|%x", e.Name, c.Scenario, c.Contender, j.from, j.to, h.Sum(nil))
}

// jobs splits the cells.
func jobs(cells []Cell) []job {
	var out []job
	for i, c := range cells {
		for from := 0; from < c.Trials; from += max(c.Batch, 1) {
			out = append(out, job{i, from, min(from+max(c.Batch, 1), c.Trials)})
		}
	}
	return out
}

// run plays the job's trials.
func (j job) run(ctx context.Context, e *Experiment, c *Cell, o *Options) (*Tally, error) {
	t := &Tally{}
	for i := j.from; i < j.to; i++ {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		seed := seedOf(o.Seed, e.Name, c.Scenario, i)
		if err := c.Trial(ctx, seed, t); err != nil {
			return nil, fmt.Errorf("%s: %s, %s, trial %d (seed %d): %w", e.Name, c.Scenario, c.Contender, i, seed, err)
		}
		t.N++
	}
	return t, ctx.Err()
}
