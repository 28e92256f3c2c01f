package executor

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"autotune/catalog"
	"autotune/controller"
)

// maxFile is far more than any configuration; beyond it is some other file.
const maxFile = 1 << 16

// maxBrackets is how many lists and mappings within the one a file may hold. A
// configuration has none, and the parser takes the square of their depth.
const maxBrackets = 1000

// Load reads a configuration in YAML (or JSON, which is YAML): one mapping of
// the guide's names to values. What is left out has its default; an empty file
// is the baseline. A duration is a number of seconds, as in the guide, or a
// string like "1m30s".
//
// Every fault is in the error, each a *Fault with line and column: a field that
// does not exist, with the nearest one that does; a field that is given twice; a
// value of the wrong type or out of range. Nothing is repaired.
func Load(r io.Reader) (Config, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	if err != nil {
		return Config{}, fmt.Errorf("read a configuration: %w", err)
	}
	if len(data) > maxFile {
		return Config{}, &Fault{Value: fmt.Sprintf("%d bytes", len(data)), Rule: fmt.Sprintf("a configuration has %d at most", maxFile)}
	}
	c, faults := parse(data)
	if len(faults) > 0 {
		return Config{}, asError(faults)
	}
	return c, nil
}

// LoadFile is Load for a file, whose name is in every fault.
func LoadFile(path string) (Config, error) {
	file, err := os.Open(path)
	if err != nil {
		return Config{}, err
	}
	defer file.Close()
	c, err := Load(file)
	for _, f := range Faults(err) {
		f.File = path
	}
	return c, err
}

// parse returns the configuration, or everything that is wrong with it.
func parse(data []byte) (Config, []*Fault) {
	c := Defaults()
	root, faults := mappingOf(data)
	if root == nil {
		return c, faults
	}
	fields := map[string]configField{}
	for _, f := range configFields() {
		fields[f.Name] = f
	}
	seen := map[string]int{} // name to line
	second := faults         // it is further down in the file
	faults = nil
	for _, pair := range root.Values {
		name := nameOf(pair.Key)
		at := func(n ast.Node, f *Fault) {
			if f != nil {
				f.Line, f.Column = position(n)
				faults = append(faults, f)
			}
		}
		f, known := fields[name]
		switch line, _ := position(pair.Key); {
		case !known:
			at(pair.Key, unknown(name))
		case seen[name] > 0:
			at(pair.Key, &Fault{Field: name, Rule: fmt.Sprintf("is given twice: first in line %d", seen[name])})
		default:
			seen[name] = line
			v, fault := f.valueOf(pair.Value)
			if fault == nil {
				fault = f.check(v)
			}
			if at(pair.Value, fault); fault == nil {
				f.set(&c, v)
			}
		}
	}
	return c, append(faults, second...)
}

// nameOf is a key as text, written in either of the two ways of YAML.
func nameOf(key ast.Node) string {
	switch key := key.(type) {
	case *ast.StringNode:
		return key.Value
	case *ast.MappingKeyNode:
		return nameOf(key.Value)
	}
	return key.String()
}

// mappingOf returns the one mapping that a file consists of, nil for an empty
// file, and what keeps the file from being just that.
func mappingOf(data []byte) (*ast.MappingNode, []*Fault) {
	data = bytes.TrimPrefix(data, []byte("\ufeff")) // a mark that some editors put first
	if fault := asText(data); fault != nil {
		return nil, []*Fault{fault}
	}
	file, err := parser.ParseBytes(data, 0, parser.AllowDuplicateMapKey()) // duplicates are told with all the rest
	if err != nil {
		fault := &Fault{Rule: "is not YAML: " + firstLine(err.Error())}
		var at yaml.Error
		if errors.As(err, &at) && at.GetToken() != nil {
			fault.Line, fault.Column = at.GetToken().Position.Line, at.GetToken().Position.Column
			fault.Rule = "is not YAML: " + firstLine(at.GetMessage())
		}
		return nil, []*Fault{fault}
	}
	var body ast.Node
	var faults []*Fault
	for _, doc := range file.Docs {
		switch {
		case doc.Body == nil || doc.Body.Type() == ast.CommentType || doc.Body.Type() == ast.NullType:
		case body == nil:
			body = doc.Body
		default:
			line, column := position(doc.Body)
			faults = append(faults, &Fault{Line: line, Column: column, Rule: "is a second document: a configuration is one"})
		}
	}
	switch root := body.(type) {
	case nil:
		return nil, nil
	case *ast.MappingNode:
		return root, faults
	case *ast.MappingValueNode: // a mapping of one
		return &ast.MappingNode{Values: []*ast.MappingValueNode{root}}, faults
	default:
		line, column := position(body)
		return nil, append([]*Fault{{Line: line, Column: column, Value: shown(body), Rule: `must be a mapping of fields to values, as "cache_size: 1024"`}}, faults...)
	}
}

// asText returns what keeps data from being worth parsing, or nil.
func asText(data []byte) *Fault {
	line := 0
	for rest := range bytes.Lines(data) {
		line++
		for column := 1; len(rest) > 0; column++ {
			r, size := utf8.DecodeRune(rest)
			if r == utf8.RuneError && size == 1 || r < ' ' && r != '\t' && r != '\r' && r != '\n' {
				return &Fault{Line: line, Column: column, Value: fmt.Sprintf("byte 0x%02x", rest[0]), Rule: "is not text in UTF-8"}
			}
			rest = rest[size:]
		}
	}
	brackets := 0
	for _, t := range lexer.Tokenize(string(data)) {
		switch t.Type { //nolint:exhaustive // what begins a list or a mapping
		case token.SequenceStartType, token.MappingStartType, token.SequenceEntryType, token.MappingKeyType:
			if brackets++; brackets > maxBrackets {
				return &Fault{Line: t.Position.Line, Column: t.Position.Column, Rule: fmt.Sprintf("is one of more than %d lists and mappings: a configuration is one mapping", maxBrackets)}
			}
		}
	}
	return nil
}

// valueOf returns a node as a value of the field, in the knob's unit.
func (f configField) valueOf(n ast.Node) (float64, *Fault) {
	wrong := func(rule string) (float64, *Fault) { return 0, &Fault{Field: f.Name, Value: shown(n), Rule: rule} }
	switch n.(type) {
	case *ast.AnchorNode, *ast.AliasNode, *ast.TagNode:
		return wrong("must be written out: anchors, aliases and tags are not followed")
	}
	if f.Kind == controller.Switch {
		on, ok := n.(*ast.BoolNode)
		switch {
		case !ok:
			return wrong("must be true or false")
		case on.Value:
			return 1, nil
		}
		return 0, nil
	}
	if ambiguous(n) {
		return wrong("must not begin with 0: readers of YAML differ on whether it is octal")
	}
	if v, ok := numberOf(n); ok {
		return v, nil
	}
	switch f.Kind { //nolint:exhaustive // the others are numbers
	case controller.Duration:
		if text, ok := n.(*ast.StringNode); ok {
			if d, err := time.ParseDuration(text.Value); err == nil {
				return d.Seconds(), nil
			}
		}
		return wrong(`must be a number of seconds, or a duration like "1m30s"`)
	case controller.Int:
		return wrong("must be a whole number")
	}
	return wrong("must be a number")
}

// ambiguous numbers are 10 to one version of YAML and 8 to another: 010.
func ambiguous(n ast.Node) bool {
	i, ok := n.(*ast.IntegerNode)
	if !ok {
		return false
	}
	digits := strings.TrimLeft(i.Token.Value, "+-")
	return len(digits) > 1 && digits[0] == '0' && (digits[1] >= '0' && digits[1] <= '9' || digits[1] == '_')
}

func numberOf(n ast.Node) (float64, bool) {
	switch n := n.(type) {
	case *ast.IntegerNode:
		switch v := n.Value.(type) {
		case int64:
			return float64(v), true
		case uint64:
			return float64(v), true
		}
	case *ast.FloatNode:
		return n.Value, true
	case *ast.InfinityNode:
		return n.Value, true
	case *ast.StringNode: // the parser takes 1e6, a number in YAML, for text
		if n.Token.Type == token.StringType && strings.Trim(n.Value, "0123456789.eE+-") == "" {
			v, err := strconv.ParseFloat(n.Value, 64)
			return v, err == nil || errors.Is(err, strconv.ErrRange) // then it is infinite
		}
	}
	return 0, false
}

func unknown(name string) *Fault {
	f := &Fault{Field: quoteIfNeeded(name), Rule: "no such field: `autotune config show baseline` has them all"}
	if near := catalog.Nearest(name); near != "" {
		f.Rule = "no such field: did you mean " + near + "?"
	}
	return f
}

// quoteIfNeeded keeps a name that holds anything odd on one line, and short.
func quoteIfNeeded(s string) string {
	s = cropped(s)
	for _, r := range s {
		if !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' || r == '-' || r == '.') {
			return fmt.Sprintf("%q", s)
		}
	}
	return s
}

// position is where a node begins: a mapping's own token is its first colon.
func position(n ast.Node) (line, column int) {
	switch m := n.(type) {
	case *ast.MappingNode:
		if len(m.Values) > 0 && !m.IsFlowStyle {
			return position(m.Values[0])
		}
	case *ast.MappingValueNode:
		return position(m.Key)
	}
	if t := n.GetToken(); t != nil && t.Position != nil {
		return t.Position.Line, t.Position.Column
	}
	return 0, 0
}

// shown is a node for people, on one line and not long.
func shown(n ast.Node) string {
	text := cropped(firstLine(n.String()))
	if strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return strconv.Quote(text)
	}
	return text
}

func cropped(s string) string {
	const most = 40
	if runes := []rune(s); len(runes) > most {
		return string(runes[:most]) + " ..."
	}
	return s
}

func firstLine(s string) string {
	line, rest, _ := strings.Cut(strings.TrimSpace(s), "\n")
	if rest != "" {
		line += " ..."
	}
	return line
}
