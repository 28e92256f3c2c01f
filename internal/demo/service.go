package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"time"

	"autotune/executor"
	"autotune/sensors"
	"autotune/sensors/nethttp"
)

// The defaults of the service.
const (
	// DefaultItems is how many items the catalog has, 1000 to 1,000,000.
	DefaultItems = 20_000
	// DefaultAddr is a free port of loopback.
	DefaultAddr = "127.0.0.1:0"
	// IntendedTimeHeader carries the time at which a request should have been
	// sent, in nanoseconds since 1970. Latency is counted from it.
	IntendedTimeHeader = "X-Intended-Unix-Nano"

	minItems, maxItems = 1000, 1_000_000
	// closeGrace is how long Close waits for requests before it cancels them.
	closeGrace = time.Second
)

// Config says what service to start. The zero value is a service that runs on
// a free port, in a temporary folder, with a baseline executor, unmeasured.
type Config struct {
	// Addr to listen on, host:port on loopback; DefaultAddr if empty.
	Addr string
	// Dir is the folder of the database, which must exist, for one service at a
	// time. If empty, a temporary one is made, and removed by Close.
	Dir string
	// Executor runs the steps of every route; a baseline one if nil. Its owner
	// closes it, after the service.
	Executor *executor.Executor
	// Recorder is told of each request; nothing is if nil.
	Recorder *sensors.Recorder
	// Seed of the rows and of the upstream's moods.
	Seed uint64
	// Controls of the service; new ones, off, if nil.
	Controls *Controls
	// Items in the catalog; DefaultItems if 0.
	Items int
	// Workload that it will get: whether the upstream has outages.
	Workload Workload
}

// Service is a running service. It is safe for concurrent use.
type Service struct {
	url      string
	store    *store
	upstream *upstream
	steps    steps
	controls *Controls

	server  *http.Server
	gate    sync.RWMutex // held to read by each handler that runs
	shut    bool         // under gate: no handler may start
	cancel  context.CancelFunc
	served  chan error // what Serve returned
	tempDir string     // to remove; empty if the folder is the caller's

	closing sync.Once
	closed  error
}

func checkItems(items int) error {
	if items < minItems || items > maxItems {
		return fmt.Errorf("items %d: must be within %d..%d", items, minItems, maxItems)
	}
	return nil
}

// Start makes the database and serves it. ctx bounds the start only: the
// service runs until Close, which every successful Start needs.
func Start(ctx context.Context, config Config) (_ *Service, err error) {
	if config.Addr == "" {
		config.Addr = DefaultAddr
	}
	if config.Items == 0 {
		config.Items = DefaultItems
	}
	if err := checkItems(config.Items); err != nil {
		return nil, fmt.Errorf("demo: %w", err)
	}
	if config.Executor == nil {
		if config.Executor, err = executor.New(executor.Config{}); err != nil {
			return nil, fmt.Errorf("demo: %w", err)
		}
	}
	if config.Controls == nil {
		config.Controls = NewControls()
	}
	listener, err := listen(ctx, config.Addr)
	if err != nil {
		return nil, fmt.Errorf("demo: %w", err)
	}
	s := &Service{url: "http://" + listener.Addr().String(), upstream: newUpstream(config.Seed, config.Workload.outages), controls: config.Controls, served: make(chan error, 1)}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("demo: %w", err), listener.Close(), s.removeData())
		}
	}()
	if config.Dir == "" {
		if s.tempDir, err = os.MkdirTemp("", "autotune-demo-"); err != nil {
			return nil, err
		}
		config.Dir = s.tempDir
	}
	if s.store, err = openStore(ctx, config.Dir, config.Seed, config.Items); err != nil {
		return nil, err
	}
	if s.steps, err = newSteps(config.Executor, s.store, s.upstream); err != nil {
		return nil, err
	}
	s.serve(ctx, listener, config.Recorder)
	return s, nil
}

// listen refuses any address that another machine could reach.
func listen(ctx context.Context, addr string) (net.Listener, error) {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, fmt.Errorf("addr %q: must be host:port", addr)
	}
	if ip, err := netip.ParseAddr(host); host != "localhost" && (err != nil || !ip.IsLoopback()) {
		return nil, fmt.Errorf("addr %q: host must be loopback: 127.0.0.1, ::1 or localhost", addr)
	}
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("addr %q: port in use: must be free, or 0 for any that is", addr)
	}
	if err != nil {
		return nil, fmt.Errorf("addr %q: must be an address to listen on: %w", addr, err)
	}
	return l, nil
}

func (s *Service) serve(ctx context.Context, listener net.Listener, rec *sensors.Recorder) {
	handler := s.routes()
	if rec != nil {
		handler = nethttp.Middleware(rec, handler, nethttp.IntendedTimeHeader(IntendedTimeHeader))
	}
	base, cancel := context.WithCancel(context.WithoutCancel(ctx))
	s.cancel = cancel
	s.server = &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			s.gate.RLock()
			defer s.gate.RUnlock()
			if s.shut {
				http.Error(w, "closed", http.StatusServiceUnavailable)
				return
			}
			handler.ServeHTTP(w, r)
		}),
		BaseContext:       func(net.Listener) context.Context { return base },
		ReadHeaderTimeout: 10 * time.Second,
		ErrorLog:          log.New(io.Discard, "", 0),
	}
	go func() { s.served <- s.server.Serve(listener) }()
}

// URL returns where the service is, as http://host:port.
func (s *Service) URL() string { return s.url }

// Close stops the service and waits: requests in flight have a second to end
// and are then canceled, the database is closed, its files are removed. Calling
// it again returns the same.
func (s *Service) Close() error {
	s.closing.Do(func() { s.closed = s.close() })
	return s.closed
}

func (s *Service) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), closeGrace)
	defer cancel()
	var errs []error
	if err := s.server.Shutdown(ctx); err != nil {
		s.cancel()
		errs = append(errs, s.server.Close())
	}
	s.gate.Lock()
	s.shut = true
	s.gate.Unlock()
	s.cancel()
	if err := <-s.served; !errors.Is(err, http.ErrServerClosed) {
		errs = append(errs, err)
	}
	return errors.Join(append(errs, s.removeData())...)
}

// removeData closes the database, if there is one, and removes what was made on disk.
func (s *Service) removeData() error {
	var errs []error
	if s.store != nil {
		errs = append(errs, s.store.close())
	}
	if s.tempDir != "" {
		errs = append(errs, os.RemoveAll(s.tempDir))
	}
	return errors.Join(errs...)
}
