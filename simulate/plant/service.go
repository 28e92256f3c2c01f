package plant

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"autotune/controller"
	"autotune/simulate"
	"autotune/simulate/internal/setting"
)

// Service is a service in virtual time, in which each request waits for what it
// needs. It is not safe for concurrent use. It may be given to one run after the
// other: it goes on where it was.
type Service struct {
	cfg     Config
	initial controller.Setting
	setting controller.Setting
	on      levers

	now      time.Duration
	agenda   agenda
	arrivals arrivals
	chance   *rand.Rand // a seed for each request
	keys     []func() uint64
	shares   []float64 // of requests of this kind or one before it
	level    simulate.Signal
	slower   float64 // what work takes now, relative to usual
	levelAt  time.Duration

	requests []request
	unused   int32 // list of free places, through next; -1: none
	inFlight int
	round    uint64 // of the epoch; a number of epochs may come again
	epoch    uint64
	begun    bool

	cores   cores
	permits permits
	cache   *lru
	flights map[cacheKey]int32
	pool    pool
	links   []link // by kind
	spans   spans
	signals signals
	// poolTypes is how many kinds of scratch objects are asked for, and declared how
	// many kinds of requests declare their results.
	poolTypes, declared int

	collector collector
	returns   release
	pinned    float64

	sample controller.Sample // overwritten by each Observe
	tick   tally             // of this tick
	ever   Counts
	score  scoring
}

var _ controller.Target = (*Service)(nil)

// link is what a kind's calls go through.
type link struct {
	circuit circuit
	budget  budget
	outage  Rate // above 0: it is down
	down    bool
	until   time.Duration
}

// New returns a service at age 0 with the initial setting in force, or every
// fault of the configuration at once.
func New(cfg Config) (*Service, error) {
	if err := cfg.Check(); err != nil {
		return nil, fmt.Errorf("plant: %w", err)
	}
	if cfg.Cores == 0 {
		cfg.Cores = 2
	}
	cfg.Heap.setDefaults()
	cfg.Executor.setDefaults()
	stream := func(n uint64) *rand.Rand { return rand.New(rand.NewPCG(cfg.Seed, n)) }
	s := &Service{
		cfg: cfg, initial: controller.SettingOf(cfg.Initial),
		arrivals: newArrivals(cfg.Arrivals, stream(1), stream(2)), chance: stream(3),
		slower: 1, levelAt: forever, unused: -1,
		flights: map[cacheKey]int32{},
		sample:  controller.Sample{Totals: map[controller.Metric]float64{}, Gauges: map[controller.Metric]float64{}},
	}
	total := 0.0
	for i, k := range cfg.Kinds {
		total += k.Share
		s.shares = append(s.shares, total)
		var keys func() uint64
		if k.Keys != nil {
			keys = k.Keys(stream(100 + uint64(i)))
		}
		s.keys = append(s.keys, keys)
		l := link{until: forever}
		if c := k.Calls; c != nil && c.OutageFor > 0 {
			l.outage = Bursty(0, 1, c.OutageEvery, c.OutageFor)(stream(400 + uint64(i)))
			l.until = 0
		}
		s.links = append(s.links, l)
	}
	for i := range s.shares {
		s.shares[i] /= total
	}
	s.shares[len(s.shares)-1] = 1
	if cfg.Level != nil {
		s.level, s.levelAt = cfg.Level(cfg.Seed), 0
	}
	s.setting, s.on = s.initial, leversOf(s.initial, cfg.Cores)
	s.cache = newLRU(s.on.cacheSize)
	s.signals.ghost = newGhost()
	for _, k := range cfg.Kinds {
		if k.Share > 0 && k.Scratch.Bytes > 0 {
			s.poolTypes++
		}
		if k.Share > 0 && k.Results.declared() {
			s.declared++
		}
	}
	s.cores.n = cfg.Cores
	s.permits.looks = forever
	s.collector.marked = s.live()
	s.pace()
	s.collector.resident = s.collector.marked + s.collector.goal
	s.score.begin(s)
	s.timers(levers{})
	return s, nil
}

// Space says what may be changed.
func (s *Service) Space() controller.Space { return s.cfg.Space }

// Age is how much virtual time has passed.
func (s *Service) Age() time.Duration { return s.now }

// Setting is what is in force.
func (s *Service) Setting() controller.Setting { return s.setting }

// Current reads back what is in force.
func (s *Service) Current(context.Context) (controller.Setting, error) { return s.setting, nil }

// Apply puts a setting in force, at once, and as the executor does: what is warm
// stays or goes, and those who wait for what is no longer limited are let in. A
// setting that lacks a knob or has another is refused; any value is taken, as an
// operator may set what no trial would.
func (s *Service) Apply(_ context.Context, to controller.Setting) error {
	if to.Equal(s.setting) {
		return nil
	}
	if err := setting.Fits(to, s.initial); err != nil {
		return err
	}
	was := s.on
	s.setting, s.on = to, leversOf(to, s.cfg.Cores)
	s.score.change(to)
	s.cache.resize(s.on.cacheSize)
	if !s.on.pool {
		s.pool.idle = 0
	} else {
		s.pool.idle = min(s.pool.idle, s.on.poolSize)
	}
	if s.on.breaker != was.breaker {
		for i := range s.links {
			c := &s.links[i].circuit
			c.become(shut)
		}
	}
	if s.on.gcPercent != was.gcPercent {
		s.pace()
	}
	s.timers(was)
	s.admit()
	s.tire()
	return nil
}

// timers begin with the switches that need them; one of a switch that is off, or
// that another has replaced, ends when it is due.
func (s *Service) timers(was levers) {
	if s.on.memory && (!was.memory || s.on.memoryEvery != was.memoryEvery) {
		s.agenda.plan(s.now+s.on.memoryEvery, memoryLook, int32(s.on.memoryEvery/time.Millisecond))
	}
	if s.on.pool && !was.pool {
		s.pool.looks = 0
		s.agenda.plan(s.now+poolLookEvery, poolLook, 0)
	}
	if s.spanRate() > 0 && s.on.batch > 1 && was.batch <= 1 {
		s.agenda.plan(s.now+flushEvery, flushSpans, 0)
	}
}

// Observe lets d of virtual time pass and returns what happened in it. The
// sample's maps and histogram are the service's own, and valid until the next
// call: whoever keeps a sample keeps a copy. Contexts have no part in virtual
// time.
func (s *Service) Observe(_ context.Context, epoch uint64, d time.Duration) (controller.Sample, error) {
	if !s.begun || epoch != s.epoch {
		s.begun, s.epoch = true, epoch
		s.round++
	}
	s.sample.Reset()
	s.tick.reset()
	if d > 0 {
		s.pass(s.now + d)
		s.report(d)
	}
	s.sample.At, s.sample.Over = simulate.Epoch().Add(s.now), max(d, 0)
	return s.sample, nil
}

// pass lets time pass: the loop of the simulation.
func (s *Service) pass(until time.Duration) {
	for {
		at, planned := s.agenda.next()
		switch arrival := s.arrivals.next; {
		case arrival > until && (!planned || at > until):
			s.now = until
			return
		case !planned || arrival < at:
			s.now = arrival
			s.arrive()
			s.arrivals.advance()
		default:
			e := s.agenda.pop()
			s.now = e.at
			s.happen(e)
		}
	}
}

func (s *Service) happen(e event) {
	switch e.what {
	case burstEnds:
		s.burstEnded(e.who)
	case wakes:
		s.woke(e.who)
	case permitsTire:
		if e.at == s.permits.looks { // else one that a shorter patience forestalled
			s.permits.looks = forever
			s.tire()
		}
	case memoryLook:
		if s.on.memory && int32(s.on.memoryEvery/time.Millisecond) == e.who {
			s.lookAtMemory()
			s.agenda.plan(s.now+s.on.memoryEvery, memoryLook, e.who)
		}
	case poolLook:
		if s.on.pool {
			s.pool.look(s.on.poolThreshold)
			s.agenda.plan(s.now+poolLookEvery, poolLook, 0)
		}
	case flushSpans:
		if s.spanRate() > 0 && s.on.batch > 1 {
			s.exportSpans(1)
			s.agenda.plan(s.now+flushEvery, flushSpans, 0)
		}
	}
}

// slowed is CPU time at the present level.
func (s *Service) slowed(d time.Duration) time.Duration {
	if s.now >= s.levelAt {
		const even = 250 * time.Millisecond
		s.levelAt = s.now - s.now%even + even
		s.slower = math.Exp(s.level.At(s.now))
	}
	if s.slower == 1 {
		return d
	}
	return time.Duration(float64(d) * s.slower)
}
