package sensors

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"time"

	"autotune/controller"
)

// Options of Sensors. The zero value is ready to use.
type Options struct {
	// Recorder of the requests; nil: the service has none, and what a sample
	// says of requests is absent.
	Recorder *Recorder
	// HostEvery is how often the dear facts about host and container are read,
	// 1 s by default; between readings their last values stand. A reading costs
	// half a millisecond at most, so that once a second is 0.05 % of a processor.
	HostEvery time.Duration
}

// Check reports every fault of the options at once, or nil.
func (o Options) Check() error {
	if o.HostEvery < 0 {
		return fmt.Errorf("host_every %v: must not be negative", o.HostEvery)
	}
	return nil
}

// Sensors turns what the process, its container and its host say of themselves
// into samples. It is safe for concurrent use, though Begin and Sample make
// sense from one goroutine only, that of the experiment.
type Sensors struct {
	recorder *Recorder

	mu      sync.Mutex
	begun   bool
	epoch   uint64
	last    time.Time // of the last reading; zero before the first
	process *process
	runtime *runtimeFacts
	host    *host
	absent  map[controller.Metric]string // as of the last sample
}

// New returns sensors that have not read anything yet.
func New(o Options) (*Sensors, error) {
	return newSensors(o, place{ctx: context.Background(), root: os.DirFS("/")})
}

// place is where facts about host and container are looked up. Tests have
// others than this machine.
type place struct {
	ctx  context.Context // gopsutil takes the places of /proc and /sys from it
	root fs.FS           // of the files read here: proc/... and sys/fs/cgroup/...
}

func newSensors(o Options, at place) (*Sensors, error) {
	if err := o.Check(); err != nil {
		return nil, fmt.Errorf("sensors: %w", err)
	}
	if o.HostEvery == 0 {
		o.HostEvery = time.Second
	}
	return &Sensors{
		recorder: o.Recorder,
		process:  newProcess(),
		runtime:  newRuntimeFacts(),
		host:     newHost(at, o.HostEvery),
		absent:   map[controller.Metric]string{},
	}, nil
}

// Begin switches the epoch; the same epoch again changes nothing. A new epoch
// starts empty: requests as with Recorder.Begin, and the totals count from now
// on, so that the work of a change itself is in no sample. It reads the clock:
// times given to Sample must be of the same one. Gauges of
// container and host may still be up to HostEvery old.
func (s *Sensors) Begin(epoch uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.begun && epoch == s.epoch {
		return
	}
	s.begun, s.epoch = true, epoch
	s.recorder.Begin(epoch)
	var dropped reading
	s.process.read(&dropped)
	s.runtime.read(&dropped)
	s.last = time.Now()
}

// ErrTime is the error of a sample whose time is not after the one before.
var ErrTime = errors.New("time did not advance")

// Sample returns what happened since the last sample, or since Begin if that
// was later. The first reading of a total gives no value: there is nothing to
// take the difference from. So a sample before any Begin covers no time and has
// no totals but those of requests.
//
// A fact that cannot be read is absent from the sample, and Absent says why. An
// error is about the sample as a whole; nothing has then been taken.
func (s *Sensors) Sample(now time.Time) (controller.Sample, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.last.IsZero() && !now.After(s.last) {
		return controller.Sample{}, fmt.Errorf("sample at %v, the one before at %v: %w", now, s.last, ErrTime)
	}
	out := controller.Sample{At: now, Totals: map[controller.Metric]float64{}, Gauges: map[controller.Metric]float64{}}
	if !s.last.IsZero() {
		out.Over = now.Sub(s.last)
	}
	clear(s.absent)
	in := reading{totals: out.Totals, gauges: out.Gauges, absent: s.absent}
	if s.recorder != nil {
		s.recorder.Take(now, &out)
	} else {
		in.missing("no recorder", controller.Requests, controller.Completions, controller.Errors, controller.InFlight, controller.OldestInFlight)
	}
	s.process.read(&in)
	s.runtime.read(&in)
	s.host.read(now, &in)
	memoryRatio(&in, s.host.cgroupLimit, s.runtime.memoryLimit, s.host.total)
	s.last = now
	return out, nil
}

// Absent says of each metric that the last sample could have had, and had not,
// why. The map is a copy.
func (s *Sensors) Absent() map[controller.Metric]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make(map[controller.Metric]string, len(s.absent))
	for m, why := range s.absent {
		out[m] = why
	}
	return out
}

// Close releases the files that readings keep open. Metrics that need them are
// absent from then on. It may be called more than once, or not at all.
func (s *Sensors) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.process.close()
}
