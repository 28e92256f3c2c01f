package arch

import "strings"

// Row says what the code of one package may import and may never do. It holds
// for the packages below it too, unless they have rows of their own; packages
// under one row may import each other.
type Row struct {
	// Package is a path within the module; "" is the root package.
	Package string
	// Imports are the packages of the module that it may import, the packages
	// below each included.
	Imports []string
	// Libraries are the third-party packages that it may import, each with the
	// packages below it.
	Libraries []string
	// Never lists what it may not do, with reasons.
	Never []Ban
	// Why is the reason for the two lists of imports.
	Why string
}

const (
	// Root stands for the root package in a list of imports.
	Root = ""
	// Public stands for every package of the module that is not internal.
	Public = "<public>"
	// Any stands for every package of the module, or every library.
	Any = "<any>"
)

// Table is the import rule, from the bottom up.
func Table() []Row {
	return []Row{
		{
			Package:   "internal/stats",
			Libraries: []string{"gonum.org/v1/gonum"},
			Never:     []Ban{noTime},
			Why:       "statistics are numbers in, numbers out: they know no metrics, trials or time",
		},
		{
			Package: "internal/spelling",
			Why:     "names in, a name out",
		},
		{
			Package: "controller",
			Imports: []string{"internal/stats", "internal/spelling"},
			Never:   []Ban{noClock, noChance, noOutside, noGoroutines},
			Why:     "the vocabulary and the decision core are below everything, and link nothing but the standard library",
		},
		{
			Package: "catalog",
			Imports: []string{"controller", "internal/spelling"},
			Why:     "the guide as data: it describes optimizations and runs none",
		},
		{
			Package: "executor",
			Imports: []string{"controller", "catalog"},
			Libraries: []string{
				"github.com/maypok86/otter/v2",
				"github.com/failsafe-go/failsafe-go",
				"golang.org/x/sync/singleflight",
				"github.com/cespare/xxhash/v2",
				"go.opentelemetry.io/otel/attribute",
				"go.opentelemetry.io/otel/codes",
				"go.opentelemetry.io/otel/trace",
				"github.com/rs/zerolog",
				"github.com/goccy/go-yaml",
				"github.com/google/jsonschema-go/jsonschema",
				"github.com/KimMachineGun/automemlimit/memlimit",
			},
			Why: "it runs steps as it is set; deciding what to try is for policies",
		},
		{
			Package: "sensors",
			Imports: []string{"controller"},
			Libraries: []string{
				"github.com/shirou/gopsutil/v3",
				"github.com/KimMachineGun/automemlimit/memlimit",
				"golang.org/x/sys",
			},
			Why: "it measures and decides nothing",
		},
		{
			Package:   "policies",
			Imports:   []string{"controller", "catalog", "internal/stats", "internal/spelling"},
			Libraries: []string{"gonum.org/v1/gonum"},
			Never:     []Ban{noClock, noChance},
			Why:       "a policy proposes from what it is shown, so that it runs the same live, simulated and replayed",
		},
		{
			Package: "policies/policytest",
			Imports: []string{"controller", "simulate"},
			Why:     "a conformance suite that others run on their own policies brings no policy of ours along",
		},
		{
			Package:   "simulate",
			Imports:   []string{"controller", "catalog", "internal/stats", "internal/spelling"},
			Libraries: []string{"gonum.org/v1/gonum", "github.com/ulikunitz/xz"},
			Never:     []Ban{noClock, noChance},
			Why:       "a simulated service is a Target: it knows neither who tunes it nor the live parts that it stands for",
		},
		{
			Package:   "knobs",
			Imports:   []string{"controller"},
			Libraries: []string{"golang.org/x"},
			Why:       "actuators are for any Go service, and cost it no dependency",
		},
		{
			Package: "journal",
			Imports: []string{"controller"},
			Why:     "it stores what the controller says and needs no more than files",
		},
		{
			Package:   Root,
			Imports:   []string{"controller", "catalog", "executor", "sensors", "policies", "knobs", "journal"},
			Libraries: []string{"github.com/rs/zerolog"},
			Why:       "a service that embeds it links no simulator, no experiments and no dashboard",
		},
		{
			Package:   "dashboard",
			Imports:   []string{Root, "controller", "journal"},
			Libraries: []string{"github.com/rs/zerolog", "golang.org/x/time/rate"},
			Why:       "it shows a running autopilot and is mounted only by those who want it",
		},
		{
			Package:   "metrics",
			Imports:   []string{Root, "controller", "executor", "sensors"},
			Libraries: []string{"github.com/prometheus", "go.opentelemetry.io/otel/attribute", "go.opentelemetry.io/otel/metric"},
			Why:       "it reads counters that are there already, when it is scraped; only those who want it link a metrics client",
		},
		{
			Package:   "diagnose",
			Imports:   []string{Root, "controller", "catalog", "executor", "journal"},
			Libraries: []string{"github.com/google/pprof/profile"},
			Why:       "it explains what was measured and kept, and changes nothing",
		},
		{
			Package:   "report",
			Libraries: []string{"gonum.org/v1/plot"},
			Never:     []Ban{noClock, noChance},
			Why:       "a report is what it is given, in four formats: the same figures make the same bytes",
		},
		{
			Package: "report/history",
			Imports: []string{"controller", "journal", "report"},
			Never:   []Ban{noClock, noChance},
			Why:     "it tells what a journal holds, and decides nothing",
		},
		{
			Package:   "experiments",
			Imports:   []string{"controller", "catalog", "policies", "simulate", "journal", "report", "internal/stats"},
			Libraries: []string{"gonum.org/v1/gonum"},
			Never:     []Ban{noClock},
			Why:       "simulated experiments run the shipped decision code, never the live parts: same seed, same bytes",
		},
		{
			Package: "experiments/live",
			Imports: []string{
				Root, "controller", "catalog", "executor", "policies", "experiments", "report", "internal/demo", "internal/stats",
			},
			Why: "live measurements are kept apart from the experiments that repeat to the byte",
		},
		{
			Package: "experiments/liveorder",
			Imports: []string{
				Root, "controller", "catalog", "executor", "policies", "experiments", "experiments/live", "report", "internal/demo", "internal/stats",
			},
			Why: "live measurements are kept apart from the experiments that repeat to the byte",
		},
		{
			Package:   "experiments/overhead",
			Imports:   []string{Root, "controller", "dashboard", "executor", "experiments/live", "internal/stats", "knobs", "sensors"},
			Libraries: []string{"github.com/prometheus/client_golang"},
			Why:       "it measures a service that embeds the autopilot, as any would, beside what else one would mount",
		},
		{
			Package:   "internal/terminal",
			Imports:   []string{Root, "controller"},
			Libraries: []string{"github.com/vbauerster/mpb/v8"},
			Why:       "it draws a running autopilot on a terminal",
		},
		{
			Package:   "internal/demo",
			Imports:   []string{Root, "controller", "executor", "sensors", "knobs"},
			Libraries: []string{"modernc.org/sqlite"},
			Why:       "the demonstration service uses what any service would",
		},
		{
			Package: "internal/soak",
			Imports: []string{Root, "controller", "dashboard", "executor", "journal", "knobs", "sensors"},
			Why:     "the soak is a test of a whole service, and uses what a service would",
		},
		{
			Package: "internal/arch",
			Why:     "the judge of imports has none",
		},
		{
			Package:   "cmd/autotune",
			Imports:   []string{Any},
			Libraries: []string{Any},
			Why:       "the command line puts everything together",
		},
		{
			Package:   "examples",
			Imports:   []string{Public},
			Libraries: []string{Any},
			Why:       "an example is a program that a user could copy, so it uses nothing internal",
		},
	}
}

// TestLibraries are third-party packages for _test.go files only: a product
// that embeds the autopilot never links them.
func TestLibraries() []string {
	return []string{
		"github.com/stretchr/testify",
		"pgregory.net/rapid",
		"go.uber.org/goleak",
		"go.opentelemetry.io/otel",
		"github.com/sony/gobreaker/v2",
		"github.com/ulikunitz/xz",
		"github.com/chromedp",
	}
}

// rowFor returns the row of pkg: its own, or that of the nearest package above
// it. The root package is above nothing.
func rowFor(rows []Row, pkg string) (Row, bool) {
	var found Row
	ok := false
	for _, r := range rows {
		if within(pkg, r.Package) && (!ok || len(r.Package) > len(found.Package)) {
			found, ok = r, true
		}
	}
	return found, ok
}

// within reports whether path is dir or below it. Nothing is below "".
func within(path, dir string) bool {
	return path == dir || dir != "" && strings.HasPrefix(path, dir+"/")
}
