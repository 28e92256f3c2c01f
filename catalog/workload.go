package catalog

import (
	"fmt"
	"math"
	"strings"

	"autotune/controller"
)

// Names of the guide's workloads.
const (
	HighAllocation = "high-allocation"
	LargeContext   = "large-context"
	CPUIntensive   = "cpu-intensive"
	HighFrequency  = "high-frequency"
	LowLatency     = "low-latency"
)

// Sign is one thing by which a workload is known. A service shows it to the degree
// of its value over Limit, or the other way round where little of it is the sign.
type Sign struct {
	// What it is, for people, with %s for the value: "repeats take %s of the time of requests".
	What string
	// Value of a service; false: not measured.
	Value func(Measured) (float64, bool)
	// Limit from which on the sign is clear.
	Limit float64
	// Below: it is one that is clear below the limit.
	Below bool
	// Why the limit is where it is.
	Why string
	// Text writes a value.
	Text func(float64) string
}

// degree to which a service shows the sign: 1 at the limit.
func (s *Sign) degree(v float64) float64 {
	switch {
	case s.Below && v <= 0:
		return math.Inf(1)
	case s.Below:
		return s.Limit / v
	}
	return v / s.Limit
}

// Workload is one of the guide's kinds of service, or of its systems with little or
// much memory, and by what it is known. All signs must be clear.
type Workload struct {
	Name  string
	Signs []Sign
	// Overlay: it is a property of the system beside the workload.
	Overlay bool
}

// Workloads returns the guide's five, then its two overlays.
func Workloads() []Workload {
	ratio := percent
	return []Workload{
		{Name: HighAllocation, Signs: []Sign{{
			What: "garbage collection takes %s of CPU time", Value: of(controller.GCCPURatio), Limit: 0.2, Text: ratio,
			Why: "at Go's default target a service with a small live heap spends a sixth of its CPU time on collection; a fifth is beyond what is usual",
		}}},
		{Name: LargeContext, Signs: []Sign{
			{
				What: "a copy of run state has %s", Value: of(StateBytes), Limit: 10 * 1024, Text: size,
				Why: "the guide calls contexts above 10 KB large",
			},
			{
				What: "an execution copies %s", Value: func(m Measured) (float64, bool) { return perExecution(m, StateCopiedBytes) }, Limit: 1024, Text: size,
				Why: "below the guide's smallest band copies are rare, however large",
			},
		}},
		{Name: CPUIntensive, Signs: []Sign{{
			What: "waiting for a processor takes %s of the time of requests", Value: waitShare, Limit: 0.3, Text: ratio,
			Why: "two processors of which three in ten are in use, in bursts, let requests wait so long; less is idle",
		}}},
		{Name: HighFrequency, Signs: []Sign{{
			What: "repeats take %s of the time of requests", Value: repeatShare, Limit: 0.3, Text: ratio,
			Why: "where a third of the time goes into what was computed before, repetition is what the service is about",
		}}},
		{Name: LowLatency, Signs: []Sign{
			{
				What: "the p95 is %s", Value: of(controller.LatencyP95), Limit: 0.01, Below: true, Text: milliseconds,
				Why: "who waits ten milliseconds for most answers has no strict latency to lose",
			},
			{
				What: "the processors are %s in use", Value: of(CPUUtilization), Limit: 0.05, Below: true, Text: ratio,
				Why: "a service that is idle is kept so for the sake of its latency",
			},
		}},
		{Name: MemoryConstrained, Overlay: true, Signs: []Sign{{
			What: "memory is at %s of its limit", Value: of(controller.MemoryRatio), Limit: 0.7, Text: ratio,
			Why: "the guide's cleanup for pressed services begins at 0.7",
		}}},
		{Name: HighMemory, Overlay: true, Signs: []Sign{
			{
				What: "the memory limit is %s", Value: of(MemoryLimitBytes), Limit: 16 << 30, Text: size,
				Why: "caches of 16,384 entries of a megabyte fit",
			},
			{
				What: "memory is at %s of it", Value: of(controller.MemoryRatio), Limit: 0.25, Below: true, Text: ratio,
				Why: "three quarters are to spare",
			},
		}},
	}
}

// The guide's overlays for systems.
const (
	MemoryConstrained = "memory-constrained"
	HighMemory        = "high-memory"
)

// MemoryLimitBytes is the gauge of the limit that memory_ratio is against.
const MemoryLimitBytes controller.Metric = "memory_limit_bytes"

// Recognized is what a service was recognized as.
type Recognized struct {
	// Workload is one of the guide's five, or "" for none in particular.
	Workload string
	// System is one of the two overlays, or "".
	System string
	// Load and State are the bands of the guide's tables that the service is in: small, medium or large;
	// "" where they were not measured.
	Load, State string
	// Why says by what it was recognized, in one sentence.
	Why string
}

// hysteresis is by how much a service must have moved beyond a limit before it is
// taken for something else than it was: a block of requests has noise of its own.
const hysteresis = 1.25

// Recognize says what kind of service was measured. was is what it was recognized
// as before, "" for nothing yet: it stays until another kind is clearer by a quarter,
// or its own signs have faded by a fifth. treated: what the guide turns on for it is on,
// and takes its signs away. Then it stays what it was until another kind is clear, and
// that it is quick now makes it none that has strict latency. It is a pure function of
// its arguments.
func Recognize(m Measured, was string, treated bool) Recognized {
	var out Recognized
	best, system := 1.0, 1.0
	var why, systemWhy string
	for _, w := range Workloads() {
		degree, text, ok := w.degree(m)
		switch {
		case w.Name == was && treated:
			degree, text = max(degree, 1), "it was before what is on now took its signs away"
		case !ok, w.Name == LowLatency && treated:
			continue
		}
		if w.Name == was {
			degree *= hysteresis
		}
		switch {
		case w.Overlay && degree >= system:
			out.System, system, systemWhy = w.Name, degree, text
		case !w.Overlay && degree >= best:
			out.Workload, best, why = w.Name, degree, text
		}
	}
	out.Load, out.State = bandOf("object pool", m), bandOf("context cache", m)
	out.Why = out.sentence(why, systemWhy)
	return out
}

func (r *Recognized) sentence(why, system string) string {
	parts := []string{"no workload in particular"}
	if r.Workload != "" {
		parts[0] = fmt.Sprintf("%s, as %s", r.Workload, why)
	}
	if r.System != "" {
		parts = append(parts, fmt.Sprintf("%s, as %s", r.System, system))
	}
	if r.Load != "" {
		parts = append(parts, r.Load+" load")
	}
	if r.State != "" {
		parts = append(parts, r.State+" run state")
	}
	return strings.Join(parts, "; ")
}

// degree to which a service is of the kind: that of the least clear sign.
func (w *Workload) degree(m Measured) (float64, string, bool) {
	degree := math.Inf(1)
	var why []string
	for i := range w.Signs {
		s := &w.Signs[i]
		v, ok := s.Value(m)
		if !ok {
			return 0, "", false
		}
		degree = min(degree, s.degree(v))
		why = append(why, fmt.Sprintf(s.What, s.Text(v)))
	}
	return degree, strings.Join(why, " and "), true
}

// bandOf is the name of the row of a table that a service is in, or "".
func bandOf(table string, m Measured) string {
	for _, b := range Bands() {
		if b.Table != table || b.Metric == "" {
			continue
		}
		if v, ok := m(b.Metric); ok && v >= b.Low && v < b.High {
			return b.Name
		}
	}
	return ""
}

func of(metric controller.Metric) func(Measured) (float64, bool) {
	return func(m Measured) (float64, bool) { return m(metric) }
}

func waitShare(m Measured) (float64, bool) {
	waited, ok := m(SchedulerWaitSeconds)
	all, okAll := requestSeconds(m)
	return waited / all, ok && okAll
}

func repeatShare(m Measured) (float64, bool) {
	took, ok := m(RepeatedSeconds)
	all, okAll := requestSeconds(m)
	return took / all, ok && okAll
}

func milliseconds(seconds float64) string { return fmt.Sprintf("%.3g ms", 1e3*seconds) }
