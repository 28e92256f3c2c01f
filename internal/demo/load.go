package demo

import (
	"context"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"autotune/controller"
)

// The load generator is open-loop: requests leave when the schedule says, not
// when earlier ones have been answered, and a latency is counted from the
// intended time. A generator that waits sends less while the service is slow,
// and so leaves out the very requests that would have shown it (coordinated
// omission). It belongs in a process of its own, so that its CPU time is not
// taken for the service's; with GOMAXPROCS=1 it costs a third less.
//
// One goroutine keeps time and hands each request to an idle worker; there are
// as many workers as requests were ever in flight at once. When there may be no
// more of them a request is dropped, counted, and reported: from then on the
// load is no longer what the schedule says.

// The limits of the load.
const (
	// MaxOutstanding is how many requests may be in flight.
	MaxOutstanding = 2000
	// drain is how long requests in flight may take to end after the load stops.
	drain = 200 * time.Millisecond
	// requestTimeout is when a request that is not answered counts as failed.
	requestTimeout = 30 * time.Second
)

// LoadConfig says what load to make.
type LoadConfig struct {
	// URL of the service, as Service.URL gives it.
	URL string
	// Rate is the mean, in requests per second; DefaultRate if 0. Unused with a Trace.
	Rate float64
	// Trace has the rate of each second, in requests per second; it starts over
	// when it ends. Without one the rate drifts and bursts around Rate.
	Trace []float64
	// Seed of the schedule.
	Seed uint64
	// Items of the service; DefaultItems if 0.
	Items int
	// Workload: what is asked for; the everyday one by default.
	Workload Workload
	// Header that carries the intended time of a request, in nanoseconds since
	// 1970; IntendedTimeHeader if empty.
	Header string
	// Parent, if set, is read until it ends, and the load stops then: a process
	// that reads its standard input here stops when whoever started it is gone.
	// A read that is blocked when ctx ends stays blocked.
	Parent io.Reader
}

// LoadReport is what came of a load. Latencies are in seconds, from the
// intended time to the last byte of the answer. Sent is the sum of Completed,
// Failed and Unfinished.
type LoadReport struct {
	Seconds    float64 `json:"seconds"`
	Sent       uint64  `json:"sent"`
	Completed  uint64  `json:"completed"`
	Failed     uint64  `json:"failed"`     // no answer, or one that is not 2xx
	Unfinished uint64  `json:"unfinished"` // in flight when the load stopped
	Dropped    uint64  `json:"dropped"`    // not sent: MaxOutstanding in flight
	P50        float64 `json:"latency_p50_seconds"`
	P95        float64 `json:"latency_p95_seconds"`
	P99        float64 `json:"latency_p99_seconds"`
	// LateP99 is how long after the intended time requests were handed over: what
	// the generator itself adds to latencies.
	LateP99    float64 `json:"late_p99_seconds"`
	CPUSeconds float64 `json:"cpu_seconds"` // of this process, while the load ran
	// Kinds has the p50 and p95 of each kind of request.
	Kinds map[string]KindReport `json:"kinds,omitempty"`
	// FirstFailure is the first failed request's error, for people.
	FirstFailure string `json:"first_failure,omitempty"`
}

// KindReport is the part of a LoadReport about one kind of request.
type KindReport struct {
	Completed uint64  `json:"completed"`
	P50       float64 `json:"latency_p50_seconds"`
	P95       float64 `json:"latency_p95_seconds"`
}

// Note returns what a reader of the report must know, or "": that requests were
// dropped, so that the load was not what the schedule said.
func (r LoadReport) Note() string {
	if r.Dropped == 0 {
		return ""
	}
	return fmt.Sprintf("load generator dropped %d requests: %d were in flight", r.Dropped, MaxOutstanding)
}

// normal returns the configuration with its defaults filled in, or the first fault.
func (c LoadConfig) normal() (LoadConfig, error) {
	if c.Rate == 0 {
		c.Rate = DefaultRate
	}
	if c.Items == 0 {
		c.Items = DefaultItems
	}
	if c.Header == "" {
		c.Header = IntendedTimeHeader
	}
	c.Header = http.CanonicalHeaderKey(c.Header)
	if u, err := url.Parse(c.URL); err != nil || c.URL != "http://"+u.Host || u.Port() == "" {
		return c, fmt.Errorf("load: url %q: must be http://host:port", c.URL)
	}
	if !(c.Rate > 0 && c.Rate <= MaxRate) {
		return c, fmt.Errorf("load: rate %v: must be above 0 and at most %v requests/s", c.Rate, float64(MaxRate))
	}
	if err := checkItems(c.Items); err != nil {
		return c, fmt.Errorf("load: %w", err)
	}
	total := 0.0
	for second, rate := range c.Trace {
		if !(rate >= 0) || math.IsInf(rate, 0) {
			return c, fmt.Errorf("load: trace: second %d: rate %v: must be 0 or more requests/s", second, rate)
		}
		total += rate
	}
	if len(c.Trace) > 0 && total == 0 {
		return c, fmt.Errorf("load: trace: must have requests; every second is 0")
	}
	return c, nil
}

// RunLoad sends requests by the schedule until ctx ends or Parent does, then
// gives those in flight a moment, and returns what came of them. That the
// service fails is not an error here; it is in the report.
func RunLoad(ctx context.Context, config LoadConfig) (LoadReport, error) {
	config, err := config.normal()
	if err != nil {
		return LoadReport{}, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if config.Parent != nil {
		go func() {
			_, _ = io.Copy(io.Discard, config.Parent)
			cancel()
		}()
	}
	l := newLoad(ctx, config)
	cpu := processCPU()
	start := time.Now()
	l.send(ctx, start, config.Workload.schedule(config.Seed, config.Rate, config.Trace, config.Items))
	elapsed := time.Since(start)
	l.stop()
	return l.report(elapsed, processCPU()-cpu), nil
}

type job struct {
	intended time.Time
	kind     Kind
	key      int
}

// load is a running generator.
type load struct {
	config  LoadConfig
	client  *http.Client
	jobs    chan job // unbuffered: a send succeeds if a worker is idle
	workers sync.WaitGroup
	cut     context.Context // ends when requests in flight are given up
	giveUp  context.CancelFunc

	// Written by the one goroutine that runs send.
	sent, dropped uint64
	running       int
	late          controller.Histogram

	mu         sync.Mutex
	all        controller.Histogram
	kinds      [len(kindNames)]controller.Histogram
	failed     uint64
	failure    string
	unfinished atomic.Uint64
}

func newLoad(ctx context.Context, config LoadConfig) *load {
	l := &load{config: config, jobs: make(chan job)}
	l.cut, l.giveUp = context.WithCancel(context.WithoutCancel(ctx))
	l.client = &http.Client{Transport: &http.Transport{
		DialContext:           (&net.Dialer{Timeout: 5 * time.Second}).DialContext,
		ResponseHeaderTimeout: requestTimeout,
		MaxIdleConns:          MaxOutstanding,
		MaxIdleConnsPerHost:   MaxOutstanding,
		DisableCompression:    true,
	}}
	return l
}

// send keeps time: it returns when ctx ends.
func (l *load) send(ctx context.Context, start time.Time, schedule *Schedule) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	<-timer.C
	for {
		a := schedule.Next()
		intended := start.Add(a.At)
		if wait := time.Until(intended); wait > 0 {
			timer.Reset(wait)
			select {
			case <-timer.C:
			case <-ctx.Done():
				return
			}
		} else if ctx.Err() != nil {
			return
		}
		l.late.Record(time.Since(intended))
		l.hand(job{intended, a.Kind, a.Key})
	}
}

// hand gives a request to an idle worker or to a new one.
func (l *load) hand(j job) {
	select {
	case l.jobs <- j:
	default:
		if l.running == MaxOutstanding {
			l.dropped++
			return
		}
		l.running++
		l.workers.Go(func() {
			l.do(j)
			for j := range l.jobs {
				l.do(j)
			}
		})
	}
	l.sent++
}

// stop waits for what is in flight, for a moment, and then for the workers.
func (l *load) stop() {
	close(l.jobs)
	timer := time.AfterFunc(drain, l.giveUp)
	l.workers.Wait()
	timer.Stop()
	l.giveUp()
	l.client.CloseIdleConnections()
}

// do sends one request and records what came of it.
func (l *load) do(j job) {
	err := l.request(j)
	latency := time.Since(j.intended)
	if err != nil && l.cut.Err() != nil {
		l.unfinished.Add(1)
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil {
		if l.failed == 0 {
			l.failure = err.Error()
		}
		l.failed++
		return
	}
	l.all.Record(latency)
	l.kinds[j.kind].Record(latency)
}

func (l *load) request(j job) error {
	method, path := requestOf(j.kind, j.key)
	req, err := http.NewRequestWithContext(l.cut, method, l.config.URL+path, http.NoBody)
	if err != nil {
		return err
	}
	req.Header[l.config.Header] = []string{strconv.FormatInt(j.intended.UnixNano(), 10)}
	resp, err := l.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return err
	}
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("%s %s: %s", method, path, resp.Status)
	}
	return nil
}

func (l *load) report(elapsed time.Duration, cpu float64) LoadReport {
	r := LoadReport{
		Seconds: elapsed.Seconds(), Sent: l.sent, Completed: l.all.Count(), Failed: l.failed,
		Unfinished: l.unfinished.Load(), Dropped: l.dropped, CPUSeconds: cpu, FirstFailure: l.failure,
	}
	r.P50, _ = l.all.Quantile(0.50)
	r.P95, _ = l.all.Quantile(0.95)
	r.P99, _ = l.all.Quantile(0.99)
	r.LateP99, _ = l.late.Quantile(0.99)
	for kind := ReadItem; kind <= Offer; kind++ {
		h := &l.kinds[kind]
		if h.Count() == 0 {
			continue
		}
		k := KindReport{Completed: h.Count()}
		k.P50, _ = h.Quantile(0.50)
		k.P95, _ = h.Quantile(0.95)
		if r.Kinds == nil {
			r.Kinds = map[string]KindReport{}
		}
		r.Kinds[kind.String()] = k
	}
	return r
}
