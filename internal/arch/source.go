package arch

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"strconv"
	"strings"
)

// Source is one parsed Go file.
type Source struct {
	// Package is the path of its folder within the module; "" is the root.
	Package string
	// Test is whether the file is compiled for tests only.
	Test bool
	File *ast.File
	Set  *token.FileSet
}

// at returns file:line of a position.
func (s Source) at(pos token.Pos) string {
	p := s.Set.Position(pos)
	return fmt.Sprintf("%s:%d", p.Filename, p.Line)
}

// importName returns the name by which the file knows an import: the one it
// gave, or what the path suggests.
func importName(spec *ast.ImportSpec) string {
	if spec.Name != nil {
		return spec.Name.Name
	}
	p := importPath(spec)
	base := path.Base(p)
	if len(base) > 1 && base[0] == 'v' && strings.Trim(base[1:], "0123456789") == "" {
		return path.Base(path.Dir(p))
	}
	return base
}

func importPath(spec *ast.ImportSpec) string {
	p, err := strconv.Unquote(spec.Path.Value)
	if err != nil { // the parser accepts no such literal
		return spec.Path.Value
	}
	return p
}

// Read parses every Go file of the module at the root of tree and returns its
// module path. As the go command does, it passes over testdata, vendor, names
// that start with a dot or an underscore, and folders with a go.mod of their own.
func Read(tree fs.FS) (module string, files []Source, err error) {
	if module, err = modulePath(tree); err != nil {
		return "", nil, err
	}
	set := token.NewFileSet()
	err = fs.WalkDir(tree, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case name == ".":
			return nil
		case d.IsDir() && foreign(tree, name):
			return fs.SkipDir
		case d.IsDir() || !strings.HasSuffix(name, ".go") || strings.ContainsAny(path.Base(name)[:1], "._"):
			return nil
		}
		text, err := fs.ReadFile(tree, name)
		if err != nil {
			return err
		}
		file, err := parser.ParseFile(set, name, text, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		pkg := path.Dir(name)
		if pkg == "." {
			pkg = Root
		}
		files = append(files, Source{pkg, strings.HasSuffix(name, "_test.go"), file, set})
		return nil
	})
	return module, files, err
}

// foreign reports whether a folder is outside the module's packages.
func foreign(tree fs.FS, dir string) bool {
	base := path.Base(dir)
	if base == "testdata" || base == "vendor" || base[0] == '.' || base[0] == '_' {
		return true
	}
	_, err := fs.Stat(tree, path.Join(dir, "go.mod"))
	return err == nil
}

func modulePath(tree fs.FS) (string, error) {
	text, err := fs.ReadFile(tree, "go.mod")
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(string(text)) {
		if f := strings.Fields(line); len(f) > 1 && f[0] == "module" {
			return strings.Trim(f[1], `"`), nil
		}
	}
	return "", errors.New("go.mod: no module line")
}
