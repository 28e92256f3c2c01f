// Package policies decides what to try next. A policy looks at a View, proposes
// one change, and learns how its trial ended; whether the change is kept is not
// its business (package controller).
//
//   - Static proposes nothing. It is the bound to beat: an autopilot that is not
//     better than doing nothing should be off.
//   - Guide follows the optimization guide: it recognizes the workload, and turns on
//     one optimization at a time, in order of what the signals of the running service
//     promise for a minute of experiment (rank.go); then it moves the numbers of what
//     was kept (ladder.go); and now and then it asks whether what is on still pays.
//     Where nothing is worth a trial it is quiet, and says why.
//   - Experience asks another policy (Named wraps the guide in it) and knows from what
//     trials showed whether that is worth a trial again: what was close is looked at
//     again when the regime changed, what cost a tenth is not (surrogate.go). Where one
//     optimization at a time has nothing left it looks for two that help only
//     together, if the owner allows that two are changed in one trial (interactions.go).
//   - Greedy, Random and Search are for tables of measured configurations
//     (Offline), where going to any of them is cheap. Greedy moves one knob at a
//     time without a model, Random goes anywhere: the bounds that a search has to
//     beat. Search goes where a Gaussian process over everything measured so far
//     expects the greatest improvement (Bayesian optimization).
//
// Policies are deterministic: no clock, no I/O, chance only from View.Seed.
package policies
