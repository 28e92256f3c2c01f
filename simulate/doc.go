// Package simulate has services in virtual time, to run a controller on: the
// shipped one, in the shipped loop, a day at 100 requests/s in half a second,
// and from one seed the same samples each time.
//
// # The plant
//
// A Service is open loop: whoever sends requests does not wait for answers.
//
//	arrivals  Poisson, Rate · exp(Load)
//	latency   Median · exp(Level) · draw from Tail · exp(Effect.Latency)
//	CPU       CPU · exp(CPULevel) · gamma with mean 1 · exp(Effect.CPU)
//	memory    Memory + Effect.Memory + what leaked
//
// Load and the levels are signals: functions of the age of the run that can be
// added and scaled (signal.go). Everything that makes live measurements hard is
// one of them, or a tail:
//
//	drift                 signal                tail        requests
//	none                  nil                   calm        Lognormal(0.6)
//	Ornstein-Uhlenbeck    AR1(rng, tau, sd)     heavy       Pareto(1.2)
//	day and night         Oscillation(...)      two modes   Bimodal(0.1, 8, 0.3)
//	deployments nearby    Jumps(rng, every, sd)
//	slow decay            Ramp(perHour)
//
// An Effect says what the setting in force does, and may depend on the Moment:
// on the load, on how long the setting has been in force, on how often it was
// changed. So a knob that helps only at peak, decays, turns bad later, leaks,
// interacts with another or costs something at each switch is a function of a
// few lines; traps_test.go has one of each.
//
// Score tells what a run cost in expectation, without the noise through which a
// controller has to see, and how much of it the initial setting would not have
// cost in the same moments.
//
// # Two levels of detail
//
// By default each request is simulated, in some 40 ns, and counted as the live
// sensors count: it belongs to the epoch in which it started; what has not
// ended at the end of a tick is in flight, unfinished, and as old as it is; a
// stall is seen. Levels, rates and effects are even over a quarter of a second.
//
// With Blocks a tick is one draw, in some 0.6 µs and no memory: p50, p95, p99
// and the mean of n requests are drawn from the joint distribution that they
// have (block.go), and are gauges of the sample. Then ten thousand trials are
// affordable. It is exact when a block of an experiment is one tick of the
// target, after a washout of another; gauges of several ticks are averaged,
// which is not the p95 of all. The two levels agree in the distributions of the
// four statistics and of CPU per request; TestService_levelsAgree holds them to
// it. What blocks leave out:
//
//   - Requests are over with the tick in which they start; one that is not done
//     then counts at its age, in the mean.
//   - An effect is taken as it is in the middle of the tick: one that lasts for
//     part of it is in it or not.
//   - Requests that a stall held up end with it, without a latency of their own.
//   - Guards that count slow requests have none to count.
//
// # What can go wrong
//
// Decorators wrap any Target, and each other:
//
//	Noisy, Drifting      what is measured is off
//	Lagged, Deferred     effects and costs come later
//	Deaf, Rounding       actuators that do nothing, or something else
//	Faulty, Delayed      calls that fail, ticks that last
//	Skewed               a clock that jumps
//	Outside              somebody else changes knobs
//
// The outermost is what the controller sees: Noisy(Lagged(service)) is measured
// with noise after a lag. Outside belongs outside of Lagged, which reads back
// what was asked for.
//
// # Limits
//
// There is no queue and no capacity: a service slows down under load only as
// far as its Level or Effect says so. Load does not react to latency. CPU time
// is spent when a request arrives. A service whose answer to a setting depends
// on what happened before, such as a cache that stays warm, needs an Effect
// with a memory, which must then answer the same when it is asked twice.
package simulate
