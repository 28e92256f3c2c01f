// Package policies decides what to try next. A policy looks at a View, proposes
// one change, and learns how its trial ended; whether the change is kept is not
// its business (package controller).
//
//   - Static proposes nothing. It is the bound to beat: an autopilot that is not
//     better than doing nothing should be off.
//   - Guide follows the optimization guide: one optimization at a time, in the
//     guide's order for the workload; then the numbers of what was kept, twice
//     and half and finer; and now and then the question whether what is on still
//     pays.
//   - Greedy, Random and Search are for tables of measured configurations
//     (Offline), where going to any of them is cheap. Greedy moves one knob at a
//     time without a model, Random goes anywhere: the bounds that a search has to
//     beat. Search goes where a Gaussian process over everything measured so far
//     expects the greatest improvement (Bayesian optimization).
//
// Policies are deterministic: no clock, no I/O, chance only from View.Seed.
package policies
