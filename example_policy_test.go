package autotune_test

import (
	"context"
	"fmt"
	"log"
	"strconv"

	"autotune"
	"autotune/controller"
	"autotune/policies"
	"autotune/policies/policytest"
)

// patient turns on what is off, in the owner's order, and gives up on whatever
// has failed as often as it has patience. How it came to be named so in a
// journal is the Registry's business: it has no name itself.
type patient struct {
	patience int
	failed   map[string]int
}

func newPatient(params map[string]string) (controller.Policy, error) {
	p := &patient{patience: 1, failed: map[string]int{}}
	text, given := params["patience"]
	if !given {
		return p, nil
	}
	var err error
	if p.patience, err = strconv.Atoi(text); err != nil || p.patience < 1 {
		return nil, fmt.Errorf("patience %q: must be a whole number from 1", text)
	}
	return p, nil
}

func (p *patient) Propose(v controller.View) (controller.Proposal, bool) {
	for _, o := range v.Offered {
		if o.Switch == "" || v.Safe.On(o.Switch) || p.failed[o.Name] >= p.patience {
			continue
		}
		proposal := controller.Proposal{
			Optimization: o.Name, Move: controller.MoveOn, Change: map[string]float64{o.Switch: 1},
			Why: fmt.Sprintf("is off, and has failed %d times of %d", p.failed[o.Name], p.patience),
		}
		if v.Blocked[proposal.BlockKey()] == "" {
			return proposal, true
		}
	}
	return controller.Proposal{}, false
}

func (p *patient) Learn(t controller.Trial) {
	if t.Outcome == controller.Reverted || t.Outcome == controller.Inconclusive {
		p.failed[t.Optimization]++
	}
}

// A policy of one's own is added to the policies by name, with its parameters,
// and then named like any other: here, in a journal, in its replay. The
// conformance suite says whether the autopilot can rely on it; in a test of one's
// own, policytest.Test does the same.
func ExampleConfig_policies() {
	known := policies.Builtin()
	known["patient"] = policies.Factory{
		Does: "turns on what is off, until it has failed too often", New: newPatient,
		Params: map[string]string{"patience": "how often something may fail, from 1"},
	}

	fresh := func() controller.Policy {
		p, err := known.New(policies.Spec{Name: "patient", Params: map[string]string{"patience": "2"}})
		if err != nil {
			log.Fatal(err)
		}
		return p
	}
	broken := 0
	for _, r := range policytest.Rules() {
		for _, w := range policytest.Worlds() {
			if err := r.Check(fresh, w); err != nil {
				fmt.Println(err)
				broken++
			}
		}
	}
	fmt.Println("rules broken:", broken)

	pilot, err := autotune.Start(context.Background(), autotune.Config{PolicyName: "patient/patience=2", Policies: known})
	if err != nil {
		log.Fatal(err)
	}
	defer pilot.Executor().Close()
	defer pilot.Close()
	fmt.Println("policy:", pilot.Status().Policy)

	_, err = autotune.Start(context.Background(), autotune.Config{PolicyName: "patent/patience=2", Policies: known})
	fmt.Println(err)
	_, err = autotune.Start(context.Background(), autotune.Config{PolicyName: "patient/patients=2", Policies: known})
	fmt.Println(err)
	// Output:
	// rules broken: 0
	// policy: patient/patience=2
	// policy "patent": must be one of guide, patient, static: did you mean patient?
	// policy patient: parameter "patients": must be one of patience: did you mean patience?
}
