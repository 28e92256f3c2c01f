package overhead

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

// service is what is measured: an HTTP server whose handler is exchanged between
// blocks, so that all arms share its connections, its code and its heap.
type service struct {
	server  *http.Server
	url     string
	handler atomic.Pointer[http.Handler]
	ended   chan error
}

func startService() (*service, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &service{url: "http://" + l.Addr().String(), ended: make(chan error, 1)}
	s.serve(routes())
	s.server = &http.Server{
		Handler:           http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { (*s.handler.Load()).ServeHTTP(w, r) }),
		ReadHeaderTimeout: 10 * time.Second,
	}
	go func() { s.ended <- s.server.Serve(l) }()
	return s, nil
}

func (s *service) serve(h http.Handler) { s.handler.Store(&h) }

func (s *service) close() error {
	err := s.server.Close()
	if ended := <-s.ended; !errors.Is(ended, http.ErrServerClosed) {
		err = errors.Join(err, ended)
	}
	return err
}

// workPath is the only page of the service.
const workPath = "/work"

// line of an order: enough of them to be encoded make a request cost what a small
// one of a real service does.
type line struct {
	Item   string   `json:"item"`
	Amount int      `json:"amount"`
	Price  float64  `json:"price"`
	Tags   []string `json:"tags"`
}

// routes of the service by itself: an answer of some kilobytes, encoded and signed
// for each request, which allocates and takes some 100 µs.
func routes() http.Handler {
	lines := make([]line, 60)
	for i := range lines {
		lines[i] = line{Item: "article of some length", Amount: i, Price: float64(i) * 1.25, Tags: []string{"in stock", "fragile"}}
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+workPath, func(w http.ResponseWriter, _ *http.Request) {
		body, err := json.Marshal(lines)
		if err != nil {
			http.Error(w, "internal error", http.StatusInternalServerError)
			return
		}
		sum := sha256.Sum256(body)
		for range 3 {
			for i := 0; i < len(body); i += 1024 {
				sum = sha256.Sum256(append(sum[:], body[i:min(i+1024, len(body))]...))
			}
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header()["X-Sum"] = []string{string("0123456789abcdef"[sum[0]>>4])}
		_, _ = w.Write(body) // the client has gone
	})
	return mux
}
