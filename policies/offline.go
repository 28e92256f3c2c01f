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
	"greedy": func(p Pool) controller.Policy { return NewGreedy(p) },
	"random": func(p Pool) controller.Policy { return NewRandom(p) },
	"search": func(p Pool) controller.Policy { return NewSearch(p) },
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

// jump proposes to go to a setting in one step, if that may be tried.
func jump(v controller.View, to controller.Setting, why string) (controller.Proposal, bool) {
	p := controller.Proposal{Move: "jump", Change: v.Safe.Diff(to), Why: why}
	if len(p.Change) == 0 {
		return controller.Proposal{}, false
	}
	o, ok := covering(v.Offered, p.Change)
	if p.Optimization = o.Name; !ok || v.Blocked[p.BlockKey()] != "" {
		return controller.Proposal{}, false
	}
	return p, true
}

// covering returns the optimization, without a switch, that has all knobs of a change.
func covering(offered []controller.Optimization, change map[string]float64) (controller.Optimization, bool) {
	for _, o := range offered {
		if o.Switch != "" {
			continue
		}
		all := true
		for name := range change {
			all = all && slices.Contains(o.Knobs, name)
		}
		if all {
			return o, true
		}
	}
	return controller.Optimization{}, false
}
