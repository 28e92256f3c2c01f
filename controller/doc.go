// Package controller decides, on evidence, whether a change to a running
// service is kept.
//
// # The problem
//
// Latency drifts, bursts and has heavy tails. Comparing a window before a
// change with one after it keeps a useless change in up to half of all trials.
// The controller runs a randomized experiment instead, one change at a time:
//
//	RESTORE -> MEASURE noise -> PROPOSE -> pair -> JUDGE -> next pair
//	   ^                                              |
//	   +--------- not better, worse, harmful ---------+--> KEEP -> PROPOSE
//
// A pair is two adjacent blocks of time, one under the safe setting and one
// under the candidate, in an order that a fair coin decides and that is
// recorded before the pair starts. Adjacent blocks share the drift; the coin
// makes what is left symmetric, whatever its distribution. A test that bets on
// the signs (package internal/stats) then has its stated error rate at any
// stopping time, so that a trial may end at the first pair that decides it.
//
// # How it is built
//
// Controller is a pure state machine: Step(Input) Command. It has no clock, no
// I/O, no goroutine and no logger; errors are inputs. The same inputs give the
// same commands, so a journal of inputs is a flight recorder, a regression test
// and a bug report in one file. Run is the one loop that carries commands out,
// against any Target: a live service, a simulated one, a table, a recording.
// Time belongs to the target.
//
// # Which way it errs
//
// When something is unclear the safe setting wins: a trial that cannot decide
// reverts, a candidate whose block cannot be observed is withdrawn, a journal
// that cannot be written stops trials and never the service. "No change" is a
// normal answer.
package controller
