package arch

import (
	"slices"
	"strings"
)

// Ban is something that code may not do, with the reason.
type Ban struct {
	// Imports are import paths; one that ends in /... bans the packages below it too.
	Imports []string
	// Names are package-level names by the import path they come from.
	Names map[string][]string
	// Go bans go statements.
	Go bool
	// Init bans functions named init.
	Init bool
	// Dot bans dot imports.
	Dot bool
	// Tests extends the ban to _test.go files.
	Tests bool
	// Why is the reason, as the message gives it.
	Why string
}

var (
	noTime = Ban{
		Imports: []string{"time"},
		Why:     "statistics know no time: a duration here is a number that its caller chose",
	}

	noClock = Ban{
		Names: map[string][]string{
			"time": {
				"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker",
			},
			// These start a timer on the wall clock behind the caller's back.
			"context": {"WithTimeout", "WithTimeoutCause", "WithDeadline", "WithDeadlineCause"},
		},
		Why: "time belongs to the target: it arrives as data, or a recording would not replay to the same decisions",
	}

	noChance = Ban{
		Imports: []string{"crypto/rand", "hash/maphash"},
		Names:   map[string][]string{"math/rand/v2": globalChance},
		Why:     "chance comes from a seed that is passed in and recorded, or a run could not be repeated",
	}

	noOutside = Ban{
		Imports: []string{"os/...", "net/...", "log/...", "syscall"},
		Why:     "the decision core has no outside: what it must know arrives as an input, what it wants done leaves as a command",
	}

	noGoroutines = Ban{
		Go:  true,
		Why: "the decision core has no concurrency: the same inputs in the same order give the same commands",
	}
)

// globalChance are the functions of math/rand/v2 that draw from the source
// which all callers in the process share and nobody can seed.
var globalChance = []string{
	"ExpFloat64", "Float32", "Float64", "Int", "Int32", "Int32N", "Int64", "Int64N", "IntN", "N", "NormFloat64",
	"Perm", "Shuffle", "Uint", "Uint32", "Uint32N", "Uint64", "Uint64N", "UintN",
}

// House are the bans on every package of the module.
func House() []Ban {
	return []Ban{
		{
			Init: true, Tests: true,
			Why: "importing a package changes nothing: what a service does is in the code that it calls",
		},
		{
			Imports: []string{"math/rand"}, Tests: true,
			Why: "random things take a seeded source of math/rand/v2, whose sequence is fixed for good",
		},
		{
			Dot: true, // a test may dot-import what it tests
			Why: "a dot import hides where a name comes from, from readers and from this test",
		},
	}
}

// bansImport reports whether the ban covers an import path.
func (b Ban) bansImport(path string) bool {
	return slices.ContainsFunc(b.Imports, func(pattern string) bool {
		dir, below := strings.CutSuffix(pattern, "/...")
		return path == dir || below && within(path, dir)
	})
}
