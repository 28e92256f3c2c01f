package nethttp

import (
	"cmp"
	"maps"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"autotune/controller"
)

// Routes counts requests by route. There are never more than a fixed number of
// labels, whatever strangers ask for: the pattern that http.ServeMux matched is a
// label, not the path, and what is beyond the number is Other. It is safe for
// concurrent use.
type Routes struct {
	label func(*http.Request) string
	most  int

	of     atomic.Pointer[map[string]*route] // never changed: a new label makes a new map
	adding sync.Mutex                        // one at a time
}

// Other is the label of requests that matched no pattern, and of those of routes
// beyond the number that is kept.
const Other = "other"

// NewRoutes keeps apart as many routes as most says, Other not counted. Label
// names the route of a request that was served; nil: the pattern that
// http.ServeMux matched. An empty label is Other.
func NewRoutes(most int, label func(*http.Request) string) *Routes {
	if label == nil {
		label = func(r *http.Request) string { return r.Pattern }
	}
	s := &Routes{label: label, most: most}
	s.of.Store(&map[string]*route{Other: {}})
	return s
}

// ByRoute counts the requests that the middleware records by route, too. Their
// latency is what the recorder has: from the intended time, if there is one, and
// until a handler took the connection over.
func ByRoute(routes *Routes) Option {
	return func(m *middleware) { m.routes = routes }
}

type route struct {
	mu       sync.Mutex
	requests uint64
	failed   uint64
	latency  controller.Histogram
}

// Route is what was counted of one.
type Route struct {
	Label string
	// Requests that ended, Failed of them (5xx, or a panic).
	Requests, Failed uint64
	// Latency of all that ended, failed ones too.
	Latency controller.Histogram
}

// Snapshot is what was counted so far, by label: a copy.
func (s *Routes) Snapshot() []Route {
	of := *s.of.Load()
	out := make([]Route, 0, len(of))
	for label, r := range of {
		r.mu.Lock()
		one := Route{Label: label, Requests: r.requests, Failed: r.failed}
		one.Latency.Merge(&r.latency)
		r.mu.Unlock()
		if one.Requests > 0 {
			out = append(out, one)
		}
	}
	slices.SortFunc(out, func(a, b Route) int { return cmp.Compare(a.Label, b.Label) })
	return out
}

// count is called when a request has ended.
func (s *Routes) count(r *http.Request, took time.Duration, failed bool) {
	s.route(s.label(r)).count(took, failed)
}

func (r *route) count(took time.Duration, failed bool) {
	r.mu.Lock()
	r.requests++
	if failed {
		r.failed++
	}
	r.latency.Record(took)
	r.mu.Unlock()
}

func (s *Routes) route(label string) *route {
	if label == "" {
		label = Other
	}
	of := *s.of.Load()
	if one := of[label]; one != nil {
		return one
	}
	if len(of) > s.most {
		return of[Other]
	}
	return s.add(label)
}

// add returns the label's route, or Other's when others were faster and there is
// no room left.
func (s *Routes) add(label string) *route {
	s.adding.Lock()
	defer s.adding.Unlock()
	of := *s.of.Load()
	if one := of[label]; one != nil {
		return one
	}
	if len(of) > s.most {
		return of[Other]
	}
	more := maps.Clone(of)
	more[label] = &route{}
	s.of.Store(&more)
	return more[label]
}
