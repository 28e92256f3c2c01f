// Package sensors turns what a service, its process, its container and its host
// say of themselves into samples. It decides nothing.
//
// # What a sensor owes a controller
//
// A controller can be no better than what it sees, so the sensors keep a few
// promises that are easy to break:
//
//   - Absent is not zero. What could not be read is missing from the sample, and
//     Absent says why. The first reading of a rate gives no value.
//   - Nothing is lost or counted twice. What all the samples of an epoch say
//     adds up to what was recorded.
//   - Effects have owners. An epoch is a stretch of time under one setting. A
//     request counts for the epoch in which it started, or a slow one would be
//     charged to the setting that found it there.
//   - A stall is seen. A request that does not end has no latency, so a service
//     that hangs looks fast: the worst requests are missing from its quantiles.
//     Here the unfinished ones are in the sample, at their age so far.
//   - The sender's clock counts. Under open-loop load a latency is from the time
//     at which the request was meant to be sent; one that waited because the
//     service was slow to take it has been slow.
//   - The sensor is not the load. A request costs about 30 ns and two readings
//     of the clock, and no allocation, and scales with the processors; a sample
//     costs some 10 µs, a reading of the host half a millisecond at most, once a second.
//
// # Parts
//
// Recorder counts requests (recorder.go, shard.go). Sensors adds the rest:
//
//	fact                    from                            when
//	CPU of the process      getrusage, microseconds         each sample
//	resident memory         /proc/self/statm, kept open     each sample
//	heap, collector         runtime/metrics                 each sample
//	CPU, memory of the host gopsutil, differences own       each HostEvery
//	memory limit            control group, GOMEMLIMIT, host each HostEvery
//	quota, throttling, use  control group                   each HostEvery
//	scheduling, pauses      runtime/metrics                 each HostEvery
//	files, disk, network    /proc/self                      each HostEvery
//
// Table has all of them, with units and costs: docs/sensors.md.
//
// The package starts no goroutine: samples are taken when they are asked for.
// Package sensors/nethttp has middleware that records HTTP requests.
package sensors
