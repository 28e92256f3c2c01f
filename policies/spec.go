package policies

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"
)

// Spec names a policy and its parameters. As text it is what configurations,
// command lines and journals have: "static", "guide/high-frequency",
// "mine/patience=3/workload=low-latency".
type Spec struct {
	Name string
	// Params by name; what is left out is the policy's own choice.
	Params map[string]string
}

// ParseSpec reads the text of a Spec: a name, and behind slashes parameters as
// name=value, each once. What has no "=" is the workload. An error names what is
// wrong and the rule; whether there is such a policy is for a Registry to say.
func ParseSpec(text string) (Spec, error) {
	name, rest, more := strings.Cut(text, "/")
	if err := checkWord("policy", name); err != nil {
		return Spec{}, err
	}
	s := Spec{Name: name}
	for more {
		var part string
		part, rest, more = strings.Cut(rest, "/")
		param, value, has := strings.Cut(part, "=")
		if !has {
			param, value = Workload, part
		}
		if err := checkWord("policy "+name+": parameter", param); err != nil {
			return Spec{}, err
		}
		if value == "" || strings.ContainsFunc(value, unicode.IsControl) {
			return Spec{}, fmt.Errorf("policy %s: parameter %s %q: must be a text behind the \"=\", without control characters", name, param, value)
		}
		if _, twice := s.Params[param]; twice {
			return Spec{}, fmt.Errorf("policy %s: parameter %s %q: is given twice", name, param, value)
		}
		if s.Params == nil {
			s.Params = map[string]string{}
		}
		s.Params[param] = value
	}
	return s, nil
}

// checkWord refuses what could not be told from the rest of a spec.
func checkWord(what, word string) error {
	odd := func(r rune) bool {
		return r == '=' || r == unicode.ReplacementChar || unicode.IsSpace(r) || !unicode.IsPrint(r)
	}
	if word == "" || strings.ContainsFunc(word, odd) {
		return fmt.Errorf("%s %q: must be a word, as in \"guide/workload=high-frequency\"", what, word)
	}
	return nil
}

// String returns the text that ParseSpec reads as the same Spec: the workload
// first, then the other parameters by name.
func (s Spec) String() string {
	var text strings.Builder
	text.WriteString(s.Name)
	if w, ok := s.Params[Workload]; ok && !strings.Contains(w, "=") {
		text.WriteString("/" + w)
	}
	for _, name := range slices.Sorted(maps.Keys(s.Params)) {
		if value := s.Params[name]; name != Workload || strings.Contains(value, "=") {
			text.WriteString("/" + name + "=" + value)
		}
	}
	return text.String()
}

// With returns a copy in which a parameter has that value.
func (s Spec) With(param, value string) Spec {
	s.Params = maps.Clone(s.Params)
	if s.Params == nil {
		s.Params = map[string]string{}
	}
	s.Params[param] = value
	return s
}
