package live

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"autotune/executor"
)

// Options of a run. Zero fields other than Out and LoadCommand have defaults.
type Options struct {
	// Out is the folder of live.md, live.csv and live.jsonl, created if need be.
	Out string
	// Only names the cells to measure: workloads, switches, or WORKLOAD/SWITCH; all if empty.
	Only []string
	// Pairs of blocks in a cell, 20 if 0, at least 8; fewer where blocks are long.
	Pairs int
	// Block is how long a block is measured, 750 ms if 0; at most 500 ms, times four, where
	// work is put off.
	Block time.Duration
	// Autopilot is how long it works in its cells before its check, 2 min if 0, at
	// least 1 min.
	Autopilot time.Duration
	// Rate of requests per second, and Items in the database: the demonstration's if 0.
	Rate  float64
	Items int
	// Seed of the whole table, 1 if 0.
	Seed uint64
	// LoadCommand starts the load generator, as for demo.Run.
	LoadCommand []string
	// Exporter returns one for a cell's spans, and what ends it. If it is nil there
	// are none, and nothing for enable_optimized_telemetry to do.
	Exporter func() (executor.Exporter, func())
	// Commit of the code.
	Commit string
	// Tell is told of each cell; it may be nil.
	Tell func(Progress)
}

// Progress is how far a run is.
type Progress struct {
	// Done of Of cells, Resumed of them from an earlier run.
	Done, Of, Resumed int
	// Last is the cell just measured; nil before the first.
	Last *Result
	// Failed is the error of the cell that was just tried.
	Failed error
}

func (o *Options) setDefaults() error {
	o.Pairs = cmp.Or(o.Pairs, defaultPairs)
	o.Block = cmp.Or(o.Block, usualBlock)
	o.Autopilot = cmp.Or(o.Autopilot, defaultAutopilot)
	o.Rate, o.Items = cmp.Or(o.Rate, defaultRate), cmp.Or(o.Items, defaultItems)
	o.Seed = cmp.Or(o.Seed, 1)
	if o.Tell == nil {
		o.Tell = func(Progress) {}
	}
	var errs []error
	if o.Out == "" {
		errs = append(errs, errors.New("out is empty: must name a folder for the report"))
	}
	if o.Pairs < leastPairs {
		errs = append(errs, fmt.Errorf("pairs %d: must be at least %d: with fewer no difference can be shown", o.Pairs, leastPairs))
	}
	if o.Block < leastBlock {
		errs = append(errs, fmt.Errorf("block %v: must be at least %v", o.Block, leastBlock))
	}
	if o.Autopilot < leastAutopilot {
		errs = append(errs, fmt.Errorf("autopilot %v: must be at least %v: noise and a trial need that long", o.Autopilot, leastAutopilot))
	}
	return errors.Join(errs...)
}

const (
	leastPairs     = 8
	leastBlock     = 250 * time.Millisecond
	leastAutopilot = time.Minute
)

// InterruptedError says that a run ended early, with every finished cell kept.
type InterruptedError struct {
	Done, Of int
	Cause    error
}

// Error says how to go on.
func (e *InterruptedError) Error() string {
	return fmt.Sprintf("live: interrupted at %d of %d cells, which are kept and reported: the same command goes on from there", e.Done, e.Of)
}

// Unwrap returns what ended it.
func (e *InterruptedError) Unwrap() error { return e.Cause }

// ErrFailed marks an error of a run that was asked for rightly.
var ErrFailed = errors.New("the run failed")

// Run measures the cells that are not kept in Out yet, one after the other, and
// writes the report of all that are: after each cell, so that there is one
// whatever ends the run. A cell is measured anew if anything in its Plan
// changed. One that fails does not keep the others from their turn; the error
// has all that did. When ctx ends, the cell in hand is given up.
func Run(ctx context.Context, o Options) error {
	if err := o.setDefaults(); err != nil {
		return err
	}
	todo, err := o.plans()
	if err != nil {
		return err
	}
	if err := run(ctx, &o, todo); err != nil {
		return fmt.Errorf("%w: %w", ErrFailed, err)
	}
	return nil
}

func run(ctx context.Context, o *Options, todo []Plan) error {
	if err := os.MkdirAll(o.Out, 0o750); err != nil {
		return err
	}
	kept, err := openKept(filepath.Join(o.Out, "live.jsonl"))
	if err != nil {
		return err
	}
	defer kept.close()
	progress := Progress{Of: len(todo)}
	var left []Plan
	for _, p := range todo {
		if kept.has(p) {
			progress.Resumed++
		} else {
			left = append(left, p)
		}
	}
	progress.Done = progress.Resumed
	o.Tell(progress)
	var errs []error
	for _, p := range left {
		r, err := o.measure(ctx, p)
		if ctx.Err() != nil {
			return errors.Join(&InterruptedError{progress.Done, progress.Of, ctx.Err()}, kept.report(o.Out))
		}
		progress.Last, progress.Failed = nil, nil
		if err == nil {
			err = errors.Join(kept.add(r), kept.report(o.Out))
		}
		if err != nil {
			progress.Failed = fmt.Errorf("%s: %w", p.name(), err)
			errs = append(errs, progress.Failed)
		} else {
			progress.Last = &r
			progress.Done++
		}
		o.Tell(progress)
	}
	return errors.Join(append(errs, kept.report(o.Out))...)
}
