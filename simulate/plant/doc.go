// Package plant is a service in virtual time in which requests wait: for a core,
// for a permit, for each other, for what they call. Where simulate.Service states
// what an optimization does, here it follows: from what work costs, who asks for
// what, and how the optimization works. Its knobs are the catalog's.
//
// # The model
//
//	Arrivals ──> cores: one line, k servers, a quantum ──┬─> cache hit ──────────────> answer
//	             (the collector and exports work there   ├─> joins an execution in flight ┐
//	             too)                                    ├─> permit (a line, patience) ──> work ──> answer
//	                                                     └─> circuit ──> permit ──> call ─┬─────> answer
//	                                                            ^──── pause, budget <─────┘ fails
//
// Arrivals are open loop: Poisson, bursty, diurnal or recorded. Each request is of
// a Kind, which says what it asks for and costs: CPU time with a distribution,
// memory, run state, a dependency. The optimizations are mechanisms:
//
//	pool         idle objects are held, and save the CPU time and the bytes of new ones
//	context      copies of run state that nobody looks at are not made
//	memory       looks at each interval; above the threshold trims, collects, returns
//	concurrency  permits for executions; who waits too long is rejected
//	telemetry    spans are sampled, and exported in batches by work in the background
//	monitoring   costs each execution some time, and speeds nothing up
//	errors       hopeless calls are not repeated, and a budget bounds retries
//	breaker      calls that keep failing are not made for a while
//	cache        exact least-recently-used, with a time to live, and invalidation by writes
//	step         identical executions in flight run once
//	algorithm    results are identified by hashing, which is another identity
//	gc_percent   the collector's cycles are rarer, and memory is larger
//
// What is live and what is allocated decide how often the collector runs, as in
// Go; near the memory limit its cycles follow each other.
//
// # Luck
//
// Arrivals and keys have chance of their own, and each request has too: what one
// setting makes of a request changes nothing about the next. So two settings that
// are run with one seed get the same requests with the same luck, and differ by
// what they do. CostOf and Score are built on that: what the initial setting would
// have cost is not estimated but run.
//
// # True costs, for oracles
//
//	s, _ := plant.Named("high-frequency")
//	was, _ := s.Cost(s.Initial(), 1, 10*time.Minute)
//	is, _ := s.Cost(s.Initial().With(map[string]float64{"enable_cache_optimization": 1}), 1, 10*time.Minute)
//	regret := math.Log(is.P95 / was.P95)
//
// # What is checked
//
// What each switch does to the demonstration's workloads is predicted by Predict,
// and compared with what was measured live by package experiments/predicted. Mean
// waits agree with Erlang's C and Pollaczek-Khinchine within 2 %, the cache
// with an exact LRU, and requests are conserved under any setting at any time.
//
// # Limits
//
// CPU time is counted when a burst begins, allocation when a step does. Cores are
// equal and switch for nothing. The collector works on one core at a time, ahead
// of what waits; nobody assists it. Requests on their way back count as done.
// Results that are invalidated while they are computed are kept unless step
// optimization is on, which alone knows of them. A twin of the cache library would
// hit a little more often than LRU does. enable_automatic_optimization is the
// autopilot's own switch, and nothing here.
package plant
