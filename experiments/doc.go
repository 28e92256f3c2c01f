// Package experiments shows, by many simulated runs of the shipped decision
// code, that its claims hold, beside rules that others use, in the same worlds.
//
// # How it is built
//
// An Experiment has cells, a cell is a scenario with a contender, and a contender
// is any controller.Stepper: the Controller, a rival rule (rules.go), or a rival
// that moves every window (package rivals). A trial of a cell is a pure function of its seed. Contenders of a scenario get the same
// seeds, hence the same worlds. Run does the trials of all cells on several
// workers, keeps what is done in a file so that it can be interrupted at any
// moment, and writes a report, as a page, Markdown, CSV and JSON, that is the same
// to the byte for the same build and seed, however many workers there were and
// however often it was interrupted.
//
// Contenders of all kinds meet on grounds (ground.go): traps, workloads, single
// numbers, and the homes of rivals. There the books are open: what a session cost
// without noise, beside what doing nothing and the best static setting would have
// cost in the same world (ledger.go).
//
// Every figure comes with the number of trials that it rests on and an interval.
// What is claimed is computed from the figures, and a claim that does not hold
// is said so in the report.
//
// # Which way it errs
//
// A claim about an error rate is about the upper end of its interval, so that too
// few trials fail it. Rivals get the same blocks, the same candidates and a home
// scenario that they win (rules_test.go): beating a straw man would prove nothing.
package experiments
