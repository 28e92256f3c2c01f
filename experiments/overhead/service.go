package overhead

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"runtime"
	"sync/atomic"
	"time"
)

// spec is the first line that a process of ours reads.
type spec struct {
	Arm        Arm           `json:"arm,omitempty"` // 0: it is the load
	TrialBlock time.Duration `json:"trial_block,omitempty"`
	Journal    string        `json:"journal,omitempty"` // a folder
}

// place is what a service answers to its spec.
type place struct {
	URL    string `json:"url"`              // of the work
	Stream string `json:"stream,omitempty"` // of the page's events
}

// state is what it answers to each line after that.
type state struct {
	Objects uint64 `json:"objects"` // allocated so far
	InTrial bool   `json:"in_trial,omitempty"`
	Why     string `json:"why,omitempty"` // it is or is not
}

// Serve is one of the processes that Run starts, the load or a service: it does
// what lines of JSON say until there are no more.
func Serve(ctx context.Context, in io.Reader, out io.Writer) error {
	lines, answers := json.NewDecoder(in), json.NewEncoder(out)
	var s spec
	if err := lines.Decode(&s); err != nil {
		return err
	}
	if s.Arm == 0 {
		return serveLoad(ctx, lines, answers)
	}
	return serveArm(ctx, s, lines, answers)
}

func serveArm(ctx context.Context, s spec, lines *json.Decoder, answers *json.Encoder) (err error) {
	r, err := begin(ctx, s.Arm, s.TrialBlock, s.Journal)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.end()) }()
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{Handler: r.handler, ReadHeaderTimeout: 10 * time.Second}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(l) }()
	defer func() {
		err = errors.Join(err, server.Close())
		if e := <-ended; !errors.Is(e, http.ErrServerClosed) {
			err = errors.Join(err, e)
		}
	}()
	p := place{URL: "http://" + l.Addr().String() + workPath}
	if r.stream != "" {
		p.Stream = "http://" + l.Addr().String() + r.stream
	}
	for err = answers.Encode(p); err == nil; {
		if err = lines.Decode(&struct{}{}); errors.Is(err, io.EOF) {
			return nil
		}
		now := r.state()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		now.Objects = m.Mallocs
		err = errors.Join(err, answers.Encode(now))
	}
	return err
}

// workPath is the only page of the service.
const workPath = "/work"

// keeps is what the service has in memory besides, in bytes, as any real one: in a
// heap of nearly nothing, what an autopilot keeps would make garbage collections
// rarer, and seem to pay.
const keeps = 32 << 20

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
	kept := make([]byte, keeps)
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
		w.Header()["X-Sum"] = []string{string("0123456789abcdef"[(sum[0]^kept[0])>>4])}
		_, _ = w.Write(body) // the client has gone
	})
	return mux
}

// twice has a handler do the work of every n-th request twice, once for nobody.
func twice(h http.Handler, n uint64) http.Handler {
	var seen atomic.Uint64
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if seen.Add(1)%n == 0 {
			h.ServeHTTP(&discard{header: http.Header{}}, r)
		}
		h.ServeHTTP(w, r)
	})
}
