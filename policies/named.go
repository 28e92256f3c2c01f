package policies

import (
	"fmt"
	"slices"
	"strings"

	"autotune/controller"
)

// Names of the policies that Named knows.
func Names() []string { return []string{"guide", "static"} }

// Named returns a new policy by its name; workload is the guide's name of the
// workload, or empty, and matters to the guide only.
func Named(name, workload string) (controller.Policy, error) {
	switch name {
	case "guide":
		return NewGuide(workload)
	case "static":
		return Static{}, nil
	}
	known := Names()
	slices.Sort(known)
	return nil, fmt.Errorf("policy %q: must be one of %s", name, strings.Join(known, ", "))
}
