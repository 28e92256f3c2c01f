package demo

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"
)

// A schedule says which request to send when, before any is sent: arrivals are
// Poisson at a rate that changes each second, keys are Zipf distributed, and
// what is asked for follows the workload's mix. It depends on the seed alone, never on how
// the service answers; that is what makes the load open-loop. The same seed
// gives the same requests at the same times.
//
// # The rate
//
// Without a trace, the rate of a second is
//
//	0.96 · mean · (1 + 0.13·sin(slow) + 0.07·sin(quick)) · (1.25 in a burst)
//
// with periods drawn from 50-90 s and 11-19 s, and bursts of 2-4 s, one in 18 s
// or so; 0.96 makes up for the bursts. It stays within 0.76..1.44 of the mean,
// so that at 400/s a block of one second falls below 200 requests only by a
// Poisson accident of six standard deviations.

// The limits and defaults of the load.
const (
	// DefaultRate is the mean rate, in requests per second.
	DefaultRate = 400
	// MaxRate is the highest mean rate that may be asked for: beyond it the
	// generator, not the service, would be measured.
	MaxRate = 100_000

	// maxSilence is how many seconds without a request a schedule looks through
	// before it takes the rest for silence too.
	maxSilence = 1e6
)

// Kind is what a request asks for.
type Kind int

// The kinds of requests.
const (
	ReadItem Kind = iota + 1
	Search
	Pack
	WriteStock
	Offer
	Report
	Basket
)

var kindNames = [...]string{"", "read", "search", "packing", "write", "offer", "report", "basket"}

// String returns the kind's name.
func (k Kind) String() string {
	if k <= 0 || int(k) >= len(kindNames) {
		return fmt.Sprintf("Kind(%d)", int(k))
	}
	return kindNames[k]
}

// How skewed the keys are: the k-th most popular is asked for in proportion to
// (head + k)^-skew, k from 0. Items are many and mildly skewed. Searches and
// orders repeat a lot, as they do in a shop; their flatter head keeps one
// popular key, with the cost it happens to have, from being the distribution.
const (
	itemSkew, itemHead   = 1.3, 2
	heavySkew, heavyHead = 1.8, 4

	orders = 2000 // distinct ones asked for
)

// Arrival is one request of the schedule.
type Arrival struct {
	// At is the intended time to send it, from the start of the load.
	At   time.Duration
	Kind Kind
	// Key is the item, the search or the order asked for, from 0.
	Key int
}

// Schedule yields arrivals in order of time. It is not safe for concurrent use.
type Schedule struct {
	workload Workload
	rate     func(second int) float64
	second   int     // of at
	at       float64 // seconds
	rng      *rand.Rand
	items    int
	item     *rand.Zipf
	search   *rand.Zipf
	pack     *rand.Zipf
}

// NewSchedule makes a schedule of the everyday workload at the given mean rate,
// or at the rates of a trace, one value a second, which starts over when it ends.
// There are so many items.
func NewSchedule(seed uint64, rate float64, trace []float64, items int) *Schedule {
	return Workload{}.schedule(seed, rate, trace, items)
}

func (w Workload) schedule(seed uint64, rate float64, trace []float64, items int) *Schedule {
	s := &Schedule{workload: w, rng: rand.New(rand.NewPCG(seed, 1)), items: items}
	if len(trace) > 0 {
		s.rate = func(second int) float64 { return trace[second%len(trace)] }
	} else {
		s.rate = newDrift(seed, rate).at
	}
	item, heavy := w.skews()
	s.item = rand.NewZipf(s.rng, item, itemHead, uint64(items-1))
	s.search = rand.NewZipf(s.rng, heavy, heavyHead, searches-1)
	s.pack = rand.NewZipf(s.rng, heavy, heavyHead, orders-1)
	return s
}

// Next returns the next arrival. Within a second the gaps are exponential; what
// is left of a gap at the end of a second is stretched to the next one's rate,
// which is exact for a rate that is constant by pieces.
func (s *Schedule) Next() Arrival {
	gap := s.rng.ExpFloat64()
	for silent := 0; ; silent++ {
		rate := s.rate(s.second)
		end := float64(s.second + 1)
		if need := gap / rate; s.at+need < end { // +Inf at rate 0
			s.at += need
			break
		}
		gap -= (end - s.at) * rate
		s.second, s.at = s.second+1, end
		if silent > maxSilence {
			s.at = math.MaxInt64 / 1e9 / 2
			break
		}
	}
	a := Arrival{At: time.Duration(s.at * 1e9), Kind: s.pickKind()}
	switch a.Kind {
	case Search:
		a.Key = int(s.search.Uint64())
	case Pack:
		a.Key = int(s.pack.Uint64())
		if s.workload.freshOrders {
			a.Key = s.rng.IntN(1 << 40) // all but never twice
		}
	case Basket:
		a.Key = s.rng.IntN(baskets)
	default:
		a.Key = scatter(int(s.item.Uint64()), s.items)
	}
	return a
}

func (s *Schedule) pickKind() Kind {
	n := s.rng.IntN(1000)
	for _, m := range s.workload.shares() {
		if n -= m.of; n < 0 {
			return m.kind
		}
	}
	panic("demo: the mix does not add up to 1000")
}

// scatter maps the rank of an item's popularity to its place in the table, so
// that popular items are not neighbors. It is a permutation, because the step is
// a prime above any number of items.
func scatter(rank, items int) int {
	const step = 7_368_787
	return int(uint64(rank) * step % uint64(items))
}

// drift is a rate that wanders and bursts; see the top of the file.
type drift struct {
	mean                 float64
	slow, quick          float64 // periods, in seconds
	slowPhase, quickWave float64 // phases, in radians
	bursts               bursts
}

func newDrift(seed uint64, mean float64) *drift {
	rng := rand.New(rand.NewPCG(seed, 2))
	d := &drift{
		mean: mean,
		slow: 50 + 40*rng.Float64(), quick: 11 + 8*rng.Float64(),
		slowPhase: 2 * math.Pi * rng.Float64(), quickWave: 2 * math.Pi * rng.Float64(),
	}
	d.bursts = newBursts(rng)
	return d
}

// at returns the rate of a second. Seconds must be asked for in order.
func (d *drift) at(second int) float64 {
	t := float64(second)
	r := 0.96 * d.mean * (1 + 0.13*math.Sin(2*math.Pi*t/d.slow+d.slowPhase) + 0.07*math.Sin(2*math.Pi*t/d.quick+d.quickWave))
	if d.bursts.in(second) {
		r *= 1.25
	}
	return r
}
