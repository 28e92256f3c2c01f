package autotune

import (
	"context"
	"fmt"
	"slices"

	"autotune/controller"
)

// RefusedError is the answer to a wish that was not granted, in one line that
// names the field, the value and the rule. Nothing was changed.
type RefusedError struct{ Why string }

// Error is the line.
func (e *RefusedError) Error() string { return e.Why }

// Wish asks for what the operator wants changed, whose word goes before the
// autopilot's: it returns when that is in force, also while the autopilot pauses, or
// with a *RefusedError. It is in the journal with who and why, or the error says that
// it is granted and the journal cannot be written. If ctx ends before, it may be
// granted all the same. It is safe for concurrent use, and takes a tick or two. The
// methods below are wishes of one kind each.
func (a *Autopilot) Wish(ctx context.Context, w controller.Wish) error {
	if a.disabled != "" {
		if w.Kind == controller.WishPause {
			return nil // nothing is tried anyway
		}
		return &DisabledError{a.disabled}
	}
	if err := w.Check(); err != nil {
		return &RefusedError{err.Error()}
	}
	mine := &wish{Wish: w, answer: make(chan error, 1)}
	select {
	case a.wished <- mine:
	case <-a.done:
		return ErrEnded
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err := <-mine.answer:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Pause withdraws a candidate and tries nothing until Resume, after a restart on
// the same journal too. It returns when the last kept setting is in force again.
func (a *Autopilot) Pause(ctx context.Context, by controller.Operator) error {
	return a.Wish(ctx, controller.Wish{Kind: controller.WishPause, By: by})
}

// Resume goes on after Pause. An autopilot that is also held by
// enable_automatic_optimization stays so until that is switched on.
func (a *Autopilot) Resume(ctx context.Context, by controller.Operator) error {
	return a.Wish(ctx, controller.Wish{Kind: controller.WishResume, By: by})
}

// Pin holds a knob, or all knobs of an optimization, at what is in force: what was
// kept of it stays, a trial that moves it ends, and it is not proposed, tried,
// audited or taken back until Unpin. A pin outlives the process.
func (a *Autopilot) Pin(ctx context.Context, name string, by controller.Operator) error {
	return a.Wish(ctx, controller.Wish{Kind: controller.WishPin, Name: name, By: by})
}

// PinAt puts a value of a knob in force and holds it there. It must be a value of
// the knob, within its bounds and the owner's limits; how far it is away does not
// matter. A runtime may round it. One that cannot be set is refused, and what was
// before comes back.
func (a *Autopilot) PinAt(ctx context.Context, knob string, value float64, by controller.Operator) error {
	return a.Wish(ctx, controller.Wish{Kind: controller.WishPinAt, Name: knob, Value: value, By: by})
}

// Unpin lets go of what Pin or PinAt holds; what is in force stays. What
// Config.Pinned names is not let go: whoever deploys the service said so.
func (a *Autopilot) Unpin(ctx context.Context, name string, by controller.Operator) error {
	return a.Wish(ctx, controller.Wish{Kind: controller.WishUnpin, Name: name, By: by})
}

// Revert puts the knobs that a trial's keep moved back to what they were before,
// and keeps what was kept later. If a later keep moved one of them again it is
// refused, and says which. The change is left alone for long, then it may be tried
// again: to keep it away for good, pin it.
func (a *Autopilot) Revert(ctx context.Context, trial int, by controller.Operator) error {
	return a.Wish(ctx, controller.Wish{Kind: controller.WishRevert, Trial: trial, By: by})
}

// RevertAll puts the initial setting in force, but for what is pinned, and goes
// on. CloseToInitial does so and ends.
func (a *Autopilot) RevertAll(ctx context.Context, by controller.Operator) error {
	return a.Wish(ctx, controller.Wish{Kind: controller.WishRevertAll, By: by})
}

// Approve lets a proposal of advise mode be tried, as an experiment with all
// guards, and kept on evidence. The id is in Status.Advice, in the log, and in
// what `autotune advise` writes.
func (a *Autopilot) Approve(ctx context.Context, id string, by controller.Operator) error {
	return a.Wish(ctx, controller.Wish{Kind: controller.WishApprove, Proposal: id, By: by})
}

// Decline keeps a proposal from being tried, now and after restarts, until it is
// approved or reopened. Its trial, if it runs, ends.
func (a *Autopilot) Decline(ctx context.Context, id string, by controller.Operator) error {
	return a.Wish(ctx, controller.Wish{Kind: controller.WishDecline, Proposal: id, By: by})
}

// Reopen takes back what was said to a proposal.
func (a *Autopilot) Reopen(ctx context.Context, id string, by controller.Operator) error {
	return a.Wish(ctx, controller.Wish{Kind: controller.WishReopen, Proposal: id, By: by})
}

// wish is one on its way to the controller and back.
type wish struct {
	controller.Wish
	granted bool
	lost    error      // why the journal does not have it
	answer  chan error // of one
}

// nextWish hands the next one to the controller, once it has begun.
func (a *Autopilot) nextWish() *controller.Wish {
	if a.status.Load().Phase == controller.Starting {
		return nil
	}
	select {
	case w := <-a.wished:
		a.open = append(a.open, w)
		return &w.Wish
	default:
		return nil
	}
}

// answerWishes tells those who wait what was refused, and what is in force. The
// records are in the journal, or lost says why not.
func (a *Autopilot) answerWishes(records []controller.Record, lost error) {
	if len(a.open) == 0 {
		return
	}
	for _, r := range records {
		if r.Kind != controller.RecordWish {
			continue
		}
		a.open = slices.DeleteFunc(a.open, func(w *wish) bool {
			if w.Wish != r.Wish.Wish {
				return false
			}
			if r.Wish.Refused == "" {
				w.granted = true
				if lost != nil {
					w.lost = fmt.Errorf("%v: granted, and not in the journal: %w", w.Kind, lost)
				}
				return false
			}
			w.answer <- &RefusedError{r.Wish.Refused}
			return true
		})
	}
	if s := a.core.Status(); !s.InForce.Equal(s.Safe) && s.Trial == nil {
		return
	}
	a.open = slices.DeleteFunc(a.open, func(w *wish) bool {
		if w.granted {
			w.answer <- w.lost
		}
		return w.granted
	})
}

// leaveWishes tells those who wait that the end came first.
func (a *Autopilot) leaveWishes() {
	for _, w := range a.open {
		w.answer <- ErrEnded
	}
}
