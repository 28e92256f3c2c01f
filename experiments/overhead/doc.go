// Package overhead measures what the autopilot costs a service that embeds it.
//
// # What is compared
//
// One service, four arms (Arms): alone; with the middleware and an idle
// autopilot; with an autopilot that is in a trial; in a trial with the live page
// open. Each has one thing more than the one before it, and a process of its own. The
// trial is of a knob that moves nothing, with the timing of any trial: blocks of 5 s
// and a tick of 250 ms, on a journal on disk. An idle heap of nearly nothing would be
// collected less often with an autopilot's beside it, which would seem to pay; so the
// service keeps some memory, as real ones do.
//
// # Turns
//
// Drift of a machine is slow and large, the effect small. So the arms alternate
// every 300 ms, in an order that is drawn anew for each round. All are alive, pinned to the
// same processor; those whose turn it is not are stopped (SIGSTOP), so that nobody's
// background work is paid by another. The load, from one more process, has the
// other processors. In the first part of a block as many requests as there are clients
// are always under way (a closed loop): throughput, which is one over what a
// request costs, and CPU time by the scheduler's clock of the process. Such clients wait for
// a slow answer before they ask again, and so leave out of the latencies the requests
// that would have waited too (coordinated omission). Therefore latencies are of a second
// part, an open loop: requests are sent at half of the throughput, when a schedule
// says, and their latency counts from then on. The schedule is the same for all arms of a
// round, so that what its own crowding does cancels.
//
// # Generations
//
// A process has luck, of where its memory lies and how its maps are seeded: about a
// percent of its speed, for all of its life. More blocks of the same processes
// would make an interval narrow about the wrong value. So after some dozens of rounds
// all start afresh, and such a generation is one observation: its ratio is of totals over all its
// blocks, which have in them what is rare, as a collection or a record that waits for the
// disk, where a median over blocks would leave it out. A p99 is of the latencies of all
// its blocks pooled: the p99 of one short block is of five requests, and is biased besides.
// Over the generations a ratio is told by the middle and the exact interval of Wilcoxon
// (stats.SignedRank), which hold for any noise that favors no arm.
//
// # Which way it errs
//
// Against the autopilot. Its clock runs on while it is stopped, three quarters of the
// time: on waking it does at once what was due, and its blocks, decisions and records are four
// times as many for each second of service, ticks and the page's events about one and a half
// times. With one processor, the default, it has nowhere to hide: all that it does is
// taken from requests. At half of the capacity a service that is slower by 1 % has a p99
// higher by 2 %, since requests also wait for each other. A busy machine makes
// intervals wide, not wrong.
//
// CheckArms tell whether the instrument sees: a twin, of which there is nothing to
// find, and a service that does a tenth of its work twice. What a request pays by itself is
// measured once more without any network (RequestCost), in nanoseconds, beside what
// else one would mount.
package overhead
