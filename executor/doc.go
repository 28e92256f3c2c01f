// Package executor runs steps of a service, with optimizations that can be
// switched while it runs.
//
// A Step is a function with a name: it is bound once and run many times, typed,
// without reflection on the hot path.
//
//	ex, err := executor.New(executor.Config{EnableCacheOptimization: true})
//	price, err := executor.NewStep(ex, executor.StepConfig[string, float64]{
//		Name:    "price",
//		Run:     lookUp,
//		Results: executor.FreshFor(time.Second),
//	})
//	p, err := price.Run(ctx, "EUR")
//
// # What a step runs through
//
// From the outside in: fallback, cache, sharing of identical executions,
// attempts with backoff, permit, timeout, function. Each layer is there only for
// a step that asks for it under a configuration that has it on; a step that
// asks for nothing is a call, a counter and a recover.
//
// # What stays the same
//
// An optimization never changes what a step means. Only steps that declare
// their results Pure or FreshFor are cached or shared; errors never are kept.
// Inputs are told apart exactly, not by a hash. Outputs that a caller could
// change are copied. The cancellation of the one who computes never fails those
// who wait for the result. Permits are held by leaf calls only, so nested steps
// cannot deadlock.
//
// # Changing it while it runs
//
// Apply swaps the whole configuration in one step. An execution ends under the
// configuration that it began with; none is lost or stopped. Setting reads back
// what is in force from the parts themselves.
//
// Everything in this package is safe for concurrent use unless its comment says
// otherwise.
package executor
