package overhead

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// The load comes from a process of its own, which is told what to do by lines of
// JSON on its standard input, and answers each with one.

// job is one part of a block.
type job struct {
	URL     string  `json:"url"`
	Seconds float64 `json:"seconds"`
	// Rate of requests a second in an open loop; 0: a closed loop.
	Rate float64 `json:"rate,omitempty"`
	Seed uint64  `json:"seed,omitempty"` // of the open loop's schedule
	// Stream is a URL whose events are read meanwhile.
	Stream string `json:"stream,omitempty"`
}

// sent is what came of a job. Latencies are in seconds, those of an open loop from
// when the request was due.
type sent struct {
	Completed int     `json:"completed"`
	Failed    int     `json:"failed"`
	Seconds   float64 `json:"seconds"`
	Mean      float64 `json:"mean_seconds"`
	P50       float64 `json:"p50_seconds"`
	P99       float64 `json:"p99_seconds"`
	Events    int     `json:"events"`
	Failure   string  `json:"failure,omitempty"`
}

const (
	// clients of the closed loop.
	clients = 8
	// mostWaiting requests of an open loop are under way; more means that the
	// service does not keep up, and is an error.
	mostWaiting = 4096
)

// ServeLoad does the jobs that it reads, one a line, until there are no more.
func ServeLoad(ctx context.Context, in io.Reader, out io.Writer) error {
	client := &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{
		MaxIdleConns: mostWaiting, MaxIdleConnsPerHost: mostWaiting, DisableCompression: true,
	}}
	defer client.CloseIdleConnections()
	lines := json.NewDecoder(in)
	answers := json.NewEncoder(out)
	for {
		var j job
		if err := lines.Decode(&j); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("load: a job: %w", err)
		}
		if !(j.Seconds > 0 && j.Seconds <= 3600) || !(j.Rate >= 0 && j.Rate <= 1e6) || !strings.HasPrefix(j.URL, "http://") {
			return fmt.Errorf("load: job %+v: must have a URL, seconds within 0..3600 and a rate within 0..1e6", j)
		}
		s, err := do(ctx, client, j)
		if err != nil {
			return err
		}
		if err := answers.Encode(s); err != nil {
			return err
		}
	}
}

func do(ctx context.Context, client *http.Client, j job) (sent, error) {
	l := &load{client: client, url: j.URL}
	stopStream, events := func() {}, new(atomic.Int64)
	if j.Stream != "" {
		stopStream = readEvents(ctx, j.Stream, events)
	}
	began := time.Now()
	var err error
	if j.Rate > 0 {
		err = l.open(ctx, began, j)
	} else {
		l.closed(ctx, began.Add(time.Duration(j.Seconds*float64(time.Second))))
	}
	s := l.result(time.Since(began))
	stopStream()
	s.Events = int(events.Load())
	return s, err
}

// load is a job under way.
type load struct {
	client *http.Client
	url    string

	mu      sync.Mutex
	took    []time.Duration
	failed  int
	failure string
}

// one request, that was due at a time.
func (l *load) one(ctx context.Context, due time.Time) {
	err := l.get(ctx)
	took := time.Since(due)
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil {
		l.failed++
		l.failure = err.Error()
		return
	}
	l.took = append(l.took, took)
}

func (l *load) get(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, l.url, http.NoBody)
	if err != nil {
		return err
	}
	resp, err := l.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return errors.New(resp.Status)
	}
	return nil
}

// closed asks again as soon as it is answered.
func (l *load) closed(ctx context.Context, until time.Time) {
	var all sync.WaitGroup
	for range clients {
		all.Go(func() {
			for now := time.Now(); now.Before(until) && ctx.Err() == nil; now = time.Now() {
				l.one(ctx, now)
			}
		})
	}
	all.Wait()
}

// open asks when a Poisson process says, whoever was answered.
func (l *load) open(ctx context.Context, began time.Time, j job) error {
	rng := rand.New(rand.NewPCG(j.Seed, 1))
	due := make(chan time.Time)
	var all sync.WaitGroup
	waiting := 0
	var err error
	for at := 0.0; err == nil && ctx.Err() == nil; {
		if at += rng.ExpFloat64() / j.Rate; at >= j.Seconds {
			break
		}
		t := began.Add(time.Duration(at * float64(time.Second)))
		time.Sleep(time.Until(t))
		select {
		case due <- t:
			continue
		default:
		}
		if waiting++; waiting > mostWaiting {
			err = fmt.Errorf("load: %d requests are under way at %.0f a second: the service does not keep up", mostWaiting, j.Rate)
		}
		all.Go(func() {
			for l.one(ctx, t); ; {
				t, more := <-due
				if !more {
					return
				}
				l.one(ctx, t)
			}
		})
	}
	close(due)
	all.Wait()
	return err
}

func (l *load) result(over time.Duration) sent {
	s := sent{Completed: len(l.took), Failed: l.failed, Failure: l.failure, Seconds: over.Seconds()}
	if len(l.took) == 0 {
		return s
	}
	slices.Sort(l.took)
	for _, d := range l.took {
		s.Mean += d.Seconds() / float64(len(l.took))
	}
	at := func(q float64) float64 { return l.took[int(q*float64(len(l.took)-1))].Seconds() }
	s.P50, s.P99 = at(0.5), at(0.99)
	return s
}

// readEvents reads a stream as the page does, and counts its events, until stopped.
func readEvents(ctx context.Context, url string, events *atomic.Int64) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
		if err != nil {
			return
		}
		t := &http.Transport{}
		defer t.CloseIdleConnections()
		resp, err := (&http.Client{Transport: t}).Do(req)
		if err != nil {
			return
		}
		defer resp.Body.Close()
		for in := bufio.NewReader(resp.Body); ; {
			text, err := in.ReadString('\n')
			if err != nil {
				return
			}
			if strings.HasPrefix(text, "data:") {
				events.Add(1)
			}
		}
	}()
	return func() {
		cancel()
		<-done
	}
}
