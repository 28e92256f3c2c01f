package soak_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"os"
	"os/signal"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"autotune"
	"autotune/controller"
	"autotune/dashboard"
	"autotune/executor"
	"autotune/journal"
	"autotune/knobs"
	"autotune/sensors"
)

// childVariable has the orders of a service: the test's program is its own service.
const childVariable = "AUTOTUNE_SOAK_CHILD"

// orders of a service.
type orders struct {
	Journal string
	Seed    uint64
	Advise  bool
	// Held has the knobs that are pinned when it starts, with their values.
	Held map[string]float64
}

const token = "a token for the soak"

func TestMain(m *testing.M) {
	if text := os.Getenv(childVariable); text != "" {
		var o orders
		err := json.Unmarshal([]byte(text), &o)
		if err == nil {
			err = serve(o)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, "service:", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

// service is one in the small: requests that sleep for as long as its knobs say.
type service struct {
	rec   *sensors.Recorder
	knobs []*knob

	idle    atomic.Int64 // until when there is no load, Unix nanoseconds; likewise:
	failing atomic.Int64 // requests fail
	hanging atomic.Int64 // one in a hundred hangs

	mu       sync.Mutex
	held     map[string]float64
	offenses []string
}

// knob is an actuator that may fail.
type knob struct {
	controller.Knob
	of      *service
	initial float64
	value   atomic.Uint64 // bits

	unread atomic.Int64 // until when it cannot be read; likewise:
	absurd atomic.Int64 // it reads as no number
	stuck  atomic.Int64 // it does not move, and says nothing
	refuse atomic.Int64 // it does not move, and says so
}

func now(until *atomic.Int64) bool { return time.Now().UnixNano() < until.Load() }

func (k *knob) get() (float64, error) {
	switch v := math.Float64frombits(k.value.Load()); {
	case now(&k.unread):
		return 0, errors.New("the sensor is broken")
	case now(&k.absurd):
		return math.NaN(), nil
	default:
		return v, nil
	}
}

func (k *knob) set(v float64) error {
	k.of.watch(k, v)
	switch {
	case now(&k.refuse):
		return errors.New("the actuator is broken")
	case now(&k.stuck):
		return nil
	}
	k.value.Store(math.Float64bits(v))
	return nil
}

// watch holds what is set against what must hold.
func (s *service) watch(k *knob, v float64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if held, ok := s.held[k.Name]; ok && held != v {
		s.offenses = append(s.offenses, fmt.Sprintf("%s is pinned at %v and was set to %v", k.Name, held, v))
	}
	if low, high := k.Bounds(); v != k.initial && !(v >= low && v <= high) {
		s.offenses = append(s.offenses, fmt.Sprintf("%s was set to %v, beyond the owner's limits %v..%v", k.Name, v, low, high))
	}
}

func newService(o orders) *service {
	s := &service{rec: sensors.NewRecorder(), held: o.Held}
	if s.held == nil {
		s.held = map[string]float64{}
	}
	floor, ceiling := 8.0, 512.0
	for _, name := range names {
		k := &knob{Knob: controller.Knob{Name: name, Kind: controller.Switch}, of: s}
		if name == "batch" {
			k.Knob = controller.Knob{
				Name: name, Kind: controller.Int, Unit: "rows", Min: 1, Max: 4096, Scale: controller.Log, MaxMove: 4, Floor: &floor, Ceiling: &ceiling,
			}
			k.initial = 16
		}
		k.value.Store(math.Float64bits(k.initial))
		s.knobs = append(s.knobs, k)
	}
	return s
}

// names of the knobs, in their order. Those with one letter do nothing, and keep
// the autopilot busy.
var names = []string{"fast", "slow", "batch", "a", "b", "c", "d", "e", "f"}

// work is one request.
func (s *service) work(rng *rand.Rand) {
	q := s.rec.StartNow()
	on := func(i int) bool { return math.Float64frombits(s.knobs[i].value.Load()) == 1 }
	ms := 2 * math.Exp(0.2*rng.NormFloat64())
	if on(0) {
		ms *= 0.6
	}
	if on(1) {
		ms *= 1.7
	}
	ms *= 1 + 0.2*math.Abs(math.Log(math.Float64frombits(s.knobs[2].value.Load())/64)) // best at 64
	if now(&s.hanging) && rng.IntN(100) == 0 {
		ms += 500
	}
	time.Sleep(time.Duration(ms * float64(time.Millisecond)))
	q.End(now(&s.failing) && rng.IntN(2) == 0)
}

// load asks for one thing after the other until ctx ends.
func (s *service) load(ctx context.Context, seed uint64) {
	rng := rand.New(rand.NewPCG(seed, 1))
	for ctx.Err() == nil {
		if now(&s.idle) {
			time.Sleep(10 * time.Millisecond)
			continue
		}
		s.work(rng)
	}
}

func (s *service) config(o orders) autotune.Config {
	cfg := autotune.Config{
		Executor: executor.Config{EnableAutomaticOptimization: true}, Recorder: s.rec, Seed: o.Seed, Journal: o.Journal, Advise: o.Advise,
		Instance: "soak", Goals: []controller.Goal{{Metric: controller.LatencyP95}, {Metric: controller.LatencyMean}},
		Timing: controller.Timing{
			Washout: 20 * time.Millisecond, Measure: 150 * time.Millisecond, Tick: 25 * time.Millisecond, MinRequests: 20, BaselineBlocks: 6,
		},
		Budget: controller.Budget{MaxPairs: 24}, Alert: controller.Alert{Interval: 5 * time.Second},
	}
	for _, k := range s.knobs {
		cfg.Knobs = append(cfg.Knobs, knobs.Actuator{Knob: k.Knob, Get: k.get, Set: k.set})
		cfg.Offer = append(cfg.Offer, k.Name)
	}
	return cfg
}

// report is what a service says of itself.
type report struct {
	HeapBytes  uint64
	Goroutines int
	Offenses   []string
}

func (s *service) routes(page http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/autotune/", http.StripPrefix("/autotune", page))
	var seed atomic.Uint64
	mux.HandleFunc("GET /work", func(http.ResponseWriter, *http.Request) {
		s.work(rand.New(rand.NewPCG(seed.Add(1), 2)))
	})
	mux.HandleFunc("GET /report", func(w http.ResponseWriter, _ *http.Request) {
		runtime.GC()
		runtime.GC() // what finalizers and pools let go of
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		s.mu.Lock()
		defer s.mu.Unlock()
		_ = json.NewEncoder(w).Encode(report{m.HeapAlloc, runtime.NumGoroutine(), s.offenses})
	})
	mux.HandleFunc("POST /hold", func(_ http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if v, err := strconv.ParseFloat(r.FormValue("value"), 64); err == nil {
			s.held[r.FormValue("name")] = v
		} else {
			delete(s.held, r.FormValue("name"))
		}
	})
	mux.HandleFunc("POST /fault", func(_ http.ResponseWriter, r *http.Request) {
		n, err := strconv.Atoi(r.FormValue("knob"))
		length, err2 := time.ParseDuration(r.FormValue("for"))
		if err != nil || err2 != nil || n < 0 || n >= len(s.knobs) {
			panic("fault: " + r.Form.Encode())
		}
		k := s.knobs[n]
		map[string]*atomic.Int64{
			"unread": &k.unread, "absurd": &k.absurd, "stuck": &k.stuck, "refuse": &k.refuse,
			"idle": &s.idle, "failing": &s.failing, "hanging": &s.hanging,
		}[r.FormValue("kind")].Store(time.Now().Add(length).UnixNano())
	})
	return mux
}

// serve is the process: until SIGTERM, after which nothing is left, and what is in
// force is what the journal has as kept.
func serve(o orders) error {
	s := newService(o)
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	pilot, err := autotune.Start(context.Background(), s.config(o))
	if err != nil {
		return err
	}
	page, err := dashboard.New(pilot, dashboard.Options{Token: token, Journal: o.Journal})
	if err != nil {
		return err
	}
	l, err := dashboard.Listen("127.0.0.1:0", nil, false)
	if err != nil {
		return err
	}
	server := dashboard.Server(s.routes(page))
	var all sync.WaitGroup
	all.Go(func() { _ = server.Serve(l) })
	for i := range 4 {
		all.Go(func() { s.load(ctx, o.Seed+uint64(i)) })
	}
	fmt.Println(l.Addr())
	<-ctx.Done()

	for _, k := range s.knobs { // an end with a broken actuator is another story
		k.unread.Store(0)
		k.absurd.Store(0)
		k.stuck.Store(0)
		k.refuse.Store(0)
	}
	err = pilot.Close()
	last, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	err = errors.Join(err, server.Shutdown(last), pilot.Executor().Close())
	all.Wait()
	stop()
	state, readErr := journal.LastState(o.Journal)
	err = errors.Join(err, readErr)
	if err == nil {
		for _, k := range s.knobs {
			want, _ := state.Safe.Get(k.Name)
			if v, _ := k.get(); v != want {
				err = errors.Join(err, fmt.Errorf("%s ends at %v; the journal has %v as kept", k.Name, v, want))
			}
		}
	}
	for _, o := range s.offenses {
		err = errors.Join(err, errors.New(o))
	}
	return errors.Join(err, goleak.Find())
}
