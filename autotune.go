package autotune

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"autotune/controller"
	"autotune/executor"
	"autotune/journal"
	"autotune/sensors"
)

// Autopilot is a running controller on a live service. It is safe for
// concurrent use. It owns three goroutines: the loop and the lease, which Close
// ends and waits for, and the alerts, which end after what is queued for OnAlert;
// until then they take the executor's.
type Autopilot struct {
	cfg     Config
	ex      *executor.Executor
	policy  string
	sensors *sensors.Sensors
	target  *Target
	offered []controller.Optimization
	core    *controller.Controller
	journal *journal.Journal // nil: none
	news    *news
	lease   *lease
	started time.Time
	replica replica
	points  points

	status  atomic.Pointer[Status]
	asked   chan controller.Ask // to stop
	wished  chan *wish
	cancel  context.CancelFunc
	close   func() error
	done    chan struct{}
	runErr  error       // why the loop broke; read after done
	stalled atomic.Bool // the lease expired

	disabled string // why; empty: it is not

	// Of the loop alone.
	reads     reads
	open      []*wish // handed to the controller, not answered
	verdicts  map[controller.Outcome]uint64
	held      bool      // what the controller was told last: hold, by the switch
	revision  uint64    // of the controller, when last published
	published time.Time // last
	cpuBefore float64   // of the loop's thread, when it started
	cpuKnown  bool      // a thread's CPU time can be read here
}

// Start builds the executor, reads what is in force, and starts the autopilot.
// What is wrong with the configuration is reported with field, value and rule,
// and then nothing is left behind. When ctx ends, the loop stops as with Close;
// Close then still releases the journal.
func Start(ctx context.Context, cfg Config) (*Autopilot, error) {
	cfg.setDefaults()
	a := &Autopilot{cfg: cfg, asked: make(chan controller.Ask, 16), wished: make(chan *wish), done: make(chan struct{}), started: time.Now(), verdicts: map[controller.Outcome]uint64{}}
	if a.disabled = cfg.whyDisabled(); a.disabled != "" {
		if err := a.startDisabled(ctx); err != nil {
			return nil, err
		}
		return a, nil
	}
	if err := a.build(); err != nil {
		return nil, errors.Join(err, a.release(true))
	}
	ctx, a.cancel = context.WithCancel(ctx)
	a.close = sync.OnceValue(func() error {
		a.cancel()
		<-a.done
		return errors.Join(a.runErr, a.release(false))
	})
	a.replica = a.cfg.replica()
	a.news = startNews(cfg.OnAlert, cfg.OnDecision, a.ex.Alerts(), cfg.Logger)
	a.store()
	a.lease = startLease(cfg.Lease, a.leaseExpired)
	go a.loop(ctx)
	return a, nil
}

// build makes every part, in order; release undoes what it got to.
func (a *Autopilot) build() error {
	policy, name, err := a.cfg.policy()
	if err != nil {
		return err
	}
	a.policy = name
	if a.ex, err = executor.New(a.cfg.Executor, executor.WithAutopilot(), executor.WithExporter(a.cfg.Exporter)); err != nil {
		return err
	}
	if a.sensors, err = sensors.New(sensors.Options{Recorder: a.cfg.Recorder}); err != nil {
		return err
	}
	if a.target, err = NewTarget(a.ex, a.cfg.Knobs, a.sensors); err != nil {
		return err
	}
	a.offered, err = a.cfg.offered(append(a.ex.Optimizations(), a.cfg.ownOptimizations()...))
	if err != nil {
		return err
	}
	cfg := controller.Config{
		Space: a.target.Space(), Offered: a.offered, Goals: a.cfg.Goals, Guards: a.cfg.Guards, SlowGuard: a.cfg.SlowGuard,
		Policy: policy, PolicyName: name, Seed: a.cfg.Seed, OpenLoop: a.cfg.OpenLoop, Timing: a.cfg.Timing, Budget: a.cfg.Budget, Alert: a.cfg.Alert,
		Advise: a.cfg.Advise, Build: a.cfg.build(), Joint: a.cfg.Joint, Instance: a.cfg.Instance, Pinned: a.cfg.pinned(),
	}
	if a.cfg.Journal != "" {
		if a.journal, err = journal.Open(a.cfg.Journal, journal.Options{}); err != nil {
			return err
		}
		cfg.State = a.journal.State()
		for _, what := range a.journal.Recovered() {
			a.cfg.Logger.Warn().Str("journal", a.cfg.Journal).Msg(what)
		}
	}
	if a.core, err = controller.New(cfg); err != nil {
		return err
	}
	return nil
}

// release gives back what build took. The executor goes on unless all is undone:
// the service may still be serving.
func (a *Autopilot) release(all bool) error {
	var errs []error
	if a.sensors != nil {
		errs = append(errs, a.sensors.Close())
	}
	if a.journal != nil {
		errs = append(errs, a.journal.Close())
	}
	if all && a.ex != nil {
		errs = append(errs, a.ex.Close())
	}
	return errors.Join(errs...)
}
