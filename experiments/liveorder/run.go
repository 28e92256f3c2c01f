package liveorder

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"autotune/experiments/internal/durable"
	"autotune/experiments/live"
	"autotune/internal/demo"
	"autotune/report"
)

// Options of a run. Zero fields other than Out and Command have defaults.
type Options struct {
	// Out is the folder of live-order.jsonl and the report in four formats, created
	// if need be.
	Out string
	// Only names what is measured: workloads, with all arms, or WORKLOAD/ARM; the
	// everyday one if empty.
	Only []string
	// Seeds is how many sessions each arm has on each workload, 20 if 0.
	Seeds int
	// Session is how long each is steered, 6 min if 0, at least 90 s.
	Session time.Duration
	// Pairs by which a setting of the yardstick is compared, 20 if 0, at least 8, and
	// CheckPairs the final setting of a session, 12 if 0.
	Pairs, CheckPairs int
	// AtOnce is how many run beside each other, 1 if 0.
	AtOnce int
	// Rate of requests per second, the demonstration's if 0, and Items in the database.
	Rate  float64
	Items int
	// Seed of the whole run, 1 if 0.
	Seed uint64
	// Command starts a process that calls Serve.
	Command []string
	// Commit of the code.
	Commit string
	// Tell is told of each step; it may be nil.
	Tell func(string)
}

const (
	leastPairs   = 8
	leastSession = 90 * time.Second
)

func (o *Options) setDefaults() error {
	o.Seeds, o.AtOnce = cmp.Or(o.Seeds, 20), cmp.Or(o.AtOnce, 1)
	o.Session = cmp.Or(o.Session, 6*time.Minute)
	o.Pairs, o.CheckPairs = cmp.Or(o.Pairs, 20), cmp.Or(o.CheckPairs, 12)
	o.Rate, o.Items, o.Seed = cmp.Or(o.Rate, demo.DefaultRate), cmp.Or(o.Items, demo.DefaultItems), cmp.Or(o.Seed, 1)
	if len(o.Only) == 0 {
		o.Only = []string{Everyday}
	}
	if o.Tell == nil {
		o.Tell = func(string) {}
	}
	var errs []error
	if o.Out == "" {
		errs = append(errs, errors.New("out is empty: must name a folder for the report"))
	}
	for _, only := range o.Only {
		w, arm, has := strings.Cut(only, "/")
		if _, err := demo.WorkloadNamed(workloadOf(w)); err != nil {
			errs = append(errs, fmt.Errorf("only %q: %w, or %s", only, err, Everyday))
		}
		if has && !slices.Contains(Arms(), Arm(arm)) {
			errs = append(errs, fmt.Errorf("only %q: arm %q: must be one of %q", only, arm, Arms()))
		}
	}
	for _, x := range []struct {
		name         string
		value, least int
	}{{"seeds", o.Seeds, 1}, {"at-once", o.AtOnce, 1}, {"pairs", o.Pairs, leastPairs}, {"check-pairs", o.CheckPairs, leastPairs}} {
		if x.value < x.least {
			errs = append(errs, fmt.Errorf("%s %d: must be at least %d", x.name, x.value, x.least))
		}
	}
	if o.Session < leastSession {
		errs = append(errs, fmt.Errorf("session %v: must be at least %v: noise and a trial need that long", o.Session, leastSession))
	}
	return errors.Join(errs...)
}

// ErrFailed marks an error of a run that was asked for rightly.
var ErrFailed = errors.New("the run failed")

// Run makes the sessions that are not kept in Out yet, and writes the report of all
// that are, after each. A session is made anew if anything in its Plan changed. One
// that fails does not keep the others from their turn; the error has all that did.
// When ctx ends, the sessions in hand are given up.
func Run(ctx context.Context, o Options) error {
	if err := o.setDefaults(); err != nil {
		return err
	}
	if err := o.run(ctx); err != nil {
		return fmt.Errorf("%w: %w", ErrFailed, err)
	}
	return nil
}

func (o *Options) run(ctx context.Context) (err error) {
	if err := os.MkdirAll(o.Out, 0o750); err != nil {
		return err
	}
	kept := map[string]Session{}
	lines, err := durable.OpenLines(filepath.Join(o.Out, "live-order.jsonl"), func(line []byte) {
		var s Session
		if json.Unmarshal(line, &s) == nil && s.Plan.Workload != "" {
			kept[s.Plan.name()] = s
		}
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lines.Close()) }()
	all := o.plans()
	todo := slices.DeleteFunc(slices.Clone(all), func(p Plan) bool {
		s, ok := kept[p.name()]
		return ok && s.Plan.equal(&p)
	})
	done, began := len(all)-len(todo), time.Now()
	o.Tell(fmt.Sprintf("%d of %d sessions are kept from before", done, len(all)))
	var errs []error
	for s := range o.sessions(ctx, todo) {
		if s.err != nil {
			if ctx.Err() == nil {
				errs = append(errs, s.err)
				o.Tell("failed: " + s.err.Error())
			}
			continue
		}
		done++
		kept[s.Plan.name()] = s.Session
		errs = append(errs, lines.Add(s.Session), o.report(all, kept))
		left := time.Since(began) / time.Duration(done-len(all)+len(todo)) * time.Duration(len(all)-done)
		o.Tell(fmt.Sprintf("%d of %d, about %v left: %s", done, len(all), left.Round(time.Minute), s.Session.String()))
	}
	if ctx.Err() != nil {
		errs = append(errs, fmt.Errorf("interrupted at %d of %d sessions, which are kept and reported: the same command goes on from there", done, len(all)))
	}
	return errors.Join(append(errs, o.report(all, kept))...)
}

// ended is a session, or why there is none.
type ended struct {
	Session
	err error
}

// sessions makes them, in order, so many at once; the channel is closed after the last.
func (o *Options) sessions(ctx context.Context, todo []Plan) <-chan ended {
	plans, out := make(chan Plan), make(chan ended)
	var workers sync.WaitGroup
	for range o.AtOnce {
		workers.Go(func() {
			for p := range plans {
				s, err := o.process(ctx, &p)
				if err != nil {
					err = fmt.Errorf("%s: %w", p.name(), err)
				}
				s.Ended, s.Load = time.Now().UTC().Truncate(time.Second), live.LoadAverage()
				out <- ended{s, err}
			}
		})
	}
	go func() {
		defer close(out)
		defer workers.Wait()
		defer close(plans)
		for _, p := range todo {
			select {
			case plans <- p:
			case <-ctx.Done():
				return
			}
		}
	}()
	return out
}

// process makes a session in a process of its own, whose CPU time is nobody else's.
func (o *Options) process(ctx context.Context, p *Plan) (s Session, err error) {
	if len(o.Command) == 0 {
		return s, errors.New("no command to start it with")
	}
	plan, err := json.Marshal(p)
	if err != nil {
		return s, err
	}
	cmd := exec.CommandContext(ctx, o.Command[0], o.Command[1:]...) //nolint:gosec // our own binary
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 20 * time.Second
	var out, faults bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &faults
	in, err := cmd.StdinPipe() // held open: it ends when this process does
	if err != nil {
		return s, err
	}
	defer in.Close() //nolint:errcheck // Wait has closed it
	if err := cmd.Start(); err != nil {
		return s, err
	}
	_, err = in.Write(append(plan, '\n'))
	if err := errors.Join(err, cmd.Wait()); err != nil {
		return s, fmt.Errorf("%w: %s", err, bytes.TrimSpace(faults.Bytes()))
	}
	return s, json.Unmarshal(out.Bytes(), &s)
}

// report writes all formats of what is kept, each whole or not at all.
func (o *Options) report(all []Plan, kept map[string]Session) error {
	var sessions []Session
	for i := range all {
		if s, ok := kept[all[i].name()]; ok && s.Plan.equal(&all[i]) {
			sessions = append(sessions, s)
		}
	}
	return durable.Report(o.Out, Document(sessions, live.ThisMachine(o.Commit)), report.Formats()...)
}
