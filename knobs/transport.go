package knobs

import (
	"net/http"
	"sync/atomic"
	"time"

	"autotune/controller"
)

// Transport is an http.RoundTripper whose numbers can be moved while requests are
// under way: an http.Transport must not be changed after its first use. Each
// setting is a fresh one, and the one before keeps what it has in flight and
// closes its idle connections. It is safe for concurrent use.
type Transport struct {
	now atomic.Pointer[http.Transport]
}

// NewTransport starts from a transport, which it copies; nil is
// http.DefaultTransport.
func NewTransport(base *http.Transport) *Transport {
	if base == nil {
		base, _ = http.DefaultTransport.(*http.Transport)
	}
	if base == nil { // somebody has replaced the default by something else
		base = &http.Transport{Proxy: http.ProxyFromEnvironment}
	}
	t := &Transport{}
	t.now.Store(base.Clone())
	return t
}

// RoundTrip sends a request by the transport in force.
func (t *Transport) RoundTrip(r *http.Request) (*http.Response, error) {
	return t.now.Load().RoundTrip(r)
}

// CloseIdleConnections closes those of the transport in force.
func (t *Transport) CloseIdleConnections() { t.now.Load().CloseIdleConnections() }

// IdlePerHost is how many connections to a host are kept open although nobody uses
// them, 1 to most. A transport's 0 stands for http.DefaultMaxIdleConnsPerHost, 2. More save
// handshakes, where as many requests are under way at once.
func (t *Transport) IdlePerHost(most int) Actuator {
	return Int("http_idle_per_host", "connections", 1, most,
		func() int {
			if n := t.now.Load().MaxIdleConnsPerHost; n > 0 {
				return n
			}
			return http.DefaultMaxIdleConnsPerHost
		},
		func(n int) {
			was := t.now.Load()
			next := was.Clone()
			next.MaxIdleConnsPerHost = n
			t.now.Store(next)
			was.CloseIdleConnections()
		},
	).Log(4).With(func(k *controller.Knob) { k.Settle = time.Second }).given(t != nil, "transport")
}
