package plant

import "time"

// action is what an event does.
type action uint8

const (
	burstEnds   action = iota + 1 // a core is done with a stretch of work
	wakes                         // a request has slept
	permitsTire                   // who waits first for a permit may have waited too long
	memoryLook                    // memory optimization looks
	poolLook                      // the pool's cleanup looks
	flushSpans                    // spans that wait for their batch to fill are exported
)

// event is something that will happen.
type event struct {
	at    time.Duration
	order uint32 // of two at once, the one that was planned first
	who   int32
	what  action
}

func (e *event) before(o *event) bool {
	return e.at < o.at || e.at == o.at && int32(e.order-o.order) < 0
}

// agenda has the events to come: a binary heap. It is small: arrivals are not in
// it, and of a queue only its head.
type agenda struct {
	events []event
	order  uint32
}

func (a *agenda) plan(at time.Duration, what action, who int32) {
	a.order++
	a.events = append(a.events, event{at, a.order, who, what})
	h, i := a.events, len(a.events)-1
	for e := h[i]; i > 0; {
		up := (i - 1) / 2
		if h[up].before(&e) {
			break
		}
		h[i], h[up] = h[up], e
		i = up
	}
}

// next returns when something happens next, and whether anything does.
func (a *agenda) next() (time.Duration, bool) {
	if len(a.events) == 0 {
		return 0, false
	}
	return a.events[0].at, true
}

func (a *agenda) pop() event {
	h := a.events
	first, n := h[0], len(h)-1
	e := h[n]
	a.events = h[:n]
	h = h[:n]
	if n == 0 {
		return first
	}
	i := 0
	for {
		down := 2*i + 1
		if down >= n {
			break
		}
		if r := down + 1; r < n && h[r].before(&h[down]) {
			down = r
		}
		if e.before(&h[down]) {
			break
		}
		h[i] = h[down]
		i = down
	}
	h[i] = e
	return first
}

// line is a first-in, first-out queue of requests: a ring that grows.
type line struct {
	ring []int32 // its length is a power of two
	head int
	n    int
}

func (l *line) push(who int32) {
	l.grow()
	l.ring[(l.head+l.n)&(len(l.ring)-1)] = who
	l.n++
}

// jump goes to the front.
func (l *line) jump(who int32) {
	l.grow()
	l.head = (l.head - 1) & (len(l.ring) - 1)
	l.ring[l.head] = who
	l.n++
}

func (l *line) first() int32 { return l.ring[l.head] }

func (l *line) pop() int32 {
	who := l.ring[l.head]
	l.head = (l.head + 1) & (len(l.ring) - 1)
	l.n--
	return who
}

func (l *line) grow() {
	if l.n < len(l.ring) {
		return
	}
	bigger := make([]int32, max(16, 2*len(l.ring)))
	for i := range l.n {
		bigger[i] = l.ring[(l.head+i)&(len(l.ring)-1)]
	}
	l.ring, l.head = bigger, 0
}
