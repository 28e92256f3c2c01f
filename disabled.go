package autotune

import (
	"context"
	"errors"
	"os"
	"strings"
	"sync"

	"autotune/controller"
	"autotune/executor"
)

// DisableVariable is the environment variable that turns the autopilot off
// whatever its configuration says: any value but "", 0 and false does.
const DisableVariable = "AUTOTUNE_DISABLE"

// DisabledError is what a disabled autopilot answers to what needs one that runs.
type DisabledError struct{ Why string }

// Error says why it is disabled.
func (e *DisabledError) Error() string { return e.Why }

// whyDisabled says what turns the autopilot off, or "".
func (c *Config) whyDisabled() string {
	switch v := os.Getenv(DisableVariable); {
	case v != "" && v != "0" && !strings.EqualFold(v, "false"):
		return "disabled: " + DisableVariable + "=" + v + " is set in the environment"
	case c.Disabled:
		return "disabled: Config.Disabled is set"
	}
	return ""
}

// startDisabled builds the executor as it is configured and nothing that could
// move, measure or remember anything: what a journal kept is not put back, and
// the journal is neither read nor written. Done is closed as it would be.
func (a *Autopilot) startDisabled(ctx context.Context) error {
	var err error
	if a.ex, err = executor.New(a.cfg.Executor, executor.WithAutopilot(), executor.WithExporter(a.cfg.Exporter)); err != nil {
		return err
	}
	if a.target, err = NewTarget(a.ex, a.cfg.Knobs, nil); err != nil {
		return errors.Join(err, a.ex.Close())
	}
	a.cfg.Logger.Warn().Msg(a.disabled)
	a.news = startNews(a.cfg.OnAlert, a.cfg.OnDecision, a.ex.Alerts(), a.cfg.Logger)
	s := Status{Policy: "none", Seed: a.cfg.Seed, Until: a.cfg.Budget.Until, Disabled: true, Instance: a.cfg.Instance}
	s.At, s.Phase, s.Why, s.PairsLeft = a.started, controller.Paused, a.disabled, 0
	// What cannot be read is not shown: there is nothing to put back either.
	if now, err := a.target.Current(ctx); err == nil {
		s.Initial, s.Safe, s.InForce = now, now, now
	}
	a.status.Store(&s)
	if !s.Until.IsZero() {
		ctx, a.cancel = context.WithDeadline(ctx, s.Until)
	} else {
		ctx, a.cancel = context.WithCancel(ctx)
	}
	context.AfterFunc(ctx, func() {
		a.cancel()
		a.news.stop()
		close(a.done)
	})
	a.close = sync.OnceValue(func() error {
		a.cancel()
		<-a.done
		return nil
	})
	return nil
}
