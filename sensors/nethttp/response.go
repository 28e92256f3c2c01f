package nethttp

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"time"

	"autotune/sensors"
)

// A response writer has methods that are not in its interface, and handlers
// look for them: Flush to stream, ReadFrom to let the kernel copy a file, Hijack
// to take the connection over, Push. A wrapper that hides them breaks handlers,
// and one that has them all lies to them. So there is a wrapper for each of the
// sets that net/http's own writers have, and Unwrap for http.ResponseController.

// response notes the status, and how long the request took.
type response struct {
	http.ResponseWriter
	request sensors.Request
	status  int           // 0 until written; as the server has it, no status is 200
	took    time.Duration // 0 until ended
}

// WriteHeader notes the first final status. 1xx are only announcements, save
// for 101, after which no other comes.
func (r *response) WriteHeader(status int) {
	if r.status == 0 && (status >= 200 || status == http.StatusSwitchingProtocols) {
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

func (r *response) Write(p []byte) (int, error) {
	r.wrote()
	return r.ResponseWriter.Write(p)
}

// WriteString spares a copy where the writer below can take strings.
func (r *response) WriteString(s string) (int, error) {
	r.wrote()
	return io.WriteString(r.ResponseWriter, s)
}

// Unwrap lets http.ResponseController find the writer below.
func (r *response) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// wrote is called before a body: what has no status by then has 200.
func (r *response) wrote() {
	if r.status == 0 {
		r.status = http.StatusOK
	}
}

// end ends the request, unless it has ended.
func (r *response) end(failed bool) {
	if took, first := r.request.End(failed); first {
		r.took = took
	}
}

func (r *response) flush() {
	r.wrote()
	r.ResponseWriter.(http.Flusher).Flush()
}

// as returns the response with the methods of the writer below. One switch over
// types is one look into a cache; an assertion for each method would be four.
func (r *response) as() http.ResponseWriter {
	switch r.ResponseWriter.(type) {
	case interface {
		http.Flusher
		http.Hijacker
		io.ReaderFrom
	}:
		return http1{r}
	case interface {
		http.Flusher
		http.Pusher
	}:
		return http2{r}
	case http.Flusher:
		return flushing{r}
	default:
		return r
	}
}

// flushing is a response that can flush.
type flushing struct{ *response }

func (f flushing) Flush() { f.flush() }

// http2 is what the server has for a stream of HTTP/2.
type http2 struct{ *response }

func (h http2) Flush() { h.flush() }

func (h http2) Push(target string, opts *http.PushOptions) error {
	return h.ResponseWriter.(http.Pusher).Push(target, opts)
}

// http1 is what the server has for a connection of HTTP/1.
type http1 struct{ *response }

func (h http1) Flush() { h.flush() }

func (h http1) ReadFrom(src io.Reader) (int64, error) {
	h.wrote()
	return h.ResponseWriter.(io.ReaderFrom).ReadFrom(src)
}

// Hijack ends the request: what follows on the connection is no longer one, and
// would look like a stall.
func (h http1) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := h.ResponseWriter.(http.Hijacker).Hijack()
	if err == nil {
		h.end(false)
	}
	return conn, rw, err
}
