package policytest

import (
	"errors"
	"fmt"
	"testing"

	"autotune/controller"
)

// World is what a policy is asked about. It is plain data and is not changed.
type World struct {
	Name    string
	Space   controller.Space
	Offered []controller.Optimization
	// Initial has a value for each knob.
	Initial map[string]float64
	// Most proposals in a row, each of which fails, before the policy must have
	// nothing left to propose; 0: 32 for each knob.
	Most int
}

// Check reports every fault of the world itself at once, or nil.
func (w *World) Check() error {
	errs := []error{w.Space.Check()}
	if err := w.Space.Check(); err == nil {
		errs = append(errs, w.Space.CheckSetting(controller.SettingOf(w.Initial)))
		for _, o := range w.Offered {
			errs = append(errs, o.Check(w.Space))
		}
	}
	if len(w.Offered) == 0 {
		errs = append(errs, errors.New("offered: is empty: there must be something to propose"))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("world %s: %w", w.Name, err)
	}
	return nil
}

// Rule is one sentence of the contract.
type Rule struct {
	// Name of the rule, and of its subtest.
	Name string
	// Doc is the sentence.
	Doc   string
	check func(fresh func() controller.Policy, w *World) error
}

// Check reports how a policy breaks the rule in a world, or nil. Each call of
// fresh returns a new policy without memory. A panic is a breach.
func (r Rule) Check(fresh func() controller.Policy, w World) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
		if err != nil {
			err = fmt.Errorf("%s: %s: %w", r.Name, w.Name, err)
		}
	}()
	return r.check(fresh, &w)
}

// Test holds a policy against every rule, in the given worlds, or in those of
// this package if there are none. Each call of fresh returns a new policy
// without memory.
func Test(t *testing.T, fresh func() controller.Policy, worlds ...World) {
	t.Helper()
	if len(worlds) == 0 {
		worlds = Worlds()
	}
	for _, w := range worlds {
		if err := w.Check(); err != nil {
			t.Fatal(err)
		}
	}
	for _, r := range Rules() {
		t.Run(r.Name, func(t *testing.T) {
			for _, w := range worlds {
				if err := r.Check(fresh, w); err != nil {
					t.Errorf("%s\n%v", r.Doc, err)
				}
			}
		})
	}
}
