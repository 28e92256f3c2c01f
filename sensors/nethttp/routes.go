package nethttp

import (
	"cmp"
	"net/http"
	"slices"
	"sync"
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

	mu sync.RWMutex
	of map[string]*route
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
	return &Routes{label: label, most: most, of: map[string]*route{Other: {}}}
}

// ByRoute counts the requests that the middleware records by route, too.
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
	s.mu.RLock()
	defer s.mu.RUnlock()
	out := make([]Route, 0, len(s.of))
	for label, r := range s.of {
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
	one := s.route(s.label(r))
	one.mu.Lock()
	defer one.mu.Unlock()
	one.requests++
	if failed {
		one.failed++
	}
	one.latency.Record(took)
}

func (s *Routes) route(label string) *route {
	if label == "" {
		label = Other
	}
	s.mu.RLock()
	one := s.of[label]
	full := len(s.of) > s.most
	s.mu.RUnlock()
	if one != nil {
		return one
	}
	if full {
		label = Other
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.of[label] == nil {
		if len(s.of) > s.most {
			return s.of[Other]
		}
		s.of[label] = &route{}
	}
	return s.of[label]
}
