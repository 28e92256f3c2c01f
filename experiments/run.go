package experiments

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
)

// Options of a run. Zero fields other than Out have defaults.
type Options struct {
	// Out is the folder of reports, created if need be.
	Out string
	// Seed of all trials.
	Seed uint64
	// Workers at once, 1 by default.
	Workers int
	// Short asks the same of fewer trials.
	Short bool
	// Build names the code, so that results of other code are not taken up.
	Build string
	// Progress is told of trials, from one goroutine; it may be nil.
	Progress func(Progress)
}

// Progress is how far a run is.
type Progress struct {
	Experiment string
	// Done of Of trials. Resumed of them are from an earlier run.
	Done, Of, Resumed int
}

// InterruptedError says that a run ended early, with everything finished kept.
type InterruptedError struct {
	Progress
	Cause error
}

// Error says how to go on.
func (e *InterruptedError) Error() string {
	return fmt.Sprintf("%s: interrupted at %d of %d trials, which are kept: the same command goes on from there", e.Experiment, e.Done, e.Of)
}

// Unwrap returns what ended it.
func (e *InterruptedError) Unwrap() error { return e.Cause }

// Run does what is left of an experiment and writes Out/NAME.html, .md, .csv and
// .json. Until then finished jobs are in Out/NAME.partial.jsonl, durable
// one by one, and taken up by the next run with the same options. When ctx ends,
// so does Run, as soon as the trials in hand notice, with an *InterruptedError.
func Run(ctx context.Context, e Experiment, o Options) (*Report, error) {
	cells, err := e.Cells(o.Short)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", e.Name, err)
	}
	if err := os.MkdirAll(o.Out, 0o750); err != nil {
		return nil, err
	}
	kept, err := openPartial(filepath.Join(o.Out, e.Name+".partial.jsonl"))
	if err != nil {
		return nil, err
	}
	all := jobs(cells)
	if err := runJobs(ctx, &e, cells, all, &o, kept); err != nil {
		return nil, errors.Join(err, kept.Close())
	}
	results := &Results{Cells: cells, Tallies: make([]Tally, len(cells)), Short: o.Short}
	for _, j := range all { // in order of the jobs, whoever did them
		results.Tallies[j.cell].add(kept.done[j.key(&e, &cells[j.cell], &o)])
	}
	report := newReport(&e, results, &o)
	if err := report.write(o.Out); err != nil {
		return nil, errors.Join(err, kept.Close())
	}
	return report, kept.Remove()
}

// runJobs does the jobs that are not kept yet.
func runJobs(ctx context.Context, e *Experiment, cells []Cell, all []job, o *Options, kept *partial) error {
	progress := Progress{Experiment: e.Name}
	var todo []job
	for _, j := range all {
		progress.Of += j.to - j.from
		if kept.done[j.key(e, &cells[j.cell], o)] != nil {
			progress.Resumed += j.to - j.from
		} else {
			todo = append(todo, j)
		}
	}
	progress.Done = progress.Resumed
	tell := func() {
		if o.Progress != nil {
			o.Progress(progress)
		}
	}
	tell()

	type done struct {
		job   job
		tally *Tally
		err   error
	}
	work, ended := context.WithCancel(ctx)
	defer ended()
	queue, results := make(chan job), make(chan done)
	var workers sync.WaitGroup
	for range max(o.Workers, 1) {
		workers.Go(func() {
			for j := range queue {
				t, err := j.run(work, e, &cells[j.cell], o)
				results <- done{j, t, err}
			}
		})
	}
	go func() {
		defer close(results)
		defer workers.Wait()
		defer close(queue)
		for _, j := range todo {
			select {
			case queue <- j:
			case <-work.Done():
				return
			}
		}
	}()
	var failed error
	for r := range results {
		err := r.err
		if err == nil {
			err = kept.add(r.job.key(e, &cells[r.job.cell], o), r.tally)
		}
		if err != nil {
			if failed == nil && ctx.Err() == nil {
				failed = err
			}
			ended()
			continue
		}
		progress.Done += r.job.to - r.job.from
		tell()
	}
	switch {
	case failed != nil:
		return failed
	case progress.Done < progress.Of:
		return &InterruptedError{progress, ctx.Err()}
	}
	return nil
}
