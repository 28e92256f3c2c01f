// Package overhead measures what the autopilot costs a service that embeds it.
//
// # What is compared
//
// One service, one process, four arms (Arms): the service alone; with the
// middleware and an idle autopilot; with an autopilot that is in a trial; in a trial with
// the live page open. Each arm has one thing more than the one before it. The arms
// take turns in blocks of some seconds, in an order that is drawn anew for each
// round, so that drift of the machine favors none. A block starts its autopilot
// from nothing and closes it at the end: in a block of the service alone there is
// none in the process. All arms are of one process, since twins of one service in two
// processes differ by 3 to 5 % for as long as they live. It serves for a while,
// uncounted, until the trial is under way.
//
// The trial is of a knob that moves nothing, with blocks a fifth as long as by
// default and ticks twice as often: more decisions, more reading back and more of
// a journal, on disk, than a real one has.
//
// # What is measured
//
// The service has one processor, unless told otherwise, and its load, from another
// process, the others. In the first part of a block as many requests as there are
// clients are always under way (a closed loop): throughput, which is one over what
// a request costs, and CPU time and allocations a request. Such clients wait for a
// slow answer before they ask again, and so leave out of the latencies the requests
// that would have waited too (coordinated omission). Therefore latencies are of a
// second part, an open loop: requests are sent at half of the throughput, when a
// schedule says, and their latency counts from then on. The schedule is the same in
// all blocks of a round, so that what its own crowding does cancels.
//
// # Which way it errs
//
// A ratio is of two blocks of the same round; over the rounds it is told by the
// middle and the exact interval of Wilcoxon (stats.SignedRank), which hold for any
// noise, since the order of each round was drawn. A busy machine makes intervals
// wide, not wrong. With one processor, the default, the autopilot has nowhere to
// hide: all that it does is taken from requests. What a request pays by itself is
// measured once more without any network (RequestCost), in nanoseconds, beside what
// else one would mount.
package overhead
