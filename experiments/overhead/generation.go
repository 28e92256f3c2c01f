package overhead

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// Figures of an arm in a generation, over all its blocks together.
type Figures struct {
	Throughput float64 // requests a second, closed loop
	CPU        float64 // seconds of the service a request, closed loop
	Allocs     float64 // objects a request
	P50, P99   float64 // seconds, open loop
	Rate       float64 // of the open loop, requests a second
	Events     int64   // of the page
}

// Generation of processes.
type Generation map[Arm]Figures

// glance is the generation in a line, for people.
func (g Generation) glance(arms []Arm) string {
	first := g[arms[0]]
	text := fmt.Sprintf("%v %.0f requests/s, %.1f µs of CPU, p99 %.2f ms", arms[0], first.Throughput, first.CPU*1e6, first.P99*1e3)
	for _, a := range arms[1:] {
		text += fmt.Sprintf("; %v x%.4f, x%.4f, x%.3f", a, g[a].Throughput/first.Throughput, g[a].CPU/first.CPU, g[a].P99/first.P99)
	}
	return text
}

// served is a service, and what came of its blocks so far.
type served struct {
	*process
	arm  Arm
	at   place
	from state // before the first counted block

	answered, requests int // of the closed loop, of both
	seconds            float64
	used               time.Duration // CPU time in the closed loop
	took               []float64     // latencies of the open loop
	events             int64
}

// generation starts the processes, has them take turns, and ends them.
func (o *Options) generation(ctx context.Context, cpus *processors, rng *rand.Rand) (_ Generation, err error) {
	dir, err := os.MkdirTemp("", "autotune-overhead-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	ctx, kill := context.WithCancel(ctx)
	defer kill()
	t := &turns{part: o.Part}
	defer func() {
		if err != nil {
			kill() // nothing of them is of use
		}
		for _, p := range t.processes() {
			if e := p.close(); err == nil {
				err = e
			}
		}
	}()
	if err := cpus.forServices(); err != nil {
		return nil, err
	}
	for _, arm := range o.Arms {
		p, err := start(ctx, arm.String(), o.Command, spec{Arm: arm, TrialBlock: o.TrialBlock, Journal: filepath.Join(dir, arm.String())})
		if err != nil {
			return nil, err
		}
		s := &served{process: p, arm: arm}
		t.services = append(t.services, s)
		if err := errors.Join(p.read(&s.at), p.stop()); err != nil {
			return nil, err
		}
	}
	if err := cpus.forLoad(); err != nil {
		return nil, err
	}
	if t.load, err = start(ctx, "load", o.Command, spec{}); err != nil {
		return nil, err
	}
	if err := t.warmUp(ctx, rng, lead(o.Arms, o.TrialBlock)); err != nil {
		return nil, err
	}
	for range o.Rounds {
		if err := t.round(ctx, rng); err != nil {
			return nil, err
		}
	}
	g := Generation{}
	for _, s := range t.services {
		if g[s.arm], err = s.figures(t.rate); err != nil {
			return nil, err
		}
	}
	return g, nil
}

// errNoTrial says that an arm was not in a trial all the time.
var errNoTrial = errors.New("no trial")

// turns are taken by the services of a generation.
type turns struct {
	load     *process
	services []*served
	part     time.Duration
	rate     float64 // of the open loop
}

func (t *turns) processes() []*process {
	var all []*process
	if t.load != nil {
		all = append(all, t.load)
	}
	for _, s := range t.services {
		all = append(all, s.process)
	}
	return all
}

// warmUp has the services take turns, uncounted, until those that must be are in a
// trial, and finds the rate of the open loop: half of the first arm's throughput.
func (t *turns) warmUp(ctx context.Context, rng *rand.Rand, lead time.Duration) error {
	for _, s := range t.services {
		if s.at.Stream != "" {
			if err := t.load.ask(job{URL: s.at.Stream, Stream: true}, &sent{}); err != nil {
				return err
			}
		}
	}
	t.rate = 1 / t.part.Seconds() // hardly any
	for began, n := time.Now(), 1; ; n++ {
		if err := t.round(ctx, rng); err != nil {
			return err
		}
		first := t.services[0]
		t.rate = float64(first.answered) / first.seconds / 2
		waited := time.Since(began)
		if n > 1 && (n < warmRounds || waited < lead) {
			continue
		}
		ready := true
		for _, s := range t.services {
			now, err := s.state()
			if err != nil {
				return err
			}
			*s = served{process: s.process, arm: s.arm, at: s.at, from: now}
			ready = ready && now.InTrial == s.arm.inTrial()
		}
		switch {
		case ready && n > 1:
			return nil
		case waited > 4*(lead+time.Second):
			return fmt.Errorf("%w: none has begun in %v", errNoTrial, waited)
		}
	}
}

// round is a block of each service, in an order of its own. All have the same
// schedule of the open loop, so that what its own crowding does cancels.
func (t *turns) round(ctx context.Context, rng *rand.Rand) error {
	seed := rng.Uint64()
	for _, i := range rng.Perm(len(t.services)) {
		if err := errors.Join(ctx.Err(), t.block(t.services[i], seed)); err != nil {
			return err
		}
	}
	return nil
}

// block is a service's turn: it is continued, loaded, and stopped. What it does on
// waking, because it was due meanwhile, counts.
func (t *turns) block(s *served, seed uint64) error {
	before, err := s.cpu()
	if err != nil {
		return err
	}
	if err := s.resume(); err != nil {
		return err
	}
	closed, err := t.send(job{URL: s.at.URL, Seconds: t.part.Seconds()})
	if err != nil {
		return err
	}
	after, err := s.cpu()
	if err != nil {
		return err
	}
	open, err := t.send(job{URL: s.at.URL, Seconds: t.part.Seconds(), Rate: t.rate, Seed: seed})
	if err != nil {
		return err
	}
	s.add(closed, open, after-before)
	return s.stop()
}

// send a job to the load: no request may fail.
func (t *turns) send(j job) (s sent, err error) {
	if err := t.load.ask(j, &s); err != nil {
		return s, err
	}
	if s.Failed > 0 {
		return s, fmt.Errorf("load: %d of %d requests failed: %s", s.Failed, s.Failed+s.Completed, s.Failure)
	}
	return s, nil
}

// state of a stopped service.
func (s *served) state() (now state, err error) {
	return now, errors.Join(s.resume(), s.ask(struct{}{}, &now), s.stop())
}

func (s *served) add(closed, open sent, used time.Duration) {
	s.answered += closed.Completed
	s.requests += closed.Completed + open.Completed
	s.seconds += closed.Seconds
	s.used += used
	s.took = append(s.took, open.Took...)
	s.events = open.Events
}

// figures are of all blocks together: what is rare, as a collection or a record on
// disk, has its share in them.
func (s *served) figures(rate float64) (Figures, error) {
	now, err := s.state()
	if err != nil {
		return Figures{}, err
	}
	switch {
	case now.InTrial != s.arm.inTrial():
		return Figures{}, fmt.Errorf("%v: %w: it did not last: %s", s.arm, errNoTrial, now.Why)
	case s.answered == 0 || len(s.took) == 0:
		return Figures{}, fmt.Errorf("%v: no request was answered", s.arm)
	case s.at.Stream != "" && s.events == 0:
		return Figures{}, fmt.Errorf("%v: the page saw no event", s.arm)
	}
	slices.Sort(s.took)
	at := func(q float64) float64 { return s.took[int(q*float64(len(s.took)-1))] }
	n := float64(s.answered)
	return Figures{
		Throughput: n / s.seconds, CPU: s.used.Seconds() / n, Allocs: float64(now.Objects-s.from.Objects) / float64(s.requests),
		P50: at(0.5), P99: at(0.99), Rate: rate, Events: s.events,
	}, nil
}
