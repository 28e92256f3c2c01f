package nethttp

import (
	"net/http"
	"strconv"
	"time"

	"autotune/sensors"
)

// Option changes what Middleware does.
type Option func(*middleware)

// IntendedTimeHeader names a header with the time at which the sender meant to
// send the request, in nanoseconds of Unix time: under open-loop load the
// latency is from then on. The default is none. A value that is no number, or
// in the future, or more than an hour ago, is ignored, and the request starts
// when the handler is called. The two clocks must agree to within what matters,
// as they do on one machine; and whoever may set the header may claim any
// latency up to an hour, so a server open to strangers should not trust it.
func IntendedTimeHeader(name string) Option {
	return func(m *middleware) { m.intended = http.CanonicalHeaderKey(name) }
}

// Skip names requests that are not recorded: health checks, or streams that
// stay open by design and would look like a stall. The default is none.
func Skip(skip func(*http.Request) bool) Option {
	return func(m *middleware) { m.skip = skip }
}

// oldest is how far back an intended time is believed.
const oldest = time.Hour

type middleware struct {
	rec      *sensors.Recorder
	next     http.Handler
	intended string
	skip     func(*http.Request) bool
	routes   *Routes
}

// Middleware returns a handler that calls next and records each request. A
// panic of next goes on to the server after it has been counted. A connection
// that next takes over (Hijack) ends its request there, well. With a nil
// recorder it returns next itself.
func Middleware(rec *sensors.Recorder, next http.Handler, opts ...Option) http.Handler {
	if rec == nil {
		return next
	}
	m := &middleware{rec: rec, next: next}
	for _, o := range opts {
		o(m)
	}
	return m
}

// ServeHTTP is safe for concurrent use.
func (m *middleware) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if m.skip != nil && m.skip(r) {
		m.next.ServeHTTP(w, r)
		return
	}
	res := &response{ResponseWriter: w, request: m.start(r)}
	// No recover: a panic that is not caught keeps the stack of where it came from.
	returned := false
	defer func() {
		failed := !returned || res.status >= http.StatusInternalServerError
		res.end(failed)
		if m.routes != nil {
			m.routes.count(r, res.took, failed)
		}
	}()
	m.next.ServeHTTP(res.as(), r)
	returned = true
}

func (m *middleware) start(r *http.Request) sensors.Request {
	if m.intended != "" {
		if v := r.Header[m.intended]; len(v) > 0 {
			now := time.Now()
			if age, ok := parseIntended(v[0], now); ok {
				return m.rec.Start(now.Add(-age)) // on the monotonic clock, as now is
			}
		}
	}
	return m.rec.StartNow()
}

// parseIntended reads nanoseconds of Unix time and returns how long ago that
// was, and false for what is not to be believed.
func parseIntended(text string, now time.Time) (age time.Duration, ok bool) {
	ns, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0, false
	}
	age = now.Sub(time.Unix(0, ns)) // saturates
	return age, age >= 0 && age <= oldest
}
