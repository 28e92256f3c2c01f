package arch

import (
	"fmt"
	"go/ast"
)

const whyPublic = "the types in a public signature are public, or a user could not name what they hold"

// signatures checks that what a public package exports mentions no type of an
// internal package. Types that are inferred (var X = stats.New()) are not seen.
func (c *checker) signatures() {
	if c.Test || internal(c.Package) || c.File.Name.Name == "main" {
		return
	}
	hidden := map[string]bool{} // names of internal imports
	for _, spec := range c.File.Imports {
		if p := importPath(spec); within(p, c.module) && internal(p) {
			hidden[importName(spec)] = true
		}
	}
	for _, decl := range c.File.Decls {
		switch d := decl.(type) {
		case *ast.FuncDecl:
			if d.Name.IsExported() && exportedReceiver(d) {
				c.exposes(d.Name.Name, d.Type, hidden)
			}
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				switch s := spec.(type) {
				case *ast.TypeSpec:
					if s.Name.IsExported() {
						c.exposes(s.Name.Name, s, hidden)
					}
				case *ast.ValueSpec:
					if name := exportedName(s.Names); name != "" && s.Type != nil {
						c.exposes(name, s.Type, hidden)
					}
				}
			}
		}
	}
}

// exposes reports each hidden type under n, but for unexported fields.
func (c *checker) exposes(name string, n ast.Node, hidden map[string]bool) {
	ast.Inspect(n, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.StructType:
			for _, f := range n.Fields.List {
				if f.Names == nil || exportedName(f.Names) != "" {
					c.exposes(name, f.Type, hidden)
				}
			}
			return false
		case *ast.SelectorExpr:
			if x, ok := n.X.(*ast.Ident); ok && hidden[x.Name] {
				c.fault(n, fmt.Sprintf("%s exposes %s.%s", name, x.Name, n.Sel.Name), whyPublic)
			}
		}
		return true
	})
}

// exportedName returns the first exported name, or "".
func exportedName(names []*ast.Ident) string {
	for _, n := range names {
		if n.IsExported() {
			return n.Name
		}
	}
	return ""
}

// exportedReceiver reports whether a function has no receiver or one of an
// exported type.
func exportedReceiver(d *ast.FuncDecl) bool {
	if d.Recv == nil {
		return true
	}
	for typ := d.Recv.List[0].Type; ; {
		switch t := typ.(type) {
		case *ast.StarExpr:
			typ = t.X
		case *ast.IndexExpr:
			typ = t.X
		case *ast.IndexListExpr:
			typ = t.X
		case *ast.Ident:
			return t.IsExported()
		default:
			return false
		}
	}
}
