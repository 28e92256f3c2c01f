// Package liveorder asks on a real service what experiment order asks of simulated
// ones: how soon does a session have nine tenths of the gain there is to have, by
// what it tries first, and by who judges? It is kept apart from package experiments
// because its figures are of one machine on one day.
//
// # A session
//
// The demonstration service runs under open-loop load from another process, in a
// process of its own, and starts with everything off. Everything of the executor is
// on offer. Who proposes is the guide, which is not told the workload; the guide
// without its sight, in its fixed order; or an order drawn anew for each seed. The
// shipped controller judges. Rivals get the guide's fixed order, and judge by their
// own rules: they spend nothing on measuring noise first. What each puts in force
// for good is written down with its time. At the end the final setting is compared
// with the initial one in randomized pairs of blocks, with nobody steering.
//
// # The gain
//
// Nobody knows the best setting of a real service. The yardstick are some settings
// that a person would think of, each compared with everything off in randomized
// pairs: each switch that is known to pay somewhere, all of those, the guide's own
// preset, and everything on. The gain of a setting is the mean reduction of the three
// goals (p95 and mean latency, CPU time a request) in log units. A session has the
// gain while all switches of the smallest setting are on that has nine tenths of the
// largest gain measured.
//
// # Which way it errs
//
// Sessions run beside each other, so that each is another's noise: intervals get
// wider, decisions later, and all arms suffer alike, because the sessions of one
// seed follow each other. A session that never has the gain, or gives it back,
// counts with its whole length, which makes slow arms look better than they are.
// The yardstick may miss a better setting, which nobody then is asked to find.
package liveorder
