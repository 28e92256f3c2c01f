package policies

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"autotune/controller"
	"autotune/internal/spelling"
)

// Registry has policies by name. It is a value that is handed around, not a
// place to sign up in: whoever has a policy of their own adds it to a copy.
//
//	known := policies.Builtin()
//	known["mine"] = policies.Factory{New: newMine, Params: map[string]string{"patience": "failures before it gives up"}}
type Registry map[string]Factory

// Factory makes policies of one kind.
type Factory struct {
	// Does says in a sentence what they propose.
	Does string
	// Params says of each parameter what it is. Others are refused.
	Params map[string]string
	// New returns a new policy without memory, or what is wrong with a parameter.
	// It gets those that were given, and no others.
	New func(params map[string]string) (controller.Policy, error)
}

// Workload is the parameter that has the guide's name of the workload. In a
// Spec's text it may stand without its name.
const Workload = "workload"

// Builtin returns the policies for live services that this module has: guide and
// static. The copy is the caller's.
func Builtin() Registry {
	return Registry{
		"guide": {
			Does:   "one optimization at a time, as the guide would for the workload",
			Params: map[string]string{Workload: "the guide's name of the workload; what is measured decides if it is left out"},
			New: func(p map[string]string) (controller.Policy, error) {
				g, err := NewGuide(p[Workload])
				if err != nil {
					return nil, err
				}
				return WithExperience(g), nil
			},
		},
		"static": {
			Does: "nothing, for ever",
			New:  func(map[string]string) (controller.Policy, error) { return Static{}, nil },
		},
	}
}

// Names returns the names, ascending.
func (r Registry) Names() []string { return slices.Sorted(maps.Keys(r)) }

// New returns a new policy, without memory. An error is one line for each fault:
// a name or a parameter that is not known, with the nearest one that is, or what
// the policy says of a value.
func (r Registry) New(s Spec) (controller.Policy, error) {
	f, ok := r[s.Name]
	if !ok || f.New == nil {
		return nil, fmt.Errorf("policy %q: must be one of %s%s", s.Name, cmp.Or(strings.Join(r.Names(), ", "), "no policies"), didYouMean(s.Name, r.Names()))
	}
	if again, err := ParseSpec(s.String()); err != nil || !maps.Equal(again.Params, s.Params) {
		return nil, errors.Join(err, fmt.Errorf("policy %s: parameters %q: a \"/\" would end a value in a journal", s.Name, s.Params))
	}
	var errs []error
	params := slices.Sorted(maps.Keys(f.Params))
	for _, name := range slices.Sorted(maps.Keys(s.Params)) {
		_, known := f.Params[name]
		switch {
		case known:
		case len(params) == 0:
			errs = append(errs, fmt.Errorf("policy %s: parameter %q: it takes none", s.Name, name))
		default:
			errs = append(errs, fmt.Errorf("policy %s: parameter %q: must be one of %s%s", s.Name, name, strings.Join(params, ", "), didYouMean(name, params)))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	p, err := f.New(maps.Clone(s.Params))
	if err != nil {
		return nil, fmt.Errorf("policy %s: %w", s.Name, err)
	}
	return p, nil
}

// Spec reads the text of a Spec for a service of that workload ("" if it is not
// said): a policy that takes a workload has it, unless its text has one already.
func (r Registry) Spec(text, workload string) (Spec, error) {
	s, err := ParseSpec(text)
	if err != nil {
		return s, err
	}
	_, has := s.Params[Workload]
	if _, takes := r[s.Name].Params[Workload]; takes && !has && workload != "" {
		s = s.With(Workload, workload)
	}
	return s, nil
}

// didYouMean is ": did you mean x?" where one of the names is near.
func didYouMean(name string, names []string) string {
	near := spelling.Nearest(name, names)
	if near == "" {
		return ""
	}
	return ": did you mean " + near + "?"
}

// Names of the built-in policies for live services.
func Names() []string { return Builtin().Names() }

// Named returns a new built-in policy by its name, with parameters as ParseSpec
// has them, for a service of that workload, as Registry.Spec has it.
func Named(name, workload string) (controller.Policy, error) {
	known := Builtin()
	s, err := known.Spec(name, workload)
	if err != nil {
		return nil, err
	}
	return known.New(s)
}
