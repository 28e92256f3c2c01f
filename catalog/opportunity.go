package catalog

import (
	"fmt"

	"autotune/controller"
)

// Measured returns the value of a metric, and false for one that was not measured.
type Measured = func(controller.Metric) (float64, bool)

// Opportunity says what an optimization acts on, as a share of what the service
// spends: the most that it could take away. It is the guide's "profile before
// optimizing" in numbers that are measured anyway.
//
// A share errs to the side of too much: what a signal cannot tell apart counts as
// something to gain, and then a trial decides. Only what is plainly not there is
// told from what may be.
type Opportunity struct {
	// Of is the optimization, by name.
	Of string
	// Least share that is anything to act on. Below it a trial would show nothing.
	Least float64
	// Share of what the service spends that it acts on, 0..1, with the figures for
	// people ("repeats take 56 % of the time of requests"); false: not measured.
	Share func(m Measured) (share float64, figures string, ok bool)
}

// least is the usual Opportunity.Least: half of the smallest effect worth having is
// not found by any trial.
const least = 0.015

// Opportunities returns what each optimization of the catalog acts on. Those of
// EnableAutomatic and of what is not in the catalog are absent: nothing is known.
func Opportunities() []Opportunity {
	return []Opportunity{
		{EnableCache, least, repeats},
		{EnableStep, least, identical},
		{EnableObjectPool, least, scratch},
		{EnableContext, least, stateCopies},
		{EnableMemory, least, memoryPressure},
		{EnableAlgorithm, least, identities},
		{EnableTelemetry, least, spans},
		{EnableConcurrency, least, waiting},
		{EnableErrorHandling, least, retries},
		{EnableCircuitBreaker, least, retries},
		{EnableMonitoring, least, nothing},
	}
}

// OpportunityOf returns what the named optimization acts on, and whether that is known.
func OpportunityOf(name string) (Opportunity, bool) {
	for _, o := range Opportunities() {
		if o.Of == name {
			return o, true
		}
	}
	return Opportunity{}, false
}

// repeats: results that were computed before and were still fresh. A cache of the
// usual size answers those of them that its size lets it.
func repeats(m Measured) (float64, string, bool) {
	if undeclared(m) {
		return 0, noneDeclared, true
	}
	duplicates, ok := m(DuplicateInputRatio)
	if !ok {
		return 0, "", false
	}
	if duplicates <= 0 {
		return 0, "no execution with a declared result repeats an input", true
	}
	answered := 1.0
	const usual = 4096
	if miss, ok := m(CacheMissRatio(usual)); ok {
		answered = clip((1 - miss) / duplicates)
	}
	took, okTook := m(RepeatedSeconds)
	all, okAll := requestSeconds(m)
	if !okTook || !okAll {
		return clip(duplicates * answered), fmt.Sprintf("%.0f %% of executions with a declared result repeat an input, and %d entries would hold %.0f %% of those",
			100*duplicates, usual, 100*answered), true
	}
	share := clip(took / all)
	return share * answered, fmt.Sprintf("%.0f %% of executions with a declared result repeat an input, which takes %s of the time of requests; %d entries would hold %.0f %% of those",
		100*duplicates, percent(share), usual, 100*answered), true
}

const noneDeclared = "no step declares its results"

func undeclared(m Measured) bool {
	steps, ok := m(DeclaredSteps)
	return ok && steps == 0
}

// identical: while one execution is in flight another begins. They pile up where
// executions are slow, so that a few in a hundred are much of a peak.
func identical(m Measured) (float64, string, bool) {
	if undeclared(m) {
		return 0, noneDeclared, true
	}
	ratio, ok := m(IdenticalInFlightRatio)
	if !ok {
		return 0, "", false
	}
	took, okTook := m(RepeatedSeconds)
	all, okAll := requestSeconds(m)
	share := clip(ratio)
	if okTook && okAll { // what is shared is part of what repeats
		share *= clip(took / all)
	}
	return share, fmt.Sprintf("%s of executions begin while an identical one is in flight", percent(ratio)), true
}

// scratch: objects that are made and dropped. What of the allocation they are is
// not told; at most all of the collector's work is theirs.
func scratch(m Measured) (float64, string, bool) {
	if types, ok := m(PoolTypes); ok && types == 0 {
		return 0, "no step asks for pooled objects", true
	}
	gc, ok := m(controller.GCCPURatio)
	if !ok {
		return 0, "", false
	}
	bytes, _ := perExecution(m, controller.AllocBytes)
	return clip(gc), fmt.Sprintf("garbage collection takes %s of CPU time, at %s allocated an execution", percent(gc), size(bytes)), true
}

// copyRate is how fast state is copied deeply, in bytes a second of CPU time, as
// benchmarks have it: structures, not one block of memory.
const copyRate = 500e6

// stateCopies: run state that is copied for each step, and collected afterwards.
func stateCopies(m Measured) (float64, string, bool) {
	copied, ok := m(StateCopiedBytes)
	if !ok {
		return 0, "", false
	}
	if copied <= 0 {
		return 0, "no run state is copied", true
	}
	cpu, okCPU := m(controller.CPUSeconds)
	if !okCPU || cpu <= 0 {
		return 0, "", false
	}
	share := copied / copyRate / cpu
	gc, okGC := m(controller.GCCPURatio)
	if allocated, ok := m(controller.AllocBytes); ok && okGC && allocated > 0 {
		share += gc * clip(copied/allocated)
	}
	bytes, _ := perExecution(m, StateCopiedBytes)
	return clip(share), fmt.Sprintf("%s of run state are copied an execution, about %s of CPU time", size(bytes), percent(clip(share))), true
}

// memoryPressure: near the limit the collector's cycles follow each other.
func memoryPressure(m Measured) (float64, string, bool) {
	ratio, ok := m(controller.MemoryRatio)
	if !ok {
		return 0, "", false
	}
	const pressing = 0.6 // the guide's lowest threshold
	if ratio < pressing {
		return 0, fmt.Sprintf("memory is at %s of its limit, and cleanup begins at 60 %% or more", percent(ratio)), true
	}
	gc, ok := m(controller.GCCPURatio)
	if !ok {
		gc = ratio - pressing
	}
	return clip(gc), fmt.Sprintf("memory is at %s of its limit, and collection takes %s of CPU time", percent(ratio), percent(gc)), true
}

// identityCost is how much longer an identity takes by canonical encoding and
// SHA-256 than by typed hashing.
const identityCost = 450e-9

// identities: what it takes to identify inputs, which is done while results are
// looked up or shared. That the cache is off is not in a sample: who asks knows.
func identities(m Measured) (float64, string, bool) {
	executions, ok := m(Executions)
	cpu, okCPU := m(controller.CPUSeconds)
	if !ok || !okCPU || cpu <= 0 {
		return 0, "", false
	}
	share := clip(executions * identityCost / cpu)
	return share, fmt.Sprintf("identities of inputs take %s of CPU time at most", percent(share)), true
}

// spans: what exporting takes.
func spans(m Measured) (float64, string, bool) {
	took, ok := m(TelemetrySeconds)
	cpu, okCPU := m(controller.CPUSeconds)
	if !ok || !okCPU || cpu <= 0 {
		return 0, "", false
	}
	share := clip(took / cpu)
	return share, fmt.Sprintf("exporting spans takes as long as %s of CPU time", percent(share)), true
}

// waiting: goroutines that are ready and have no processor. A bound does not make
// processors: half of the time of requests spent waiting is what a queue has at
// four fifths of its capacity, and beyond that it is worth asking who waits.
func waiting(m Measured) (float64, string, bool) {
	waited, ok := m(SchedulerWaitSeconds)
	all, okAll := requestSeconds(m)
	if !ok || !okAll {
		return 0, "", false
	}
	const ordinary = 0.5
	share := clip(waited / all)
	return max(0, share-ordinary) / (1 - ordinary), fmt.Sprintf("waiting for a processor takes %s of the time of requests, and up to 50 %% is ordinary", percent(share)), true
}

// retriesCount is how much of the time of requests an attempt that failed is taken
// for: it waits for a timeout, and then the work is done again.
const retriesCount = 10

// retries: attempts that failed.
func retries(m Measured) (float64, string, bool) {
	executions, ok := m(Executions)
	again, okAgain := m(Retries)
	if !ok || !okAgain || executions <= 0 {
		return 0, "", false
	}
	instead, _ := m(Fallbacks)
	failed, _ := m(FailedExecutions)
	bursts, _ := m(ErrorBursts)
	ratio := (again + instead + failed) / executions // each is an attempt that failed
	figures := fmt.Sprintf("%.2f %% of executions have an attempt that fails", 100*ratio)
	if bursts > 0 {
		figures += fmt.Sprintf(", in bursts: %.0f", bursts)
	}
	return clip(retriesCount * ratio), figures, true
}

func nothing(Measured) (float64, string, bool) {
	return 0, "it makes nothing faster: it tells when something got slower", true
}

// requestSeconds is the time of all requests together.
func requestSeconds(m Measured) (float64, bool) {
	mean, ok := m(controller.LatencyMean)
	n, okN := m(controller.Completions)
	all := mean * n
	return all, ok && okN && all > 0
}

func perExecution(m Measured, total controller.Metric) (float64, bool) {
	v, ok := m(total)
	n, okN := m(Executions)
	if !ok || !okN || n <= 0 {
		return 0, false
	}
	return v / n, true
}

func clip(share float64) float64 { return min(max(share, 0), 1) }

// percent of a share, with a digit where it is small.
func percent(share float64) string {
	if share < 0.0995 {
		return fmt.Sprintf("%.1f %%", 100*share)
	}
	return fmt.Sprintf("%.0f %%", 100*share)
}

func size(bytes float64) string {
	switch {
	case bytes >= 1e9:
		return fmt.Sprintf("%.1f GB", bytes/1e9)
	case bytes >= 1e6:
		return fmt.Sprintf("%.1f MB", bytes/1e6)
	case bytes >= 1e3:
		return fmt.Sprintf("%.1f KB", bytes/1e3)
	}
	return fmt.Sprintf("%.0f B", bytes)
}

// Waits returns the switches of which one must be on before there is anything for an
// optimization to act on, and whether it has any.
func Waits(name string) ([]string, bool) {
	if name == EnableAlgorithm { // inputs are identified to be looked up or shared
		return []string{EnableCache, EnableStep}, true
	}
	return nil, false
}
