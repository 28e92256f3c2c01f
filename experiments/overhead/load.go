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
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// The load comes from a process of its own, whose every line is a job.

// job is one part of a block, or an event stream to be read from now on.
type job struct {
	URL     string  `json:"url"`
	Seconds float64 `json:"seconds,omitempty"`
	// Rate of requests a second in an open loop; 0: a closed loop.
	Rate float64 `json:"rate,omitempty"`
	Seed uint64  `json:"seed,omitempty"` // of the open loop's schedule
	// Stream says that the URL is one of events, to be read until the load ends.
	Stream bool `json:"stream,omitempty"`
}

// sent is what came of a job.
type sent struct {
	// Took is the latency of each request that was answered, in seconds, in an open
	// loop from when it was due. Of a closed loop only the number is told.
	Took      []float64 `json:"took,omitempty"`
	Completed int       `json:"completed"`
	Failed    int       `json:"failed,omitempty"`
	Failure   string    `json:"failure,omitempty"`
	Seconds   float64   `json:"seconds"`
	Events    int64     `json:"events,omitempty"` // of all streams so far
}

const (
	// clients of the closed loop.
	clients = 8
	// mostWaiting requests of an open loop are under way; more means that the
	// service does not keep up, and is an error.
	mostWaiting = 4096
)

func serveLoad(ctx context.Context, lines *json.Decoder, answers *json.Encoder) error {
	client := &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{
		MaxIdleConns: mostWaiting, MaxIdleConnsPerHost: mostWaiting, DisableCompression: true,
	}}
	defer client.CloseIdleConnections()
	ctx, cancel := context.WithCancel(ctx)
	var events atomic.Int64
	var streams sync.WaitGroup
	defer streams.Wait()
	defer cancel()
	for {
		var j job
		if err := lines.Decode(&j); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("load: a job: %w", err)
		}
		if !(j.Seconds >= 0 && j.Seconds <= 3600) || !(j.Rate >= 0 && j.Rate <= 1e6) || !strings.HasPrefix(j.URL, "http://") {
			return fmt.Errorf("load: job %+v: must have a URL, seconds within 0..3600 and a rate within 0..1e6", j)
		}
		var s sent
		var err error
		if j.Stream {
			streams.Go(func() { readEvents(ctx, j.URL, &events) })
		} else if s, err = do(ctx, client, j); err != nil {
			return err
		}
		s.Events = events.Load()
		if err := answers.Encode(s); err != nil {
			return err
		}
	}
}

func do(ctx context.Context, client *http.Client, j job) (sent, error) {
	l := &load{client: client, url: j.URL}
	began := time.Now()
	if j.Rate > 0 {
		err := l.open(ctx, began, j)
		s := l.result(time.Since(began))
		s.Took = l.took
		return s, err
	}
	l.closed(ctx, began.Add(time.Duration(j.Seconds*float64(time.Second))))
	return l.result(time.Since(began)), nil
}

// load is a job under way.
type load struct {
	client *http.Client
	url    string

	mu      sync.Mutex
	took    []float64
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
	l.took = append(l.took, took.Seconds())
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
	return sent{Completed: len(l.took), Failed: l.failed, Failure: l.failure, Seconds: over.Seconds()}
}

// readEvents reads a stream as the page does, and counts its events, until it ends.
func readEvents(ctx context.Context, url string, events *atomic.Int64) {
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
}
