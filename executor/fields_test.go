package executor

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"autotune/catalog"
	"autotune/controller"
)

// shownBy names, for each field, the test, here or in the root package, that
// shows that the field moves behavior: with it at one value something happens that does not at
// another, while executions run. That a value reads back is not enough. A field
// that is added needs a line here, and the table of fields has it.
var shownBy = map[string]string{
	catalog.EnableObjectPool:           "TestPool_handsOutAgainWhileOn",
	catalog.ObjectPoolMaxSize:          "TestPool_holdsNoMoreThanItsSize",
	catalog.ObjectPoolCleanupThreshold: "TestPool_cleansUpBelowTheThreshold",

	catalog.EnableContext:    "TestState_optimizationCopiesOnlyWhatIsAskedFor",
	catalog.ContextCacheSize: "TestDerived_sizeBoundsWhatIsKept",
	catalog.ContextCacheTTL:  "TestDerived_ttlBoundsHowLongItIsKept",

	catalog.EnableMemory:          "TestMemory_trimsAboveTheThresholdAtEachInterval",
	catalog.MemoryCleanupInterval: "TestMemory_trimsAboveTheThresholdAtEachInterval",
	catalog.MemoryThreshold:       "TestMemory_trimsAboveTheThresholdAtEachInterval",

	catalog.EnableConcurrency:       "TestLimit_boundsAndMovesLive",
	catalog.MaxConcurrentExecutions: "TestLimit_boundsAndMovesLive",
	catalog.ConcurrencyTimeout:      "TestLimit_rejectsAfterTheTimeout",

	catalog.EnableTelemetry:       "TestTelemetry_batchesWhileOn",
	catalog.TelemetrySamplingRate: "TestTelemetry_rateIsExactInExpectation",
	catalog.TelemetryBatchSize:    "TestTelemetry_batchesWhileOn",

	catalog.EnableMonitoring:              "TestMonitor_alertsOnWhatGotWorse",
	catalog.PerformanceMonitoringInterval: "TestMonitor_alertsOnWhatGotWorse",
	catalog.PerformanceAlertThreshold:     "TestMonitor_alertsOnWhatGotWorse",

	catalog.EnableErrorHandling: "TestErrorHandling_retriesOnlyWhatCanSucceed",
	catalog.ErrorCacheSize:      "TestErrorCache_size",

	catalog.EnableCircuitBreaker:           "TestCircuit_opensAfterFailuresInARowAndRecovers",
	catalog.CircuitBreakerFailureThreshold: "TestCircuit_opensAfterFailuresInARowAndRecovers",
	catalog.CircuitBreakerRecoveryTimeout:  "TestCircuit_liveChanges",

	catalog.EnableCache: "TestCache_offKeepsEntriesAndTheyAge",
	catalog.CacheSize:   "TestCache_sizeMovesLive",
	catalog.CacheTTL:    "TestCache_ttlMovesWithTheEntriesThatAreThere",

	catalog.EnableAlgorithm: "TestAlgorithm_switchesTheKindOfIdentity",
	catalog.EnableStep:      "TestShare_identicalExecutionsRunOnce",
	catalog.EnableAutomatic: "TestAutopilot_resumeDoesNotOverrideTheSwitch",
}

// notBuilt are fields whose behavior is still to be built. It may only shrink.
var notBuilt = []string{}

func TestFields_eachIsShownToMoveBehavior(t *testing.T) {
	tests := testFunctions(t, "*_test.go", "../*_test.go")
	of := reflect.TypeFor[Config]()
	var missing []string
	for i, f := range configFields() {
		name, ok := shownBy[f.Name]
		if !ok {
			missing = append(missing, f.Name)
			continue
		}
		file, ok := tests[name]
		require.True(t, ok, "%s is shown by %s, which does not exist", f.Name, name)
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		require.Contains(t, string(text), of.Field(i).Name, "%s: %s does not set it", f.Name, file)
	}
	require.ElementsMatch(t, notBuilt, missing, "every field needs a test in shownBy")
	for name := range shownBy {
		_, ok := catalog.FieldOf(name)
		require.True(t, ok, "%s is no field", name)
	}
}

// testFunctions are the names of test functions, each with its file.
func testFunctions(t *testing.T, globs ...string) map[string]string {
	t.Helper()
	tests := map[string]string{}
	for _, glob := range globs {
		files, err := filepath.Glob(glob)
		require.NoError(t, err)
		for _, file := range files {
			parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
			require.NoError(t, err)
			for _, d := range parsed.Decls {
				if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && strings.HasPrefix(f.Name.Name, "Test") {
					tests[f.Name.Name] = file
				}
			}
		}
	}
	return tests
}

// The table of all fields for people, from the catalog and from shownBy.
func TestFields_golden(t *testing.T) {
	var text strings.Builder
	text.WriteString(`# Fields

Every field of a configuration, by its name in files, settings and reports. Made from the catalog by ` + "`make golden`" + `.
An optimization is *exact* if results, errors and side effects are the same with it and without, and *bounded* if they may
differ as is said here. A trial moves a bounded one only if its owner turned it on or granted it.

| field | default | range | equivalence | shown to move behavior by |
|---|---|---|---|---|
`)
	fields := map[string]catalog.Field{}
	for _, f := range catalog.Fields() {
		fields[f.Name] = f
	}
	for _, o := range catalog.Optimizations() {
		for _, name := range append([]string{o.Switch}, o.Knobs...) {
			shown := shownBy[name]
			if shown == "" {
				shown = "(not built yet)"
			}
			f := fields[name]
			fmt.Fprintf(&text, "| %s | %s | %s | %v | %s |\n", name, defaultOf(f), Range(f), o.Equivalence, shown)
		}
	}
	text.WriteString(`
Durations are seconds in files, or text such as "1m30s". The cache is exact for steps that are Pure; steps that share one
execution are exact unless one declares FreshFor.

## What each does
`)
	for _, o := range catalog.Optimizations() {
		fmt.Fprintf(&text, "\n### %s\n\n%s\n\n", o.Name, o.Why)
		for _, name := range append([]string{o.Switch}, o.Knobs...) {
			f := fields[name]
			fmt.Fprintf(&text, "- `%s`: %s%s\n", name, f.Does, tradeOf(f))
		}
		if o.MayDiffer != "" {
			fmt.Fprintf(&text, "- May differ: %s\n", o.MayDiffer)
		}
		fmt.Fprintf(&text, "- Off: %s\n", o.WhileOff)
	}
	golden(t, "../docs/fields.md", text.String())
}

func defaultOf(f catalog.Field) string {
	switch {
	case f.DefaultRule != "":
		return f.DefaultRule
	case f.Kind == controller.Switch:
		return "off"
	case f.Kind == controller.Duration:
		return short(f.Default)
	}
	return strconv.FormatFloat(f.Default, 'f', -1, 64)
}

func tradeOf(f catalog.Field) string {
	switch f.Limit {
	case catalog.AtLeast:
		return " No trial goes below the owner's value."
	case catalog.AtMost:
		return " No trial goes above the owner's value."
	case catalog.NoLimit:
	}
	return ""
}
