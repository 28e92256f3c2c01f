package policytest_test

import (
	"fmt"

	"autotune/controller"
	"autotune/policies/policytest"
)

// eager turns on what is off, whether it is blocked or not.
type eager struct{}

func (eager) Propose(v controller.View) (controller.Proposal, bool) {
	for _, o := range v.Offered {
		if o.Switch != "" && !v.Safe.On(o.Switch) {
			return controller.Proposal{Optimization: o.Name, Move: controller.MoveOn, Change: map[string]float64{o.Switch: 1}, Why: "off"}, true
		}
	}
	return controller.Proposal{}, false
}

func (eager) Learn(controller.Trial) {}

// Rules can be held against a policy one by one, without a test.
func ExampleRule_Check() {
	for _, r := range policytest.Rules() {
		if r.Check(func() controller.Policy { return eager{} }, policytest.Worlds()[0]) != nil {
			fmt.Println(r.Doc)
		}
	}
	// Output:
	// What is blocked is not proposed.
	// Aborted and errored trials, and audits, end nothing: it goes on, within the other rules.
	// When everything that it proposes fails and cools down, it comes to an end of proposals.
}
