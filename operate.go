package autotune

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"autotune/controller"
	"autotune/executor"
	"autotune/sensors"
)

// ErrEnded is returned by what needs a running autopilot, after its end.
var ErrEnded = errors.New("the autopilot has ended")

// Status is what people may want to know of an autopilot: a copy.
type Status struct {
	controller.Status
	// Policy by which candidates are chosen, and the seed of every coin.
	Policy string `json:"policy"`
	Seed   uint64 `json:"seed"`
	// Instance is this one's name among its replicas, and StandsBy why it runs no
	// trials now although nobody paused it; empty: it does.
	Instance string `json:"instance,omitempty"`
	StandsBy string `json:"stands_by,omitempty"`
	// Disabled: everything is off, and Why says by what.
	Disabled bool `json:"disabled,omitempty"`
	// Until is when the session ends; zero: never.
	Until time.Time `json:"until,omitzero"`
	// CPUSeconds that the autopilot itself has used, where a thread's can be
	// measured, and CPURatio, the same over the time since the start: the share
	// of one core.
	CPUSeconds float64 `json:"cpu_seconds,omitempty"`
	CPURatio   float64 `json:"cpu_ratio,omitempty"`
	// Verdicts of this session by outcome, audits included: of Ended there are only
	// the latest.
	Verdicts map[controller.Outcome]uint64 `json:"verdicts,omitempty"`
	// Alerts are the latest 16 since the start of this process, oldest first, those
	// that were dropped too.
	Alerts []Alert `json:"alerts,omitempty"`
	// AlertsDropped, and decisions, because a callback was too slow; those on steps
	// are counted in the executor's Stats.
	AlertsDropped int64 `json:"alerts_dropped,omitempty"`
}

// Status returns the latest published status. It takes no lock.
func (a *Autopilot) Status() Status { return *a.status.Load() }

// Knobs are those of the executor and of the service, with the owner's limits, and
// Offered the optimizations that may be tried, in the owner's order: none where the
// autopilot is disabled. Both are the same for as long as it lives.
func (a *Autopilot) Knobs() []controller.Knob { return slices.Clone(a.target.Space().Knobs) }

// Offered are the optimizations that may be tried: see Knobs.
func (a *Autopilot) Offered() []controller.Optimization { return slices.Clone(a.offered) }

// Executor is the one that Start built. It goes on after Close, with the setting
// that Close left; its owner closes it when the service ends.
func (a *Autopilot) Executor() *executor.Executor { return a.ex }

// Recorder takes the service's requests.
func (a *Autopilot) Recorder() *sensors.Recorder { return a.cfg.Recorder }

// Done is closed when the autopilot has ended: after Close, when its time is
// over, when its context ended, or when it broke.
func (a *Autopilot) Done() <-chan struct{} { return a.done }

// Err says why the autopilot ended, if it broke; nil while it runs.
func (a *Autopilot) Err() error {
	select {
	case <-a.done:
		return a.runErr
	default:
		return nil
	}
}

func (a *Autopilot) send(ctx context.Context, ask controller.Ask) error {
	select {
	case <-a.done:
		return ErrEnded
	default:
	}
	select {
	case a.asked <- ask:
		return nil
	case <-a.done:
		return ErrEnded
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Close withdraws a candidate, leaves the last kept setting in force, and waits
// until all that belongs to the autopilot has ended. It may be called again.
func (a *Autopilot) Close() error { return a.close() }

// toInitial puts the initial setting in force if the loop did not: it may have
// ended before. A restart on the journal finds it as the kept one.
func (a *Autopilot) toInitial() error {
	<-a.done
	ctx, initial := context.Background(), a.Status().Initial
	now, err := a.target.Current(ctx)
	if a.cfg.Advise && a.Status().Safe.Equal(initial) || initial.IsZero() || err == nil && now.Equal(initial) {
		return err
	}
	if err := a.target.Apply(ctx, initial); err != nil {
		return err
	}
	if now, err = a.target.Current(ctx); err != nil || !now.Equal(initial) {
		return errors.Join(err, fmt.Errorf("the initial setting does not read back: in force is %s", now))
	}
	if a.journal == nil {
		return nil
	}
	state := a.core.State()
	state.Safe = initial
	return errors.Join(a.journal.Append(controller.Record{At: time.Now(), Kind: controller.RecordState, State: &state}), a.journal.Sync())
}

// CloseToInitial is Close with the setting of the start put in force, also when
// the autopilot has ended already, and knobs undone that followed something else
// before they were moved. Call it instead of Close, not after it.
func (a *Autopilot) CloseToInitial() error {
	if a.disabled != "" {
		return a.close()
	}
	// The loop acts on it within a tick, and ends by itself.
	if err := a.send(context.Background(), controller.StopToInitial); err == nil {
		<-a.done
	}
	return errors.Join(a.toInitial(), a.target.undo(), a.close())
}
