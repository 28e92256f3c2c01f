// Package rivals has the controllers and bounds that autotune is measured
// against: those that ship in other systems, written anew from published
// descriptions, and run in the same loop over the same targets.
//
// # How it is built
//
// A rival of this package turns one number: threads, tickets, a limit on
// concurrency, the window of a cache. What is its own is a Law: told what
// happened in a window of time, it answers with the number for the next one. A
// Mover makes a controller.Stepper of a law. It carries the number out and reads
// it back, and nothing else: these controllers test no change, keep nothing,
// restore nothing and never end by themselves. That is how they are, and what is
// to be compared.
//
//	dotnet.go    .NET PortableThreadPool.HillClimbing: threads by throughput
//	mongodb.go   MongoDB ThroughputProbing: tickets by throughput
//	netflix.go   Netflix Gradient2 behind WindowedLimit: a limit by latency
//	envoy.go     Envoy adaptive_concurrency: a limit by latency
//	caffeine.go  Caffeine's climber, 3.2.4: a cache's window by hit ratio
//	bounds.go    do nothing, a random setting, the best static setting
//
// Rivals that judge a change instead of making one (a window before and after,
// Kayenta, Flagger) are rules of the package experiments.
//
// # At home
//
// A straw man proves nothing. Each rival first wins where it is at home, on a
// plant of the kind that it was made for (pool.go, cache.go), against doing
// nothing and against chance (home_test.go); its arithmetic is held against
// sequences that were worked by hand. What it is known to fail at is in its
// comment, with where that was reported.
//
// # What is not theirs
//
// Where an origin counts events as they happen, a law here has the sums of a
// window: the number in flight is that at its end, and a percentile is that of
// the requests that ended in it. Bounds are the knob's. Other differences are in
// the comment of the law.
package rivals
