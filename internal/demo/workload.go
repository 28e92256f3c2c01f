package demo

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// Workload is what is asked of the service: the guide's five, and the everyday
// one that has a little of most. Each of the five is what the guide says it is,
// so that the optimizations it recommends have something to do there:
//
//	high-allocation  two in five requests make a report: 200 KB of scratch objects each
//	large-context    two in five price a basket of 200 lines, which five steps pass along
//	cpu-intensive    a quarter pack an order that nobody has asked for before
//	high-frequency   nearly all read, and most of them the same few items
//	low-latency      cheap reads, and an upstream that goes down for some seconds at a time
//
// The zero value is the everyday one.
type Workload struct {
	mix                 []share
	itemSkew, heavySkew float64 // 0: the everyday one's
	// freshOrders: no order is packed twice.
	freshOrders bool
	// outages: the upstream is down for some seconds at a time.
	outages bool
}

// share is how many of 1000 requests are of a kind.
type share struct {
	kind Kind
	of   int
}

// The everyday mix. Search and packing are the expensive fifth that p95 lies in;
// see the package's arithmetic.
var everyday = []share{{ReadItem, 760}, {Search, 90}, {Pack, 90}, {WriteStock, 50}, {Offer, 10}}

var workloads = []struct {
	name string
	Workload
}{
	{"high-allocation", Workload{mix: []share{{ReadItem, 500}, {Report, 400}, {Search, 40}, {WriteStock, 50}, {Offer, 10}}}},
	{"large-context", Workload{mix: []share{{ReadItem, 500}, {Basket, 400}, {Search, 40}, {WriteStock, 50}, {Offer, 10}}}},
	{"cpu-intensive", Workload{mix: []share{{ReadItem, 690}, {Pack, 250}, {WriteStock, 50}, {Offer, 10}}, freshOrders: true}},
	{"high-frequency", Workload{mix: []share{{ReadItem, 850}, {Search, 70}, {Pack, 60}, {WriteStock, 10}, {Offer, 10}}, itemSkew: 2.5, heavySkew: 2.5}},
	{"low-latency", Workload{mix: []share{{ReadItem, 850}, {WriteStock, 50}, {Offer, 100}}, outages: true}},
}

// WorkloadNamed returns one of the guide's workloads, or for "" the everyday
// one. Another name is an error that lists them.
func WorkloadNamed(name string) (Workload, error) {
	if name == "" {
		return Workload{}, nil
	}
	names := make([]string, len(workloads))
	for i, w := range workloads {
		if w.name == name {
			return w.Workload, nil
		}
		names[i] = w.name
	}
	return Workload{}, fmt.Errorf("workload %q: must be one of %s, or empty", name, strings.Join(names, ", "))
}

func (w Workload) shares() []share {
	if w.mix == nil {
		return everyday
	}
	return w.mix
}

// skews of the keys of items, and of searches and orders.
func (w Workload) skews() (item, heavy float64) {
	item, heavy = itemSkew, heavySkew
	if w.itemSkew > 0 {
		item = w.itemSkew
	}
	if w.heavySkew > 0 {
		heavy = w.heavySkew
	}
	return item, heavy
}

// bursts are stretches of 2 to 4 s, one in 18 s or so.
type bursts struct {
	rng         *rand.Rand
	from, until int // the current or next one, in seconds
}

func newBursts(rng *rand.Rand) bursts {
	b := bursts{rng: rng}
	b.next(0)
	return b
}

func (b *bursts) next(after int) {
	b.from = after + 5 + int(10*b.rng.ExpFloat64())
	b.until = b.from + 2 + b.rng.IntN(3)
}

// in reports whether a second is in one. Seconds must be asked for in order.
func (b *bursts) in(second int) bool {
	for second >= b.until {
		b.next(b.until)
	}
	return second >= b.from
}
