package arch

import (
	"fmt"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The fake modules below are named m, so that nothing in them is taken for an
// import of this one. One file each; want is the whole message, or empty.
func TestCheck(t *testing.T) {
	for name, c := range map[string]struct{ file, text, want string }{
		"import upward": {
			"controller/a.go", `package controller; import "m/policies"`,
			"controller/a.go:1: controller imports policies and may import only internal/stats, internal/spelling: " +
				"the vocabulary and the decision core are below everything, and link nothing but the standard library",
		},
		"import sideways": {
			"policies/a.go", "package policies\n\nimport \"m/executor\"",
			"policies/a.go:3: policies imports executor and may import only controller, catalog, internal/stats, internal/spelling: " +
				"a policy proposes from what it is shown, so that it runs the same live, simulated and replayed",
		},
		"import of the root": {
			"sensors/a.go", `package sensors; import "m"`,
			"sensors/a.go:1: sensors imports the root package and may import only controller: it measures and decides nothing",
		},
		"root imports offline part": {
			"a.go", `package m; import "m/simulate"`,
			"a.go:1: the root package imports simulate and may import only controller, catalog, executor, sensors, policies, " +
				"knobs, journal: a service that embeds it links no simulator, no experiments and no dashboard",
		},
		"row below a row": {
			"experiments/a.go", `package experiments; import "m/experiments/live"`,
			"experiments/a.go:1: experiments imports experiments/live and may import only controller, catalog, policies, " +
				"simulate, journal, report, internal/stats: simulated experiments run the shipped decision code, never the live parts: " +
				"same seed, same bytes",
		},
		"example imports internal": {
			"examples/pool/main.go", `package main; import "m/internal/stats"`,
			"examples/pool/main.go:1: examples/pool imports internal/stats and may import only the public packages: " +
				"an example is a program that a user could copy, so it uses nothing internal",
		},
		"no row": {
			"helpers/a.go", "package helpers",
			"helpers/a.go:1: package helpers has no row: add one to the table in internal/arch, with what it may import and why",
		},
		"library": {
			"journal/a.go", `package journal; import "modernc.org/sqlite"`,
			"journal/a.go:1: journal imports modernc.org/sqlite and may import none: " +
				"it stores what the controller says and needs no more than files",
		},
		"library's neighbor": {
			"sensors/a.go", `package sensors; import "golang.org/x/system"`,
			"sensors/a.go:1: sensors imports golang.org/x/system and may import only github.com/shirou/gopsutil/v3, " +
				"github.com/KimMachineGun/automemlimit/memlimit, golang.org/x/sys: it measures and decides nothing",
		},
		"testing library": {
			"knobs/a.go", `package knobs; import "github.com/stretchr/testify/assert"`,
			"knobs/a.go:1: knobs imports github.com/stretchr/testify/assert and may import only golang.org/x: " +
				"testing libraries belong in _test.go files, where nobody who embeds the autopilot links them",
		},
		"unknown library in a test": {
			"knobs/a_test.go", `package knobs; import "example.org/left/pad"`,
			"knobs/a_test.go:1: a test of knobs imports example.org/left/pad: a test uses the testing libraries and what " +
				"some row allows, so that it brings in no module of its own",
		},
		"clock": {
			"controller/a.go", "package controller\n\nimport \"time\"\n\nvar t = time.Now()",
			"controller/a.go:5: controller uses time.Now: " + noClock.Why,
		},
		"clock as a value, renamed": {
			"simulate/a.go", "package simulate\n\nimport clock \"time\"\n\nvar now = clock.Since",
			"simulate/a.go:5: simulate uses clock.Since: " + noClock.Why,
		},
		"timer behind a context": {
			"policies/a.go", "package policies\n\nimport \"context\"\n\nvar f = context.WithTimeout",
			"policies/a.go:5: policies uses context.WithTimeout: " + noClock.Why,
		},
		"clock in a folder of the row": {
			"simulate/inner/a.go", "package inner\n\nimport \"time\"\n\nvar t = time.Tick(1)",
			"simulate/inner/a.go:5: simulate/inner uses time.Tick: " + noClock.Why,
		},
		"time in statistics": {
			"internal/stats/a.go", `package stats; import "time"`,
			"internal/stats/a.go:1: internal/stats imports time: " + noTime.Why,
		},
		"global chance": {
			"policies/a.go", "package policies\n\nimport \"math/rand/v2\"\n\nvar x = rand.IntN(3)",
			"policies/a.go:5: policies uses rand.IntN: " + noChance.Why,
		},
		"chance of the machine": {
			"simulate/a.go", `package simulate; import "crypto/rand"`,
			"simulate/a.go:1: simulate imports crypto/rand: " + noChance.Why,
		},
		"old chance": {
			"knobs/a.go", `package knobs; import "math/rand"`,
			"knobs/a.go:1: knobs imports math/rand: random things take a seeded source of math/rand/v2, whose sequence is fixed for good",
		},
		"outside": {
			"controller/a.go", `package controller; import "net/http"`,
			"controller/a.go:1: controller imports net/http: " + noOutside.Why,
		},
		"goroutine": {
			"controller/a.go", "package controller\n\nfunc f() {\n\tgo f()\n}",
			"controller/a.go:4: controller has a go statement: " + noGoroutines.Why,
		},
		"init": {
			"sensors/a.go", "package sensors\n\nfunc init() {}",
			"sensors/a.go:3: sensors has an init function: importing a package changes nothing: what a service does is in the code that it calls",
		},
		"dot import": {
			"sensors/a.go", `package sensors; import . "time"`,
			"sensors/a.go:1: sensors dot-imports time: a dot import hides where a name comes from, from readers and from this test",
		},
		"internal type in a signature": {
			"policies/a.go", "package policies\n\nimport \"m/internal/stats\"\n\nfunc F(n int) (*stats.Pairs, error) { return nil, nil }",
			"policies/a.go:5: F exposes stats.Pairs: " + whyPublic,
		},
		"internal type in a field": {
			"policies/a.go", "package policies\n\nimport s \"m/internal/stats\"\n\ntype T struct {\n\tA int\n\tB map[string][]s.Pairs\n}",
			"policies/a.go:7: T exposes s.Pairs: " + whyPublic,
		},
		"internal type embedded": {
			"policies/a.go", "package policies\n\nimport \"m/internal/stats\"\n\ntype T struct{ *stats.Pairs }",
			"policies/a.go:5: T exposes stats.Pairs: " + whyPublic,
		},
		"internal type in an interface": {
			"policies/a.go", "package policies\n\nimport \"m/internal/stats\"\n\ntype T interface{ M(stats.Pairs) }",
			"policies/a.go:5: T exposes stats.Pairs: " + whyPublic,
		},
		"internal type of a variable": {
			"policies/a.go", "package policies\n\nimport \"m/internal/stats\"\n\nvar V, w stats.Pairs",
			"policies/a.go:5: V exposes stats.Pairs: " + whyPublic,
		},

		"allowed: internal types inside": {
			"policies/a.go", "package policies; import \"m/internal/stats\"; type T struct { p stats.Pairs }; " +
				"type t struct { P stats.Pairs }; func (*t) M() stats.Pairs { panic(0) }; type g[T any] int; func (g[T]) M(stats.Pairs) {}; func f(stats.Pairs) {}; " +
				"func F() { var p stats.Pairs; _ = p }", "",
		},
		"allowed: row and library":     {"policies/a.go", `package policies; import ("m/controller"; "gonum.org/v1/gonum/stat")`, ""},
		"allowed: below its own row":   {"sensors/nethttp/a.go", `package nethttp; import ("m/sensors"; "m/controller"; "net/http")`, ""},
		"allowed: below another row":   {"a.go", `package m; import "m/sensors/nethttp"`, ""},
		"allowed: everything in cmd":   {"cmd/autotune/main.go", `package main; import ("m"; "m/internal/demo"; "github.com/spf13/cobra")`, ""},
		"allowed: public in examples":  {"examples/pool/main.go", `package main; import ("m"; "m/knobs"; "example.org/driver")`, ""},
		"allowed: seeded chance":       {"simulate/a.go", `package simulate; import "math/rand/v2"; var r = rand.New(rand.NewPCG(1, 2))`, ""},
		"allowed: durations":           {"controller/a.go", `package controller; import "time"; const d = 2 * time.Second`, ""},
		"allowed: dot import in tests": {"sensors/a_test.go", `package sensors_test; import . "m/sensors"`, ""},
		"allowed: clock in tests":      {"controller/a_test.go", `package controller; import ("time"; "m/simulate"; "pgregory.net/rapid"); var t = time.Now()`, ""},
		"allowed: goroutine outside":   {"journal/a.go", `package journal; func f() { go f() }`, ""},
		"allowed: method named init":   {"journal/a.go", `package journal; type T int; func (T) init() {}`, ""},
		"passed over: testdata":        {"journal/testdata/a.go", `package x; func init() {}`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			tree := fstest.MapFS{
				"go.mod": {Data: []byte("module m\n")},
				c.file:   {Data: []byte(c.text)},
			}
			module, files, err := Read(tree)
			require.NoError(t, err)
			faults := Check(module, files, Table())
			if c.want == "" {
				assert.Empty(t, faults)
				return
			}
			assert.Equal(t, []string{c.want}, faults)
		})
	}
}

func TestCheck_everyBannedName(t *testing.T) {
	for _, b := range []Ban{noClock, noChance} {
		for path, names := range b.Names {
			for _, name := range names {
				text := fmt.Sprintf("package controller\n\nimport p %q\n\nvar x = p.%s", path, name)
				tree := fstest.MapFS{"go.mod": {Data: []byte("module m\n")}, "controller/a.go": {Data: []byte(text)}}
				module, files, err := Read(tree)
				require.NoError(t, err)
				assert.Len(t, Check(module, files, Table()), 1, "%s.%s", path, name)
			}
		}
	}
}

func TestRead_passesOverOtherModules(t *testing.T) {
	module, files, err := Read(fstest.MapFS{
		"go.mod":            {Data: []byte("// A comment.\nmodule example.org/m // the path\n\ngo 1.26\n")},
		"a.go":              {Data: []byte("package m")},
		"tools/go.mod":      {Data: []byte("module tools\n")},
		"tools/a.go":        {Data: []byte("package tools")},
		"_draft/a.go":       {Data: []byte("not Go")},
		".hidden/a.go":      {Data: []byte("not Go")},
		"sensors/a_test.go": {Data: []byte("package sensors")},
	})
	require.NoError(t, err)
	assert.Equal(t, "example.org/m", module)
	require.Len(t, files, 2)
	assert.Equal(t, "", files[0].Package)
	assert.True(t, files[1].Test)
}

func TestRead_reportsWhatItCannotRead(t *testing.T) {
	_, _, err := Read(fstest.MapFS{"go.mod": {Data: []byte("go 1.26\n")}})
	require.EqualError(t, err, "go.mod: no module line")
	_, _, err = Read(fstest.MapFS{"go.mod": {Data: []byte("module m\n")}, "a.go": {Data: []byte("package")}})
	require.ErrorContains(t, err, "a.go:1:")
}
