package policies

import "autotune/controller"

// Static proposes nothing, for ever. Its zero value is ready.
type Static struct{}

var _ controller.Policy = Static{}

// String is the policy's name for the journal.
func (Static) String() string { return "static" }

// Propose proposes nothing.
func (Static) Propose(controller.View) (controller.Proposal, bool) {
	return controller.Proposal{}, false
}

// Learn ignores the trial.
func (Static) Learn(controller.Trial) {}
