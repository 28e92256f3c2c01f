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
// # Flows
//
// Then, Sequence, If, Loop, Parallel, Both and Map put steps together; NewFlow
// binds what they make, with run state if it is given keys (see Key and State).
//
// # What stays the same
//
// An optimization never changes what a step means. Only steps that declare
// their results Pure or FreshFor are cached or shared; errors never are kept.
// Inputs are told apart by all that they hold. Outputs that a caller could
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
// # How an optimization is built in
//
// An optimization is data in package catalog, a field or more of Config, and
// one file here with its part (see parts.go). To add one:
//
//   - catalog: a file with its fields and its hypothesis, and a line in the list
//     of hypotheses. Ranges, defaults, knobs, files and documentation follow.
//   - Config and accesses: the fields, in the catalog's order. A test compares.
//   - parts.go: a feature and its line in switches, and a line in parts if there
//     is something that lives longer than an execution (a cache, a queue, a
//     goroutine). What only changes the way an execution goes needs no part.
//   - counters.go: what it counts.
//   - a test for each field that shows that the field moves behavior, named in
//     shownBy (fields_test.go); then make golden, which writes docs/fields.md.
//
// A configuration reaches the parts like this. Apply validates it, fills in the
// defaults, and makes a snapshot. Under the executor's lock each part is told by
// reconcile(next): it moves its own live values to next.config, and puts into
// next what executions need of it. Then the snapshot is published with one
// atomic store. An execution loads it once, when it begins, and passes it down
// as st; nothing reads it a second time, so that an execution never sees half of
// a change. Four rules follow from "executions of older snapshots still run":
//
//   - What an execution needs and has no life of its own (a rate, a threshold)
//     is read from st.config, and is no part's business.
//   - What has a life of its own and must survive a change (warm entries, who
//     queues, circuits) is moved in place, both ways, with callers in it. It is
//     made when it is first switched on, and kept. Off never takes away what an
//     execution holds: it lets those who wait go on, and takes back in silence
//     what they return.
//   - What must be replaced is put into next, and the one before goes on until
//     the last execution that holds it has ended.
//   - reconcile cannot fail: what can be refused is refused by Validate, before
//     any part is told. It waits for nothing, and calls nobody who could call the
//     executor.
//
// An interval is a periodic: its goroutine begins when it is first on, moves
// with set, and ends with stop. Close lets nothing further begin, waits for what
// runs, and then stops the parts in reverse.
//
// In Run a step compares the features that are on with those relevant to it; if
// none is, it takes the short way. A layer asks st.features once and costs
// nothing otherwise. Its place is fixed by what it must see: telemetry and
// monitoring are outermost and see each execution once; then cache and sharing,
// which answer without an attempt; then attempts, where errors are classified
// and retries budgeted; in each attempt the circuit first, so that a rejection
// takes no permit; then permit, timeout, function. What a layer keeps per step is
// a field of Step, made in NewStep, which also says what is relevant.
//
// Everything in this package is safe for concurrent use unless its comment says
// otherwise.
package executor
