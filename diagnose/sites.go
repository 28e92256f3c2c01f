package diagnose

import (
	"cmp"
	"errors"
	"fmt"
	"path"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/google/pprof/profile"

	"autotune/catalog"
)

// Profiled is what a profile shows: the sites that CPU time and allocations go to,
// and what that says for optimizations. It is plain data.
type Profiled struct {
	Source string `json:"source"`
	// Length of the profile; 0: it does not say.
	Length time.Duration `json:"-"`
	// CPU and Allocs are nil where the profile has none.
	CPU    *Sites `json:"-"`
	Allocs *Sites `json:"-"`
	// Hints are what the shares say for optimizations, the largest first.
	Hints []Hint `json:"-"`
}

// Sites are where CPU time was spent, or memory allocated.
type Sites struct {
	// Total is in seconds of CPU time, or bytes.
	Total float64 `json:"total"`
	// Samples of CPU time that the shares rest on: a share p is known to
	// ±2·√(p(1-p)/Samples), about. A profile of allocations does not say how many
	// there were: one is taken in 512 KiB, by default.
	Samples int64 `json:"samples,omitempty"`
	// Flat are the sites by what they took themselves, Through those of the service
	// and its libraries, not of the standard library, by what was taken in them and
	// all that they called.
	Flat    []Site `json:"-"`
	Through []Site `json:"-"`
}

// Site is a function.
type Site struct {
	Function string `json:"function"`
	// File and Line where most of it is.
	File string `json:"file,omitempty"`
	Line int64  `json:"line,omitempty"`
	// Flat is the share that it took itself, Cumulative that in it and all that it
	// called, 0..1.
	Flat       float64 `json:"flat_ratio"`
	Cumulative float64 `json:"cumulative_ratio"`
}

// Hint is a share of CPU time that an optimization might save some of.
type Hint struct {
	What          string   `json:"what"`
	Share         float64  `json:"cpu_ratio"`
	Optimizations []string `json:"optimizations"`
}

// profiled looks at profiles, each of CPU time or of allocations.
func profiled(source string, top int, all ...*profile.Profile) (*Profiled, error) {
	out := &Profiled{Source: source}
	for _, p := range all {
		out.Length = max(out.Length, time.Duration(max(p.DurationNanos, 0)))
		switch {
		case valueIndex(p, "cpu", "nanoseconds") >= 0:
			i := valueIndex(p, "cpu", "nanoseconds")
			out.CPU = sitesOf(p, i, 1e-9, top)
			out.Hints = hintsOf(p, i)
		case valueIndex(p, "alloc_space", "bytes") >= 0:
			out.Allocs = sitesOf(p, valueIndex(p, "alloc_space", "bytes"), 1, top)
		}
	}
	if out.CPU == nil && out.Allocs == nil {
		return nil, fmt.Errorf("profile %s: %w", source, errors.New("has neither cpu nor alloc_space: must be a profile of CPU time, allocations or the heap"))
	}
	return out, nil
}

// valueIndex is which of a sample's values is of that type, or -1.
func valueIndex(p *profile.Profile, kind, unit string) int {
	return slices.IndexFunc(p.SampleType, func(t *profile.ValueType) bool { return t.Type == kind && t.Unit == unit })
}

// tally is what a function took.
type tally struct {
	flat, cumulative float64
	lines            map[int64]float64
	file             string
}

// sitesOf adds up the samples by function. What went down between two profiles,
// where one was taken off the other, counts as nothing.
func sitesOf(p *profile.Profile, value int, scale float64, top int) *Sites {
	out := &Sites{}
	all := map[string]*tally{}
	of := func(l *profile.Line) *tally {
		name, file := "unknown", ""
		if l.Function != nil {
			name, file = l.Function.Name, l.Function.Filename
		}
		t := all[name]
		if t == nil {
			t = &tally{lines: map[int64]float64{}, file: file}
			all[name] = t
		}
		return t
	}
	count := valueIndex(p, "samples", "count")
	total := 0.0
	for _, s := range p.Sample {
		v := float64(s.Value[value])
		if v <= 0 {
			continue
		}
		total += v
		if count >= 0 {
			out.Samples += max(s.Value[count], 0)
		}
		seen := map[*tally]bool{}
		for i, loc := range s.Location {
			for j := range loc.Line {
				t := of(&loc.Line[j])
				if i == 0 && j == 0 {
					t.flat += v
				}
				if !seen[t] {
					seen[t] = true
					t.cumulative += v
					t.lines[loc.Line[j].Line] += v
				}
			}
		}
	}
	out.Total = total * scale
	out.Flat = topOf(all, total, top, func(name string, t *tally) float64 { return t.flat })
	out.Through = topOf(all, total, top, func(name string, t *tally) float64 {
		if standard(name) {
			return 0
		}
		return t.cumulative
	})
	return out
}

// topOf are the functions with the most, by a figure; those without any are left out.
func topOf(all map[string]*tally, total float64, top int, by func(string, *tally) float64) []Site {
	var out []Site
	names := make([]string, 0, len(all))
	for name, t := range all {
		if by(name, t) > 0 {
			names = append(names, name)
		}
	}
	slices.SortFunc(names, func(a, b string) int {
		return cmp.Or(-cmp.Compare(by(a, all[a]), by(b, all[b])), cmp.Compare(a, b))
	})
	for _, name := range names[:min(top, len(names))] {
		t := all[name]
		s := Site{Function: name, File: t.file, Flat: t.flat / total, Cumulative: t.cumulative / total}
		most := 0.0
		for line, v := range t.lines {
			if v > most || v == most && line < s.Line {
				most, s.Line = v, line
			}
		}
		out = append(out, s)
	}
	return out
}

// standard reports whether a function is of the standard library: the first part
// of its package's path has no dot there, and is one of its own.
func standard(function string) bool {
	pkg := packageOf(function)
	first, _, _ := strings.Cut(pkg, "/")
	return slices.Contains(standardRoots, first)
}

// standardRoots begin the paths of the standard library's packages.
var standardRoots = []string{
	"archive", "bufio", "bytes", "cmp", "compress", "container", "context", "crypto", "database", "debug", "embed", "encoding", "errors",
	"expvar", "flag", "fmt", "go", "hash", "html", "image", "index", "internal", "io", "iter", "log", "maps", "math", "mime", "net", "os",
	"path", "plugin", "reflect", "regexp", "runtime", "slices", "sort", "strconv", "strings", "structs", "sync", "syscall", "testing",
	"text", "time", "unicode", "unique", "unsafe", "vendor", "weak",
}

// packageOf a function, by its full name: "net/http.(*conn).serve" is of "net/http".
func packageOf(function string) string {
	dir, last := path.Split(strings.SplitN(function, "[", 2)[0]) // type arguments have paths too
	pkg, _, _ := strings.Cut(last, ".")
	return dir + pkg
}

// work is a kind of work that an optimization might save, by the functions that do
// it: those whose names begin so.
type work struct {
	what          string
	functions     []string
	optimizations []string
}

// works in the order in which a stack is asked: it is for the first that it has.
func works() []work {
	module := path.Dir(reflect.TypeFor[Profiled]().PkgPath()) // whatever it was renamed to
	return []work{
		{"exporting spans", []string{"go.opentelemetry.io/otel/", module + "/executor/export."}, []string{catalog.EnableTelemetry}},
		{"copying run state", []string{module + "/executor.(*copier[", module + "/executor.(*copying)"}, []string{catalog.EnableContext}},
		{"encoding identities of inputs", []string{module + "/executor.(*encoding)", module + "/executor.(*op)"}, []string{catalog.EnableAlgorithm}},
		{"collecting garbage", []string{
			"runtime.gcBgMarkWorker", "runtime.gcAssistAlloc", "runtime.bgsweep", "runtime.bgscavenge", "runtime.gcStart", "runtime.gcMarkTermination",
		}, []string{catalog.EnableObjectPool, catalog.EnableMemory}},
		{"allocating", []string{"runtime.mallocgc", "runtime.newobject", "runtime.makeslice", "runtime.growslice"}, []string{catalog.EnableObjectPool}},
		{"scheduling goroutines", []string{"runtime.schedule", "runtime.findRunnable", "runtime.futex"}, []string{catalog.EnableConcurrency}},
	}
}

// does reports whether a stack is for the work.
func (w *work) does(s *profile.Sample) bool {
	for _, loc := range s.Location {
		for i := range loc.Line {
			if f := loc.Line[i].Function; f != nil && slices.ContainsFunc(w.functions, func(p string) bool { return strings.HasPrefix(f.Name, p) }) {
				return true
			}
		}
	}
	return false
}

// leastHint is the share of CPU time from which one is worth a line.
const leastHint = 0.005

// hintsOf a profile of CPU time: what its stacks are for.
func hintsOf(p *profile.Profile, value int) []Hint {
	all := works()
	sums := make([]float64, len(all))
	total := 0.0
	for _, s := range p.Sample {
		v := max(float64(s.Value[value]), 0)
		total += v
		if i := slices.IndexFunc(all, func(w work) bool { return w.does(s) }); i >= 0 {
			sums[i] += v
		}
	}
	var out []Hint
	for i, w := range all {
		if share := sums[i] / total; share >= leastHint { // not of nothing, which is NaN
			out = append(out, Hint{w.what, share, w.optimizations})
		}
	}
	slices.SortStableFunc(out, func(a, b Hint) int { return -cmp.Compare(a.Share, b.Share) })
	return out
}
