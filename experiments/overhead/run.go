package overhead

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"autotune"
	"autotune/experiments/live"
	"autotune/sensors"
)

// Options of a run. Zero fields other than Out and LoadCommand have defaults.
type Options struct {
	// Out is the folder of overhead.md and overhead.csv, created if need be.
	Out string
	// Rounds, each a block of every arm; 21 if 0, at least 6: with fewer no interval
	// at 95 % is bounded.
	Rounds int
	// Part is how long each of a block's two measured parts is, 2.25 s if 0, at
	// least 100 ms.
	Part time.Duration
	// Procs is how many processors the service has, 1 if 0.
	Procs int
	// Pairs of blocks by which each way to record a request is measured; 20 if 0, at least 8.
	Pairs int
	// Seed of every order and schedule, 1 if 0.
	Seed uint64
	// LoadCommand starts a process that calls ServeLoad.
	LoadCommand []string
	// Commit of the code.
	Commit string
	// Tell is told of each step; it may be nil.
	Tell func(string)
}

const (
	leastRounds = 6
	leastPart   = 100 * time.Millisecond
	leastPairs  = 8
)

func (o *Options) setDefaults() error {
	o.Rounds, o.Part = cmp.Or(o.Rounds, 21), cmp.Or(o.Part, 2250*time.Millisecond)
	o.Pairs, o.Seed, o.Procs = cmp.Or(o.Pairs, 20), cmp.Or(o.Seed, 1), cmp.Or(o.Procs, 1)
	if o.Tell == nil {
		o.Tell = func(string) {}
	}
	var errs []error
	if o.Out == "" {
		errs = append(errs, errors.New("out is empty: must name a folder for the report"))
	}
	if o.Rounds < leastRounds {
		errs = append(errs, fmt.Errorf("rounds %d: must be at least %d: with fewer no interval is bounded", o.Rounds, leastRounds))
	}
	if o.Part < leastPart {
		errs = append(errs, fmt.Errorf("part %v: must be at least %v", o.Part, leastPart))
	}
	if o.Pairs < leastPairs {
		errs = append(errs, fmt.Errorf("pairs %d: must be at least %d", o.Pairs, leastPairs))
	}
	if o.Procs < 1 {
		errs = append(errs, fmt.Errorf("procs %d: must be at least 1", o.Procs))
	}
	return errors.Join(errs...)
}

// ErrFailed marks an error of a run that was asked for rightly.
var ErrFailed = errors.New("the run failed")

// Run measures, and writes the report. Until it returns the process has Procs
// processors, and should do nothing else.
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
	result := &Result{Machine: live.ThisMachine(o.Commit), LoadBefore: live.LoadAverage(), Began: time.Now(), Part: o.Part, Procs: o.Procs}
	if result.Requests, err = o.requests(ctx); err != nil {
		return nil, err
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(o.Procs))
	load, err := startLoad(o.LoadCommand)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, load.close()) }()
	service, err := startService()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, service.close()) }()
	bench := &bench{load: load, service: service, part: o.Part}
	if err := bench.calibrate(); err != nil {
		return nil, err
	}
	result.Rate = bench.rate
	for n := range o.Rounds {
		round, err := bench.round(ctx, rand.New(rand.NewPCG(o.Seed, uint64(n))))
		if err != nil {
			return nil, err
		}
		result.Rounds = append(result.Rounds, round)
		o.Tell(fmt.Sprintf("round %d of %d: %s", n+1, o.Rounds, round))
	}
	result.Seconds, result.LoadAfter = time.Since(result.Began).Seconds(), live.LoadAverage()
	return result, errors.Join(
		os.WriteFile(filepath.Join(o.Out, "overhead.md"), result.Markdown(), 0o600),
		os.WriteFile(filepath.Join(o.Out, "overhead.csv"), result.CSV(), 0o600))
}

// Block is what one block of an arm gave.
type Block struct {
	Throughput float64 // requests a second, closed loop
	CPU        float64 // seconds of the service a request, closed loop
	Allocs     float64 // objects a request, closed loop
	AllocBytes float64 // a request, closed loop
	P50, P99   float64 // seconds, open loop
	Events     int     // of the page
}

// Round is a block of each arm.
type Round map[Arm]Block

// String is the round at a glance, in figures for people.
func (r Round) String() string {
	alone := r[Alone]
	text := fmt.Sprintf("alone %.0f requests/s, %.0f µs of CPU, p99 %.2f ms", alone.Throughput, alone.CPU*1e6, alone.P99*1e3)
	for _, a := range Arms()[1:] {
		text += fmt.Sprintf("; %v x%.3f, x%.3f, x%.3f", a, r[a].Throughput/alone.Throughput, r[a].CPU/alone.CPU, r[a].P99/alone.P99)
	}
	return text
}

// bench runs blocks.
type bench struct {
	load    *process
	service *service
	part    time.Duration
	rate    float64 // of the open loop
}

// calibrate finds the throughput, half of which is the open loop's rate.
func (b *bench) calibrate() error {
	s, err := b.load.do(b.job(b.part, 0))
	if err == nil {
		s, err = b.load.do(b.job(b.part, 0)) // the first was to warm up
	}
	b.rate = float64(s.Completed) / s.Seconds / 2
	return err
}

func (b *bench) job(over time.Duration, rate float64) job {
	return job{URL: b.service.url + workPath, Seconds: over.Seconds(), Rate: rate}
}

func (b *bench) round(ctx context.Context, rng *rand.Rand) (Round, error) {
	round, arms, seed := Round{}, Arms(), rng.Uint64()
	rng.Shuffle(len(arms), func(i, j int) { arms[i], arms[j] = arms[j], arms[i] })
	for _, arm := range arms {
		var err error
		if round[arm], err = b.block(ctx, arm, seed); err != nil {
			return nil, fmt.Errorf("%v: %w", arm, err)
		}
	}
	return round, ctx.Err()
}

func (b *bench) block(ctx context.Context, arm Arm, seed uint64) (_ Block, err error) {
	runtime.GC() // nobody pays for what the block before has left
	r, err := begin(ctx, arm, b.part)
	if err != nil {
		return Block{}, err
	}
	defer func() { err = errors.Join(err, r.end()) }()
	b.service.serve(r.handler)
	defer b.service.serve(routes())
	do := func(j job) (sent, error) {
		if err := ctx.Err(); err != nil {
			return sent{}, err
		}
		if r.stream != "" {
			j.Stream = b.service.url + r.stream
		}
		return b.load.do(j)
	}
	if _, err := do(b.job(lead(b.part), 0)); err != nil {
		return Block{}, err
	}
	for range 50 { // a machine that is very busy may take longer to begin the trial
		if r.inTrial == nil || r.inTrial() {
			break
		}
		if _, err := do(b.job(leastPart, 0)); err != nil {
			return Block{}, err
		}
	}
	before := usage()
	closed, err := do(b.job(b.part, 0))
	if err != nil {
		return Block{}, err
	}
	used := usage().since(before)
	schedule := b.job(b.part, b.rate)
	schedule.Seed = seed
	open, err := do(schedule)
	if err != nil {
		return Block{}, err
	}
	switch {
	case r.inTrial != nil && !r.inTrial():
		return Block{}, errors.New("there was no trial in its block")
	case r.stream != "" && closed.Events+open.Events == 0:
		return Block{}, errors.New("the page saw no event")
	}
	n := float64(closed.Completed)
	return Block{
		Throughput: n / closed.Seconds, CPU: used.cpu / n, Allocs: used.objects / n, AllocBytes: used.bytes / n,
		P50: open.P50, P99: open.P99, Events: closed.Events + open.Events,
	}, nil
}

// used is what the process has taken.
type used struct{ cpu, objects, bytes float64 }

func usage() used {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	cpu, _ := sensors.ProcessCPU()
	return used{cpu: cpu, objects: float64(m.Mallocs), bytes: float64(m.TotalAlloc)}
}

func (u used) since(o used) used {
	return used{u.cpu - o.cpu, u.objects - o.objects, u.bytes - o.bytes}
}

// requests measures each way to record a request.
func (o *Options) requests(ctx context.Context) ([]RequestCost, error) {
	var out []RequestCost
	for _, w := range ways() {
		m, err := autotune.Measure(ctx, w.without(), w.with(), autotune.MeasureConfig{Pairs: o.Pairs, Block: o.Part / 25, Seed: o.Seed})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", w.name, err)
		}
		c := costOf(w.name, m)
		out = append(out, c)
		o.Tell(c.String())
	}
	return out, nil
}
