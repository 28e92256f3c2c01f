package autotune

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"time"

	"autotune/controller"
	"autotune/sensors"
)

// loop runs the controller until it is done. It keeps its thread, so that what
// the autopilot costs can be measured.
func (a *Autopilot) loop(ctx context.Context) {
	defer close(a.done)
	defer a.leaveWishes()
	defer a.news.stop()
	defer a.lease.stop()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer a.survive()
	a.cpuBefore, a.cpuKnown = sensors.ThreadCPU()
	err := controller.Run(ctx, a.target, a.core, controller.Loop{
		Record: recorder{a}, Inputs: a.journal != nil, Ask: a.ask, Wish: a.nextWish,
		Stepped: func(in controller.Input, _ controller.Command) {
			a.lease.renew()
			a.watchReads(in.ReadErr)
			safe := a.status.Load().Safe
			a.points.observe(&in.Sample, !in.Current.IsZero() && !safe.IsZero() && !in.Current.Equal(safe))
		},
		// What is shown and what is acknowledged survives the process.
		Recorded: func(cmd controller.Command, err error) {
			a.publish()
			a.answerWishes(cmd.Records, err)
		},
	})
	a.store()
	s := a.Status()
	switch {
	case a.stalled.Load():
		a.runErr = fmt.Errorf("the loop did not move for %v: the lease ended it", a.cfg.Lease)
	case err != nil && ctx.Err() == nil:
		a.runErr = err
	case !s.InForce.Equal(s.Safe) && !s.Safe.IsZero():
		a.runErr = fmt.Errorf("the last kept setting does not read back: in force is %s", s.InForce)
	}
}

// survive turns a panic, of a policy, an actuator or this module, into the last
// kept setting in force and an alert: the service goes on.
func (a *Autopilot) survive() {
	p := recover()
	if p == nil {
		return
	}
	stack := make([]byte, 16<<10)
	stack = stack[:runtime.Stack(stack, false)]
	a.runErr = fmt.Errorf("autopilot: panic: %v", p)
	if err := a.putBack(); err != nil {
		a.runErr = errors.Join(a.runErr, err)
	}
	a.cfg.Logger.Error().Str("stack", string(stack)).Msg(a.runErr.Error())
	a.journalPanic(p)
	s := *a.status.Load()
	s.Phase, s.Why, s.Trial = controller.Ended, a.runErr.Error(), nil
	a.status.Store(&s)
	a.news.send(Alert{Kind: AlertPanic, Message: a.runErr.Error()})
}

// journalPanic leaves a note in the journal that the autopilot panicked, for those
// who look for what happened afterwards. The journal may be what panicked.
func (a *Autopilot) journalPanic(p any) {
	if a.journal == nil {
		return
	}
	defer func() { _ = recover() }()
	text := []rune(fmt.Sprint(p))
	err := a.journal.Append(controller.Record{At: time.Now(), Kind: controller.RecordNote, Note: controller.Panicked + string(text[:min(len(text), 1000)])})
	if err = errors.Join(err, a.journal.Sync()); err != nil {
		a.cfg.Logger.Warn().Err(err).Msg("the panic is not in the journal")
	}
}

// putBack applies the last kept setting without the controller. It fails at once
// if an actuator is being moved and does not return.
func (a *Autopilot) putBack() (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("put the last kept setting back: panic: %v", p)
		}
	}()
	if !a.target.mu.TryLock() {
		return errors.New("an actuator hangs: the setting in force is not known")
	}
	defer a.target.mu.Unlock()
	s := a.status.Load()
	safe := s.Safe
	if safe.IsZero() || a.cfg.Advise && s.Trial == nil && safe.Equal(s.Initial) {
		return nil // nothing was ever changed
	}
	if err := a.target.apply(context.Background(), safe); err != nil {
		return fmt.Errorf("put the last kept setting back: %w", err)
	}
	return nil
}

// leaseExpired is the dead-man switch: it puts the last kept setting back and
// tells the loop, should it ever come back, to stop. It reports whether that
// worked.
func (a *Autopilot) leaseExpired() bool {
	a.stalled.Store(true)
	a.cancel()
	msg := fmt.Sprintf("the loop has not moved for %v: the last kept setting was put back", a.cfg.Lease)
	err := a.putBack()
	if err != nil {
		msg = fmt.Sprintf("the loop has not moved for %v: %v", a.cfg.Lease, err)
	}
	a.cfg.Logger.Error().Msg(msg)
	a.news.send(Alert{Kind: AlertLease, Message: msg})
	return err == nil
}

// ask returns what the program wants next: to stop, or that the controller is held
// while the live switch enable_automatic_optimization is off or other instances have
// their turn. An operator's pause holds it besides: neither ends what the other began.
func (a *Autopilot) ask() controller.Ask {
	select {
	case ask := <-a.asked:
		return ask
	default:
	}
	hold := !a.ex.Config().EnableAutomaticOptimization || a.replica.standsBy(time.Since(a.started)) != ""
	if hold == a.held {
		return 0
	}
	a.held = hold
	if hold {
		return controller.Pause
	}
	return controller.Resume
}

// publish makes the status visible to readers when something has changed, and
// once a second for its time and costs.
func (a *Autopilot) publish() {
	if r := a.core.Revision(); r == a.revision && time.Since(a.published) < time.Second {
		return
	}
	a.store()
}

func (a *Autopilot) store() {
	a.revision, a.published = a.core.Revision(), time.Now()
	s := &Status{
		Status: a.core.Status(), Policy: a.policy, Seed: a.cfg.Seed, Until: a.cfg.Budget.Until,
		Alerts: a.news.alerts(), AlertsDropped: a.news.dropped.Load(), Verdicts: maps.Clone(a.verdicts),
		Instance: a.cfg.Instance, StandsBy: a.replica.standsBy(time.Since(a.started)),
	}
	if cpu, ok := sensors.ThreadCPU(); ok && a.cpuKnown {
		s.CPUSeconds = cpu - a.cpuBefore
		if since := time.Since(a.started); since > 0 {
			s.CPURatio = s.CPUSeconds / since.Seconds()
		}
	}
	a.status.Store(s)
}
