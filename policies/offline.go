package policies

import (
	"fmt"
	"slices"
	"strings"

	"autotune/controller"
)

// Pool are the settings that exist, where they are known and finite: the rows of
// a measured table. The zero Pool says that nothing is known of them.
type Pool struct {
	// Len is how many there are; At returns one, 0 to Len-1.
	Len int
	At  func(i int) controller.Setting
}

// offline are the policies for tables, by name. They may go to any setting of the
// pool in one step, which no live service would want.
var offline = map[string]func(Pool) controller.Policy{
	"greedy": func(Pool) controller.Policy { return NewGreedy() },
	"random": func(p Pool) controller.Policy { return NewRandom(p) },
}

// OfflineNames are the names that Offline knows: those of Names too.
func OfflineNames() []string {
	out := Names()
	for name := range offline {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

// Offline returns a new policy for a table by its name: one of OfflineNames.
func Offline(name string, pool Pool) (controller.Policy, error) {
	if fresh, ok := offline[name]; ok {
		return fresh(pool), nil
	}
	if !slices.Contains(Names(), name) {
		return nil, fmt.Errorf("policy %q: must be one of %s", name, strings.Join(OfflineNames(), ", "))
	}
	return Named(name, "")
}
