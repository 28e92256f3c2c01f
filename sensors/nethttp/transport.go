package nethttp

import (
	"io"
	"net/http"

	"autotune/sensors"
)

// Transport returns an http.RoundTripper that sends requests by next
// (http.DefaultTransport if nil) and records each, for a program whose requests
// are what it asks of others: a worker, a crawler, a gateway. A request lasts until
// its body was read to its end or closed. It fails when no answer came, when the
// answer is 5xx, or when the body breaks off. With a nil recorder it returns next
// itself. It is safe for concurrent use if next is.
func Transport(rec *sensors.Recorder, next http.RoundTripper) http.RoundTripper {
	if next == nil {
		next = http.DefaultTransport
	}
	if rec == nil {
		return next
	}
	return &transport{rec, next}
}

type transport struct {
	rec  *sensors.Recorder
	next http.RoundTripper
}

// RoundTrip sends the request.
func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	request := t.rec.StartNow()
	returned := false
	defer func() {
		if !returned { // it panicked
			request.End(true)
		}
	}()
	res, err := t.next.RoundTrip(r)
	returned = true
	if err != nil {
		request.End(true)
		return res, err
	}
	b := &body{ReadCloser: res.Body, request: request, failed: res.StatusCode >= http.StatusInternalServerError}
	if w, ok := res.Body.(io.Writer); ok { // 101: the connection is the caller's from here on
		request.End(false)
		res.Body = writable{b, w}
		return res, nil
	}
	res.Body = b
	return res, nil
}

// body ends the request with itself; only the first End counts.
type body struct {
	io.ReadCloser
	request sensors.Request
	failed  bool // by its status
}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	switch err {
	case nil:
	case io.EOF:
		b.request.End(b.failed)
	default:
		b.request.End(true)
	}
	return n, err
}

func (b *body) Close() error {
	b.request.End(b.failed)
	return b.ReadCloser.Close()
}

// writable is the body of a connection that changed its protocol.
type writable struct {
	*body
	io.Writer
}

// CloseIdleConnections lets http.Client.CloseIdleConnections through.
func (t *transport) CloseIdleConnections() {
	if c, ok := t.next.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}
