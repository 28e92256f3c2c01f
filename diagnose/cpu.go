package diagnose

import (
	"fmt"
	"strings"

	"autotune/catalog"
	"autotune/controller"
)

const (
	// busyHost is the share of the host's processors above which waits explode: at
	// 85 % of a single server a request waits six times its work.
	busyHost = 0.85
	// mostThrottled is the share of a container's CPU periods in which it may run
	// out of its quota: each costs up to a whole period, 100 ms, of latency.
	mostThrottled = 0.05
	// mostGC is what the collector takes of CPU time by design (the runtime aims
	// at a quarter while it runs); more is a heap near its limit, or much garbage.
	mostGC = 0.25
	// mostTelemetry and mostWaiting are shares from which the guide's advice is
	// worth more than the noise of a measurement.
	mostTelemetry = 0.1
	mostWaiting   = 0.25
)

// cpu is the guide's "High CPU Usage".
func cpu(f *facts) (string, []Finding) {
	cores, ok := f.value(controller.CPUSeconds + "_per_second")
	if !ok {
		return notKnown + "cpu_seconds was not measured", nil
	}
	parts := []string{fmt.Sprintf("%.3g processors used by the process", cores)}
	for _, m := range []controller.Metric{controller.CPUPerRequest, controller.GCCPURatio, hostCPU, throttled} {
		if v, ok := f.value(m); ok {
			parts = append(parts, named(m)+" "+figure(m, v))
		}
	}
	var found []Finding
	for _, check := range []func(float64) (Finding, bool){f.fullProcessors, f.throttledCPU, f.collector, f.telemetryCost} {
		if x, ok := check(cores); ok {
			found = append(found, x)
		}
	}
	return strings.Join(parts, "; "), found
}

// fullProcessors: the host is full, or requests wait for a processor.
func (f *facts) fullProcessors(cores float64) (Finding, bool) {
	x := Finding{What: "the processors are full"}
	host, okHost := f.value(hostCPU)
	if okHost && host >= busyHost {
		x.Evidence = append(x.Evidence, f.measured(hostCPU, host, fmt.Sprintf(", this process %.3g processors of it", cores)))
	}
	wait, okWait := f.value(catalog.SchedulerWaitSeconds + "_per_request")
	mean, okMean := f.value(controller.LatencyMean)
	if okWait && okMean && wait >= mostWaiting*mean {
		x.Evidence = append(x.Evidence, f.measured(catalog.SchedulerWaitSeconds+"_per_request", wait,
			fmt.Sprintf(", ready to run with no processor free; a request takes %s on average", span(mean))))
	}
	if len(x.Evidence) == 0 {
		return x, false
	}
	x.Cause = "more work than processors: the service's own, or a neighbor's on the host"
	if cores < busyHost/2 {
		x.Cause = "others on the host: this process alone would fill less than half a processor"
		x.Next = append(x.Next, "find what else runs on the host, and move it or the service")
	}
	if steal, ok := f.value(hostSteal); ok && steal >= mostSteal {
		x.Cause = fmt.Sprintf("a neighbor: other machines on the same hardware take %s of the processors' time", figure(hostSteal, steal))
	}
	if v, ok := f.value(controller.CPUPerRequest); ok {
		x.Evidence = append(x.Evidence, f.measured(controller.CPUPerRequest, v, ""))
	}
	switch v, ok := f.now().Get(catalog.MaxConcurrentExecutions); {
	case ok && f.on(catalog.EnableConcurrency):
		x.Next = append(x.Next, fmt.Sprintf("reduce concurrency: %s below %s", catalog.MaxConcurrentExecutions, f.setTo(catalog.MaxConcurrentExecutions, v)))
	case ok && !f.idleExecutor():
		x.Next = append(x.Next, fmt.Sprintf("bound concurrency: turn %s on, or grant its trial (it may reject)", catalog.EnableConcurrency))
	}
	x.Next = append(x.Next, f.lessOverhead()...)
	return x, true
}

// lessOverhead is what the guide advises against the executor's own costs, for
// what is on.
func (f *facts) lessOverhead() []string {
	var next []string
	if rate, ok := f.now().Get(catalog.TelemetrySamplingRate); ok && f.on(catalog.EnableTelemetry) {
		next = append(next, fmt.Sprintf("sample fewer spans: %s below %v", catalog.TelemetrySamplingRate, rate))
		if batch, ok := f.now().Get(catalog.TelemetryBatchSize); ok {
			next = append(next, fmt.Sprintf("export in larger batches: %s above %v", catalog.TelemetryBatchSize, batch))
		}
	} else if v, ok := telemetryShare(&f.safeSeen); ok && v > 0 {
		next = append(next, fmt.Sprintf("turn %s on: each span is exported as it ends now", catalog.EnableTelemetry))
	}
	if f.on(catalog.EnableMonitoring) {
		next = append(next, "turn "+catalog.EnableMonitoring+" off")
	}
	return append(next, "see where the time goes: autotune diagnose --profile http://HOST/debug/pprof")
}

func (f *facts) throttledCPU(cores float64) (Finding, bool) {
	v, ok := f.value(throttled)
	if !ok || v < mostThrottled {
		return Finding{}, false
	}
	x := Finding{
		What:     "the container runs out of its CPU quota",
		Evidence: []Evidence{f.measured(throttled, v, fmt.Sprintf(" of the container's periods, at %.3g processors used", cores))},
		Cause:    "the quota is less than the service needs at its peaks; each such period stalls every request in it",
		Next:     append([]string{"raise the container's CPU limit, or spread the load"}, f.lessOverhead()...),
	}
	if p, ok := f.peaked(throttled); ok {
		x.Evidence = append(x.Evidence, p)
	}
	return x, true
}

func (f *facts) collector(float64) (Finding, bool) {
	v, ok := f.value(controller.GCCPURatio)
	if !ok || v < mostGC {
		return Finding{}, false
	}
	x := Finding{
		What: "garbage collection takes much of the CPU time", Evidence: []Evidence{f.measured(controller.GCCPURatio, v, "")},
		Cause: "much garbage",
		Next:  []string{"find what allocates: autotune diagnose --profile http://HOST/debug/pprof"},
	}
	if ratio, ok := f.value(controller.MemoryRatio); ok && ratio >= nearLimit {
		x.Cause = fmt.Sprintf("memory near its limit (%s of it): the collector runs to stay below", figure(controller.MemoryRatio, ratio))
		x.Next = append(f.lessMemory(), "raise the memory limit")
	} else if s := signalFor(&f.safeSeen, catalog.EnableObjectPool); s != "" {
		x.Cause += ": " + s
		if !f.on(catalog.EnableObjectPool) && !f.idleExecutor() {
			x.Next = append(x.Next, "let "+catalog.EnableObjectPool+" be tried: take scratch objects from an executor.Pool")
		}
		x.Next = append(x.Next, "where memory is to spare, a higher GOGC collects less often")
	}
	return x, true
}

func (f *facts) telemetryCost(float64) (Finding, bool) {
	v, ok := telemetryShare(&f.safeSeen)
	if !ok || v < mostTelemetry {
		return Finding{}, false
	}
	total := f.safeSeen.Totals[catalog.TelemetrySeconds]
	return Finding{
		What: "telemetry takes much of the CPU time",
		Evidence: []Evidence{{
			Text:   fmt.Sprintf("%s in the exporter's calls over %s, %.3g %% of the process's CPU time", span(total), clock(f.safeSeen.Over), 100*v),
			Metric: catalog.TelemetrySeconds, Value: total, OverSeconds: f.safeSeen.Over.Seconds(),
		}},
		Cause: "more spans than the exporter takes cheaply, or one that waits for what it exports to",
		Next:  f.lessOverhead(),
	}, true
}
