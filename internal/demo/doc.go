// Package demo is a real HTTP service for the autopilot to improve, and the
// open-loop load that drives it. It is the demonstration behind `autotune run`
// and its acceptance test.
//
// # The service
//
// An API on loopback over an embedded SQL database on disk, with the mix that
// a real one has. Each route runs through a step of the executor:
//
//	GET  /items/{id}                 a popular read, may be 5 s stale           76 in 100 requests
//	GET  /search?category=&q=        reads and ranks a category, allocates      9 in 100
//	GET  /packing/{order}            a pure computation, some ms of CPU         9 in 100
//	POST /items/{id}/stock?by=       a write; the item is no longer cached      5 in 100
//	GET  /offers/{id}                an upstream that is slow and fails         1 in 100
//	GET  /reports/{id}               lays out a table in scratch objects         only where a
//	GET  /baskets/{id}               five steps pass large state along           workload has it
//
// Those are the shares of the everyday mix; the guide's workloads have their own
// (see Workload).
//
// Only the upstream sleeps. Everything else costs what it computes, so that an
// optimization can gain only by avoiding work.
//
// # The arithmetic
//
// Search and packing cost three to four milliseconds each and are 18 % of the
// traffic, so p95 of the service lies well inside their distribution: not quite
// three quarters up, where it is dense and a block of one second pins it down.
// Everything else is ten times cheaper. In all, a request costs about 0.8 ms of
// CPU time: a third of a core at 400/s, which leaves two cores room for a burst
// of 1.4 times the load while the harmful control doubles it.
//
// A cache of 1024 results answers most of both (keys are Zipf distributed),
// which leaves some 3 in 100 requests slow: p95 then falls among the cheap
// ones. In its first seconds a cold cache leaves twice as many, and p95 halfway.
// The upstream is rarer than that, so its sleep is never what p95 measures.
// Requests in flight are few, identical ones in flight at once fewer: sharing
// them or limiting them has next to no effect, and the autopilot must say so.
//
// # The controls
//
// Two of the offered optimizations are controls: placebo does nothing, harmful
// doubles the latency. An autopilot that keeps either is wrong.
package demo
