// Package autotune is an autopilot for Go services. It samples CPU, memory and
// latency, tries one optimization at a time under a randomized live experiment,
// keeps a change only on evidence that holds under drift, rolls back a harmful
// one within seconds, and records why.
//
//	pilot, err := autotune.Start(ctx, autotune.Config{
//		Executor: executor.Config{EnableAutomaticOptimization: true},
//		Journal:  "/var/lib/shop/autotune",
//	})
//	if err != nil { ... }
//	defer pilot.Close()
//	price, err := executor.NewStep(pilot.Executor(), executor.StepConfig[string, int]{
//		Name: "price", Run: computePrice, Results: executor.Pure(),
//	})
//	http.ListenAndServe(addr, nethttp.Middleware(pilot.Recorder(), routes))
//
// # What it promises
//
// A first start changes nothing by itself. Outside a trial's own blocks the last
// kept setting is in force or being restored. What an operator changes wins and
// is adopted. A journal that cannot be written stops trials, never the service.
// Close withdraws a candidate and leaves what was kept; CloseToInitial goes back
// to the start. If the loop ever stalls or panics, a lease puts the last kept
// setting back.
//
// # How it is put together
//
// Package controller decides, and has no clock, I/O or goroutine. This package
// wires it to a live service: executor and knobs are what it moves, sensors are
// what it sees, policies say what to try, journal remembers.
package autotune
