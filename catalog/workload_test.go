package catalog_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"autotune/catalog"
	"autotune/controller"
)

// measured is a service by its metrics.
type measured map[controller.Metric]float64

func (m measured) value(name controller.Metric) (float64, bool) { v, ok := m[name]; return v, ok }

// minute is a service at 400 requests/s whose requests take a millisecond, with more
// or other measurements.
func minute(with measured) measured {
	m := measured{
		controller.LatencyMean: 0.001, controller.LatencyP95: 0.02, controller.Completions: 24_000, catalog.Executions: 24_000,
		controller.CPUSeconds: 12, controller.AllocBytes: 3e9, controller.GCCPURatio: 0.1, catalog.CPUUtilization: 0.1, catalog.Load: 400,
	}
	for name, v := range with {
		m[name] = v
	}
	return m
}

func TestRecognize(t *testing.T) {
	state := measured{catalog.StateBytes: 17_000, catalog.StateCopiedBytes: 8e8}
	for name, c := range map[string]struct {
		m       measured
		was     string
		treated bool
		want    catalog.Recognized
	}{
		"nothing measured":        {measured{}, "", false, catalog.Recognized{Why: "no workload in particular"}},
		"nothing in particular":   {minute(nil), "", false, catalog.Recognized{Load: "medium", Why: "no workload in particular; medium load"}},
		"collection":              {minute(measured{controller.GCCPURatio: 0.24}), "", false, catalog.Recognized{Workload: "high-allocation", Load: "medium", Why: "high-allocation, as garbage collection takes 24 % of CPU time; medium load"}},
		"large state":             {minute(state), "", false, catalog.Recognized{Workload: "large-context", Load: "medium", State: "large", Why: "large-context, as a copy of run state has 17.0 KB and an execution copies 33.3 KB; medium load; large run state"}},
		"large state, but rarely": {minute(measured{catalog.StateBytes: 17_000, catalog.StateCopiedBytes: 1e6}), "", false, catalog.Recognized{Load: "medium", State: "large", Why: "no workload in particular; medium load; large run state"}},
		"waits":                   {minute(measured{catalog.SchedulerWaitSeconds: 12}), "", false, catalog.Recognized{Workload: "cpu-intensive", Load: "medium", Why: "cpu-intensive, as waiting for a processor takes 50 % of the time of requests; medium load"}},
		"repeats":                 {minute(measured{catalog.RepeatedSeconds: 14}), "", false, catalog.Recognized{Workload: "high-frequency", Load: "medium", Why: "high-frequency, as repeats take 58 % of the time of requests; medium load"}},
		"repeats, clearer than the waits": {
			minute(measured{catalog.RepeatedSeconds: 20, catalog.SchedulerWaitSeconds: 8}), "", false,
			catalog.Recognized{Workload: "high-frequency", Load: "medium", Why: "high-frequency, as repeats take 83 % of the time of requests; medium load"},
		},
		"quick and idle": {
			minute(measured{controller.LatencyP95: 0.004, catalog.CPUUtilization: 0.03}), "", false,
			catalog.Recognized{Workload: "low-latency", Load: "medium", Why: "low-latency, as the p95 is 4 ms and the processors are 3.0 % in use; medium load"},
		},
		"quick and busy": {minute(measured{controller.LatencyP95: 0.004}), "", false, catalog.Recognized{Load: "medium", Why: "no workload in particular; medium load"}},
		"near the memory limit": {
			minute(measured{controller.MemoryRatio: 0.8}), "", false,
			catalog.Recognized{System: "memory-constrained", Load: "medium", Why: "no workload in particular; memory-constrained, as memory is at 80 % of its limit; medium load"},
		},
		"memory to spare": {
			minute(measured{controller.MemoryRatio: 0.1, catalog.MemoryLimitBytes: 64e9}), "", false,
			catalog.Recognized{System: "high-memory", Load: "medium", Why: "no workload in particular; high-memory, as the memory limit is 64.0 GB and memory is at 10 % of it; medium load"},
		},
		"little of a small limit": {minute(measured{controller.MemoryRatio: 0.1, catalog.MemoryLimitBytes: 1e9}), "", false, catalog.Recognized{Load: "medium", Why: "no workload in particular; medium load"}},
		"noise does not move it":  {minute(measured{controller.GCCPURatio: 0.17}), "high-allocation", false, catalog.Recognized{Workload: "high-allocation", Load: "medium", Why: "high-allocation, as garbage collection takes 17 % of CPU time; medium load"}},
		"it faded":                {minute(measured{controller.GCCPURatio: 0.15}), "high-allocation", false, catalog.Recognized{Load: "medium", Why: "no workload in particular; medium load"}},
		"another is as clear": {
			minute(measured{controller.GCCPURatio: 0.21, catalog.RepeatedSeconds: 8}), "high-allocation", false,
			catalog.Recognized{Workload: "high-allocation", Load: "medium", Why: "high-allocation, as garbage collection takes 21 % of CPU time; medium load"},
		},
		"another is clearer": {
			minute(measured{controller.GCCPURatio: 0.21, catalog.RepeatedSeconds: 14}), "high-allocation", false,
			catalog.Recognized{Workload: "high-frequency", Load: "medium", Why: "high-frequency, as repeats take 58 % of the time of requests; medium load"},
		},
		"quick since its cache is on": {
			minute(measured{controller.LatencyP95: 0.001, catalog.CPUUtilization: 0.02, catalog.RepeatedSeconds: 0.1}), "high-frequency", true,
			catalog.Recognized{Workload: "high-frequency", Load: "medium", Why: "high-frequency, as it was before what is on now took its signs away; medium load"},
		},
		"its cache is on, and now it copies": {
			minute(state), "high-frequency", true,
			catalog.Recognized{Workload: "large-context", Load: "medium", State: "large", Why: "large-context, as a copy of run state has 17.0 KB and an execution copies 33.3 KB; medium load; large run state"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := catalog.Recognize(c.m.value, c.was, c.treated)
			require.Equal(t, c.want, got)
			require.Equal(t, got, catalog.Recognize(c.m.value, c.was, c.treated))
		})
	}
}

func TestWorkloads_areTheGuides(t *testing.T) {
	seen := map[string]bool{}
	for _, w := range catalog.Workloads() {
		require.False(t, seen[w.Name])
		seen[w.Name] = true
		require.NotEmpty(t, w.Signs)
		for _, s := range w.Signs {
			require.Positive(t, s.Limit)
			require.NotEmpty(t, s.Why, w.Name)
			require.Contains(t, s.What, "%s")
		}
		if _, err := catalog.Order(w.Name); !w.Overlay {
			require.NoError(t, err)
		}
	}
	for _, p := range catalog.Presets() {
		if p.Overlay {
			require.True(t, seen[p.Name])
		}
	}
	require.Len(t, seen, 7)
}
