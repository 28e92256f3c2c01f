package arch

import (
	"fmt"
	"go/ast"
	"slices"
	"strings"
)

// Check holds files of the module against the table and the house bans, and
// returns one message for each breach: where, what, and why it matters.
func Check(module string, files []Source, rows []Row) []string {
	var faults []string
	for _, f := range files {
		row, ok := rowFor(rows, f.Package)
		if !ok {
			faults = append(faults, fmt.Sprintf(
				"%s: package %s has no row: add one to the table in internal/arch, with what it may import and why",
				f.at(f.File.Package), f.Package))
			continue
		}
		c := checker{module: module, rows: rows, row: row, Source: f}
		c.imports()
		c.signatures()
		for _, b := range append(House(), row.Never...) {
			if b.Tests || !f.Test {
				c.ban(b)
			}
		}
		faults = append(faults, c.faults...)
	}
	return faults
}

// checker gathers the faults of one file.
type checker struct {
	Source
	module string
	rows   []Row
	row    Row
	faults []string
}

func (c *checker) fault(n ast.Node, what, why string) {
	c.faults = append(c.faults, fmt.Sprintf("%s: %s: %s", c.at(n.Pos()), what, why))
}

// imports checks where each import comes from: the module, the standard
// library (free, but for bans), or a third party.
func (c *checker) imports() {
	for _, spec := range c.File.Imports {
		p := importPath(spec)
		switch {
		case within(p, c.module):
			c.moduleImport(spec, strings.TrimPrefix(strings.TrimPrefix(p, c.module), "/"))
		case standard(p):
		default:
			c.libraryImport(spec, p)
		}
	}
}

func (c *checker) moduleImport(spec *ast.ImportSpec, pkg string) {
	if c.Test {
		return
	}
	target, ok := rowFor(c.rows, pkg)
	if !ok {
		return // reported where that package is
	}
	allowed := target.Package == c.row.Package || slices.ContainsFunc(c.row.Imports, func(entry string) bool {
		return entry == Any || entry == Public && !internal(pkg) || entry == target.Package
	})
	if !allowed {
		c.fault(spec, fmt.Sprintf("%s imports %s and may import %s", show(c.Package), show(pkg), list(c.row.Imports)), c.row.Why)
	}
}

func (c *checker) libraryImport(spec *ast.ImportSpec, p string) {
	from := func(libraries []string) bool {
		return slices.ContainsFunc(libraries, func(l string) bool { return l == Any || within(p, l) })
	}
	if from(c.row.Libraries) {
		return
	}
	if c.Test {
		named := slices.ContainsFunc(c.rows, func(r Row) bool {
			return !slices.Contains(r.Libraries, Any) && from(r.Libraries)
		})
		if !named && !from(TestLibraries()) {
			c.fault(spec, fmt.Sprintf("a test of %s imports %s", show(c.Package), p),
				"a test uses the testing libraries and what some row allows, so that it brings in no module of its own")
		}
		return
	}
	why := c.row.Why
	if from(TestLibraries()) {
		why = "testing libraries belong in _test.go files, where nobody who embeds the autopilot links them"
	}
	c.fault(spec, fmt.Sprintf("%s imports %s and may import %s", show(c.Package), p, list(c.row.Libraries)), why)
}

// ban checks one ban on the whole file.
func (c *checker) ban(b Ban) {
	banned := map[string][]string{} // by the name that the file has for the import
	for _, spec := range c.File.Imports {
		p := importPath(spec)
		if b.bansImport(p) {
			c.fault(spec, fmt.Sprintf("%s imports %s", show(c.Package), p), b.Why)
		}
		if b.Dot && importName(spec) == "." {
			c.fault(spec, fmt.Sprintf("%s dot-imports %s", show(c.Package), p), b.Why)
		}
		if names := b.Names[p]; names != nil {
			banned[importName(spec)] = names
		}
	}
	ast.Inspect(c.File, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GoStmt:
			if b.Go {
				c.fault(n, show(c.Package)+" has a go statement", b.Why)
			}
		case *ast.FuncDecl:
			if b.Init && n.Recv == nil && n.Name.Name == "init" {
				c.fault(n, show(c.Package)+" has an init function", b.Why)
			}
		case *ast.SelectorExpr:
			if x, ok := n.X.(*ast.Ident); ok && slices.Contains(banned[x.Name], n.Sel.Name) {
				c.fault(n, fmt.Sprintf("%s uses %s.%s", show(c.Package), x.Name, n.Sel.Name), b.Why)
			}
		}
		return true
	})
}

// standard reports whether an import path is of the standard library: its
// first element has no dot.
func standard(p string) bool {
	first, _, _ := strings.Cut(p, "/")
	return !strings.Contains(first, ".")
}

// internal reports whether only this module may import a package.
func internal(pkg string) bool {
	return slices.Contains(strings.Split(pkg, "/"), "internal")
}

func show(pkg string) string {
	switch pkg {
	case Root:
		return "the root package"
	case Public:
		return "the public packages"
	default:
		return pkg
	}
}

func list(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	shown := make([]string, len(names))
	for i, n := range names {
		shown[i] = show(n)
	}
	return "only " + strings.Join(shown, ", ")
}
