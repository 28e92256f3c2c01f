// Package live measures what each switch of the guide does to a real service:
// twelve switches, and a control without one, on the guide's five workloads, on latency, CPU and memory, each
// effect with an interval. It is kept apart from package experiments because its
// figures are of one machine on one day, and repeat to the interval, not to the
// byte.
//
// # What a cell is
//
// A cell is a switch on a workload. The demonstration service runs under
// open-loop load from another process, and two configurations take turns in
// randomized pairs of short blocks (controller.Comparison): one with the switch
// and one without. All numbers are the same in both, the guide's for the
// workload, so that nothing but the switch is compared; and so that none that
// waits or evicts is moved twice a second. A block is shorter than some of the
// guide's periods: what that hides is said in the report.
//
// The row of enable_automatic_optimization is another experiment: the autopilot
// works from the baseline for a time, and is gone when what it has left in force
// is compared with the baseline, in the same kind of blocks. Where it keeps
// nothing, that compares the baseline with itself: a control.
//
// # Which way it errs
//
// The number of pairs is fixed beforehand, so intervals are Wilcoxon's
// (stats.SignedRank), exact for a constant effect because a coin decides the order
// in each pair; those of the decision rule, which hold however often one looks,
// would be half as wide again. A busy machine makes them wide, not wrong. Of 325
// intervals at 95 % some 16 miss the truth. So a switch is said to pay only where
// that at 99.5 % is on the better side, and the effect is at least what the
// decision rule calls worth having, 3 %.
//
// What a candidate leaves behind when it is switched off (a warm cache) is held
// in both kinds of block: resident memory in blocks shows what comes and goes
// within one, not what is held for long.
package live
