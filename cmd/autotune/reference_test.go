package main

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/doc"
	"go/parser"
	"go/printer"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"github.com/stretchr/testify/require"
)

// golden compares a file with what it should be, or writes it anew.
func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(got), 0o600))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err, "go test ./cmd/autotune -update writes it")
	require.Equal(t, string(want), got, "go test ./cmd/autotune -update writes it")
}

// configured are the types that a service fills in, with the folder of each.
var configured = []struct{ folder, name, what string }{
	{".", "Config", "What `autotune.Start` takes."},
	{"controller", "Goal", "What is to become better, by rank."},
	{"controller", "Guard", "A hard limit: where it breaks under a candidate, that is withdrawn within the block."},
	{"controller", "Timing", "How long blocks are."},
	{"controller", "Budget", "How much may be spent on trials."},
	{"controller", "Alert", "When the kept setting is called worse than expected."},
	{"controller", "Optimization", "Knobs that belong together, with the reason why they should help."},
	{"controller", "Knob", "What one knob is; the functions of package knobs make them."},
	{"executor", "StepConfig", "What `executor.NewStep` takes: a function of yours, and what may be done with it."},
	{"sensors", "Options", "What `sensors.New` takes, for those who build their own target."},
	{"journal", "Options", "What `journal.Open` takes; the autopilot uses the defaults."},
	{"dashboard", "Options", "What `dashboard.New` takes."},
}

// docs/configuration.md has every field of them, with its comment.
func TestReference_configuration(t *testing.T) {
	var b strings.Builder
	b.WriteString("# Configuration\n\nEvery field of what a service fills in, as the code says it. A zero field has the documented default, and what is wrong is\n" +
		"refused with the field, the value and the rule. The fields of `executor.Config` are the guide's: [fields](fields.md).\n" +
		"Made from the code; `go test ./cmd/autotune -run Reference -update` writes it anew.\n")
	for _, c := range configured {
		fmt.Fprintf(&b, "\n## %s\n\n%s\n\n| field | type | |\n|---|---|---|\n", title(c.folder, c.name), c.what)
		set := token.NewFileSet()
		n := 0
		for _, f := range structOf(t, set, filepath.Join("../..", c.folder), c.name).Fields.List {
			var typ bytes.Buffer
			require.NoError(t, printer.Fprint(&typ, set, f.Type))
			text := strings.Join(strings.Fields(f.Doc.Text()+" "+f.Comment.Text()), " ")
			for _, name := range f.Names {
				if !name.IsExported() {
					continue
				}
				if n++; text == "" && n > 1 {
					text = "See above."
				}
				fmt.Fprintf(&b, "| `%s` | `%s` | %s |\n", name.Name, typ.String(), strings.ReplaceAll(text, "|", "\\|"))
			}
		}
		require.Positive(t, n, c.name)
	}
	golden(t, "../../docs/configuration.md", b.String())
}

func title(folder, name string) string {
	if folder == "." {
		folder = "autotune"
	}
	return folder + "." + name
}

func structOf(t *testing.T, set *token.FileSet, folder, name string) *ast.StructType {
	t.Helper()
	sources, err := filepath.Glob(filepath.Join(folder, "*.go"))
	require.NoError(t, err)
	var files []*ast.File
	for _, s := range sources {
		if !strings.HasSuffix(s, "_test.go") {
			f, err := parser.ParseFile(set, s, nil, parser.ParseComments)
			require.NoError(t, err)
			files = append(files, f)
		}
	}
	pkg, err := doc.NewFromFiles(set, files, folder, doc.PreserveAST)
	require.NoError(t, err)
	for _, typ := range pkg.Types {
		if typ.Name == name {
			s, ok := typ.Decl.Specs[0].(*ast.TypeSpec).Type.(*ast.StructType)
			require.True(t, ok, name)
			return s
		}
	}
	require.Fail(t, "no such type", "%s in %s", name, folder)
	return nil
}

// docs/commands.md has every command and flag.
func TestReference_commands(t *testing.T) {
	var b strings.Builder
	b.WriteString("# Commands\n\nEvery command of `autotune`, as its `--help` has it. Exit codes: 0 is well, 1 a run that failed, 2 wrong usage or input, with one line that\n" +
		"names the field, the value and the rule. Made from the code; `go test ./cmd/autotune -run Reference -update` writes it anew.\n")
	n := 0
	var tell func(*cobra.Command)
	tell = func(c *cobra.Command) {
		if c.Hidden || c.Name() == "help" || c.Name() == "completion" {
			return
		}
		n++
		if c.HasParent() {
			long := c.Long
			if long == "" {
				long = c.Short + "."
			}
			fmt.Fprintf(&b, "\n## %s\n\n```text\n%s\n```\n\n%s\n", c.CommandPath(), c.UseLine(), strings.TrimSpace(long))
			flags(&b, c.LocalFlags())
		}
		for _, sub := range c.Commands() {
			tell(sub)
		}
	}
	tell(rootCommand())
	require.Greater(t, n, 10)
	golden(t, "../../docs/commands.md", b.String())
}

func flags(b *strings.Builder, set *pflag.FlagSet) {
	head := "\n| flag | default | |\n|---|---|---|\n"
	set.VisitAll(func(f *pflag.Flag) {
		if f.Hidden || f.Name == "help" {
			return
		}
		kind, usage := pflag.UnquoteUsage(f)
		def := f.DefValue
		switch {
		case f.Name == "workers":
			def = "the cores"
		case def == "[]" || def == "false":
			def = ""
		}
		fmt.Fprintf(b, "%s| `%s` | %s | %s |\n", head, strings.TrimSpace("--"+f.Name+" "+kind), def, strings.ReplaceAll(usage, "|", "\\|"))
		head = ""
	})
}
