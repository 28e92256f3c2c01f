package overhead

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"autotune"
	"autotune/experiments/live"
)

// Options of a run. Zero fields other than Out and Command have defaults.
type Options struct {
	// Out is the folder of overhead.md and overhead.csv, created if need be.
	Out string
	// Arms to compare, the first of them with each other; Arms if empty.
	Arms []Arm
	// Generations of freshly started processes, each of which is one observation; 16
	// if 0, at least 6: with fewer no interval at 95 % is bounded.
	Generations int
	// Rounds of a generation, each a block of every arm; 36 if 0.
	Rounds int
	// Part is how long each of a block's two parts is, 150 ms if 0, at least 20 ms.
	Part time.Duration
	// TrialBlock is how long a trial's blocks are; 5 s, the product's default, if 0,
	// at least 100 ms.
	TrialBlock time.Duration
	// Procs is how many processors the services have, 1 if 0; the load has the others.
	Procs int
	// Pairs of blocks by which each way to record a request is measured; 20 if 0, at least 8.
	Pairs int
	// Seed of every order and schedule, 1 if 0.
	Seed uint64
	// Command starts a process that calls Serve.
	Command []string
	// Commit of the code.
	Commit string
	// Tell is told of each step; it may be nil.
	Tell func(string)
}

const (
	leastGenerations = 6
	leastPart        = 20 * time.Millisecond
	leastTrialBlock  = 100 * time.Millisecond
	leastPairs       = 8
	// warmRounds of a generation, at least, are not counted.
	warmRounds = 4
	// recording is how long each block is by which a way to record a request is measured.
	recording = 90 * time.Millisecond
)

func (o *Options) setDefaults() error {
	o.Generations, o.Rounds, o.Part = cmp.Or(o.Generations, 16), cmp.Or(o.Rounds, 36), cmp.Or(o.Part, 150*time.Millisecond)
	o.Pairs, o.Seed, o.Procs = cmp.Or(o.Pairs, 20), cmp.Or(o.Seed, 1), cmp.Or(o.Procs, 1)
	o.TrialBlock = cmp.Or(o.TrialBlock, defaultTrialBlock)
	if len(o.Arms) == 0 {
		o.Arms = Arms()
	}
	if o.Tell == nil {
		o.Tell = func(string) {}
	}
	var errs []error
	if o.Out == "" {
		errs = append(errs, errors.New("out is empty: must name a folder for the report"))
	}
	atLeast := func(ok bool, name string, v, least any) {
		if !ok {
			errs = append(errs, fmt.Errorf("%s %v: must be at least %v", name, v, least))
		}
	}
	atLeast(o.Generations >= leastGenerations, "generations", o.Generations, fmt.Sprintf("%d: with fewer no interval is bounded", leastGenerations))
	atLeast(o.Rounds >= 1, "rounds", o.Rounds, 1)
	atLeast(o.Part >= leastPart, "part", o.Part, leastPart)
	atLeast(o.TrialBlock >= leastTrialBlock, "trial-block", o.TrialBlock, leastTrialBlock)
	atLeast(o.Pairs >= leastPairs, "pairs", o.Pairs, leastPairs)
	atLeast(o.Procs >= 1, "procs", o.Procs, 1)
	return errors.Join(errs...)
}

// ErrFailed marks an error of a run that was asked for rightly.
var ErrFailed = errors.New("the run failed")

// Run measures, and writes the report. Leave the machine alone meanwhile.
func Run(ctx context.Context, o Options) (*Result, error) {
	if err := o.setDefaults(); err != nil {
		return nil, err
	}
	r, err := o.run(ctx)
	if err != nil {
		return nil, fmt.Errorf("%w: overhead: %w", ErrFailed, err)
	}
	return r, nil
}

func (o *Options) run(ctx context.Context) (_ *Result, err error) {
	if err := os.MkdirAll(o.Out, 0o750); err != nil {
		return nil, err
	}
	cpus, err := divide(o.Procs)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, cpus.join()) }()
	result := &Result{
		Machine: live.ThisMachine(o.Commit), LoadBefore: live.LoadAverage(), Began: time.Now(),
		Arms: o.Arms, Part: o.Part, TrialBlock: o.TrialBlock, Procs: o.Procs, Rounds: o.Rounds,
	}
	if result.Requests, err = o.requests(ctx); err != nil {
		return nil, err
	}
	for n := uint64(0); len(result.Generations) < o.Generations; n++ {
		g, err := o.generation(ctx, cpus, rand.New(rand.NewPCG(o.Seed, n)))
		if errors.Is(err, errNoTrial) && n < 2*uint64(o.Generations) {
			o.Tell(err.Error() + ": once more") // a trial ends by chance, whatever it costs
			continue
		}
		if err != nil {
			return nil, errors.Join(ctx.Err(), err)
		}
		result.Generations = append(result.Generations, g)
		o.Tell(fmt.Sprintf("generation %d of %d: %s", len(result.Generations), o.Generations, g.glance(o.Arms)))
	}
	result.Seconds, result.LoadAfter = time.Since(result.Began).Seconds(), live.LoadAverage()
	return result, errors.Join(
		os.WriteFile(filepath.Join(o.Out, "overhead.md"), result.Markdown(), 0o600),
		os.WriteFile(filepath.Join(o.Out, "overhead.csv"), result.CSV(), 0o600))
}

// requests measures each way to record a request.
func (o *Options) requests(ctx context.Context) ([]RequestCost, error) {
	var out []RequestCost
	for _, w := range ways() {
		m, err := autotune.Measure(ctx, w.without(), w.with(), autotune.MeasureConfig{Pairs: o.Pairs, Block: min(recording, o.Part), Seed: o.Seed})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", w.name, err)
		}
		c := costOf(w.name, m)
		out = append(out, c)
		o.Tell(c.String())
	}
	return out, nil
}
