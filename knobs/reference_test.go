package knobs

import (
	"context"
	"database/sql"
	"flag"
	"fmt"
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/time/rate"

	"autotune/controller"
)

var update = flag.Bool("update", false, "rewrite docs/knobs.md")

// readyMade makes an actuator of each kind, by the name of what makes it, as one
// would in a service: bounds that the caller chooses are round ones here.
func readyMade(t *testing.T) map[string]Actuator {
	t.Helper()
	db := sql.OpenDB(nil)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	workers := NewWorkers(1, func(ctx context.Context) { <-ctx.Done() })
	defer workers.Close()
	limiter := rate.NewLimiter(100, 10)
	return map[string]Actuator{
		"GCPercent":             GCPercent(),
		"MemoryLimit":           MemoryLimit(256<<20, 1<<30),
		"GOMAXPROCS":            GOMAXPROCS(),
		"SQLMaxOpen":            SQLMaxOpen(db, 64),
		"SQLMaxIdle":            SQLMaxIdle(db, 2, 64),
		"SQLLifetime":           SQLLifetime(db, time.Minute, time.Second, time.Hour),
		"Transport.IdlePerHost": NewTransport(&http.Transport{}).IdlePerHost(64),
		"Semaphore.Knob":        NewSemaphore(8).Knob("permits", 64),
		"Workers.Knob":          workers.Knob("workers", 64),
		"RateLimit":             RateLimit("rate", limiter, 1, 1000),
		"RateBurst":             RateBurst("burst", limiter, 64),
	}
}

// yours are the declarations for a knob of one's own, and whoever changes an actuator.
var yours = []string{"Bool", "Int", "Float", "Duration", "Enum", "Actuator.Log", "Actuator.With"}

// makers are all exported functions and methods that return an Actuator, with
// what their comments say, in the order of names.
func makers(t *testing.T) (names []string, says map[string]string) {
	t.Helper()
	sources, err := filepath.Glob("*.go")
	require.NoError(t, err)
	set := token.NewFileSet()
	var parsed []*ast.File
	for _, name := range sources {
		if !strings.HasSuffix(name, "_test.go") {
			f, err := parser.ParseFile(set, name, nil, parser.ParseComments)
			require.NoError(t, err)
			parsed = append(parsed, f)
		}
	}
	pkg, err := doc.NewFromFiles(set, parsed, "autotune/knobs")
	require.NoError(t, err)
	says = map[string]string{}
	add := func(prefix string, functions []*doc.Func) {
		for _, f := range functions {
			results := f.Decl.Type.Results
			if results == nil || len(results.List) != 1 {
				continue
			}
			if id, ok := results.List[0].Type.(*ast.Ident); ok && id.Name == "Actuator" {
				says[prefix+f.Name] = strings.Join(strings.Fields(f.Doc), " ")
				names = append(names, prefix+f.Name)
			}
		}
	}
	add("", pkg.Funcs)
	for _, typ := range pkg.Types {
		add("", typ.Funcs)
		add(typ.Name+".", typ.Methods)
	}
	slices.Sort(names)
	return names, says
}

// docs/knobs.md has every actuator of the package, with what it really is.
func TestReference(t *testing.T) {
	for _, v := range []string{"GOGC", "GOMEMLIMIT", "GOMAXPROCS"} {
		t.Setenv(v, "")
	}
	names, says := makers(t)
	made := readyMade(t)
	var b strings.Builder
	b.WriteString("# Knobs\n\nActuators for the parts of a Go service: `knobs.GCPercent()` in `autotune.Config.Knobs` is all that it takes. A knob that belongs to\n" +
		"no optimization of yours is offered by itself, under its own name. Made from the code; `go test ./knobs -update` writes it anew.\n\n" +
		"## Ready-made\n\nBounds that you choose are examples here.\n\n" +
		"| made by | knob | kind | unit | bounds | a trial moves it | settles in | besides |\n|---|---|---|---|---|---|---|---|\n")
	for _, name := range names {
		if slices.Contains(yours, name) {
			continue
		}
		a, ok := made[name]
		require.True(t, ok, "%s: nobody makes one here, so that it is not documented", name)
		require.NoError(t, a.Check(), name)
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s to %s | %s | %s | %s |\n", name, a.Knob.Name, a.Knob.Kind, a.Knob.Unit,
			value(a.Knob.Min), most(name, a.Knob), move(a.Knob), settle(a.Knob.Settle), besides(a.Knob))
		delete(made, name)
	}
	require.Empty(t, made, "there are no such functions")
	b.WriteString("\n*Defers*: it moves work to later, so blocks are four times as long and followed by a drain. *Risky*: a candidate gets a short first look,\n" +
		"watched by the guards alone. What an actuator says of itself:\n\n")
	for _, name := range names {
		if !slices.Contains(yours, name) {
			b.WriteString(told(name, says[name]))
		}
	}
	b.WriteString("\n## Your own\n\nIn a line, from any pair of functions, or the Load and Store of an atomic value:\n\n```go\n" +
		"knobs.Int(\"batch\", \"rows\", 1, 1000, batch.Load, batch.Store).Log(2)\nknobs.Bool(\"compress\", compress.Load, compress.Store)\n```\n\n")
	for _, name := range yours {
		require.Contains(t, says, name)
		b.WriteString(told(name, says[name]))
	}
	b.WriteString("\nAn `Actuator` may be written out too: `Knob` says what it is, `Get` reads back what is in force, `Set` sets it, and `Undo` goes back where\n" +
		"setting the first value again would not be quite that. A `controller.Optimization` says which knobs belong together.\n")
	const path = "../docs/knobs.md"
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(b.String()), 0o600))
	}
	page, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, b.String(), string(page), "run: go test ./knobs -update")
}

// most is the upper bound; of threads it is the machine's.
func most(name string, k controller.Knob) string {
	if name == "GOMAXPROCS" {
		return "the cores"
	}
	return value(k.Max)
}

// told is a comment that begins with the name, which stands there in its own form.
func told(name, text string) string {
	_, rest, _ := strings.Cut(text, " ")
	return "- `" + name + "` " + rest + "\n"
}

func value(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

func move(k controller.Knob) string {
	switch {
	case k.MaxMove == 0:
		return "anywhere"
	case k.Scale == controller.Log:
		return fmt.Sprintf("by a factor of %v", k.MaxMove)
	}
	return fmt.Sprintf("by %v", k.MaxMove)
}

func settle(d time.Duration) string {
	if d == 0 {
		return "at once"
	}
	return d.String()
}

func besides(k controller.Knob) string {
	var out []string
	if k.Defers {
		out = append(out, "defers")
	}
	if k.Risky {
		out = append(out, "risky")
	}
	if k.Period > 0 {
		out = append(out, "acts once in its own time")
	}
	return strings.Join(out, ", ")
}
