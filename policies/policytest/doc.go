// Package policytest checks that a policy keeps the contract of
// controller.Policy, so that it runs the same live, simulated and replayed, and
// asks for nothing that the controller must refuse:
//
//	func TestMine_keepsTheContract(t *testing.T) {
//		policytest.Test(t, func() controller.Policy { return NewMine() })
//	}
//
// # How it is built
//
// A Rule is a sentence of the contract, and a check. Most are held against a
// history: a few hundred questions in a World, each with the answer that the
// policy gave and a verdict that it learns of. Settings, what is blocked, what
// was measured and how trials end are drawn at random from a fixed seed, also in
// ways that a controller seldom shows: an abort after a keep, an error, an audit
// that rolls back. The last rules let the policy work: with a controller's
// cool-down it must come to an end, and under the shipped Controller, on a
// service where nothing helps, it must go quiet.
//
// A policy that passes may still be a bad one. What it finds is another question
// (package experiments).
package policytest
