package executor

import (
	"slices"
	"sync"
	"time"
)

// Identical executions that are in flight at once run once: the first one is
// the leader, runs in its own goroutine under its own context, and hands its
// result to the others.
//
// golang.org/x/sync/singleflight shares whatever the leader returns. Here a
// leader that was canceled, or whose goroutine ended, hands over nothing: those
// who wait go on, and one of them leads. Who has met that several times runs
// alone, so that a row of short-lived leaders cannot hold it up.
type flights[Out any] struct {
	mu sync.Mutex
	m  map[identity]*flight[Out]
}

// flight is one execution and those who wait for it.
type flight[Out any] struct {
	node flightNode
	born int64 // by the executor's clock

	waiters int           // guarded by flights.mu
	done    chan struct{} // made by the first waiter, under flights.mu; closed after the rest is written
	outcome outcome[Out]  // nobody changes what it points to
	void    bool          // the leader ended without a result that others may have
}

type outcome[Out any] struct {
	out Out
	err error
}

// join returns the flight of an identity, and whether the caller leads it. With
// a limit above 0 a flight that began longer than that ago is left to those
// who are in it, and the caller leads a new one.
func (fs *flights[Out]) join(id identity, now int64, limit time.Duration) (f *flight[Out], leads bool) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	if f := fs.m[id]; f != nil && (limit <= 0 || now-f.born < int64(limit)) {
		if f.waiters++; f.done == nil {
			f.done = make(chan struct{})
		}
		return f, false
	}
	if fs.m == nil {
		fs.m = map[identity]*flight[Out]{}
	}
	f = &flight[Out]{born: now}
	fs.m[id] = f
	return f, true
}

// land ends joining, and reports whether anybody waits.
func (fs *flights[Out]) land(id identity, f *flight[Out]) (awaited bool) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	if fs.m[id] == f {
		delete(fs.m, id)
	}
	return f.waiters > 0
}

// forget lets nobody join the flight that an identity has now.
func (fs *flights[Out]) forget(id identity) {
	fs.mu.Lock()
	delete(fs.m, id)
	fs.mu.Unlock()
}

// flightNode is a flight in the graph of who waits for whom.
type flightNode struct {
	waitsFor []*flightNode // guarded by waitGraph.mu
}

// waitGraph keeps flights from waiting for each other in a circle. That needs
// nested steps whose results change with time: flight A runs a step that joins
// flight B, which runs a step that would join A. Without sharing both would end;
// so the one who would close the circle does not join.
type waitGraph struct{ mu sync.Mutex }

// enter notes that the flights led by a goroutine's ancestors wait for f, or
// returns false if f waits for one of them already.
func (g *waitGraph) enter(ancestors []*flightNode, f *flightNode) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, a := range ancestors {
		if f.reaches(a) {
			return false
		}
	}
	for _, a := range ancestors {
		a.waitsFor = append(a.waitsFor, f)
	}
	return true
}

// leave takes back what enter noted.
func (g *waitGraph) leave(ancestors []*flightNode, f *flightNode) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, a := range ancestors {
		if i := slices.Index(a.waitsFor, f); i >= 0 {
			a.waitsFor = slices.Delete(a.waitsFor, i, i+1)
		}
	}
}

// reaches follows the graph, which has no circles and few edges.
func (n *flightNode) reaches(to *flightNode) bool {
	if n == to {
		return true
	}
	for _, next := range n.waitsFor {
		if next.reaches(to) {
			return true
		}
	}
	return false
}
