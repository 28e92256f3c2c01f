package executor

import (
	"fmt"
	"slices"
	"strings"

	"autotune/catalog"
)

// Preset returns a configuration of the guide by its name, complete: "baseline",
// "high-frequency", "production". Overlays are put on top with a plus, in order:
// "high-frequency+memory-constrained". Whoever puts it in force grants what it
// turns on, within its values. An unknown name is an error that lists the known
// ones.
func Preset(name string) (Config, error) {
	c := Defaults()
	all := catalog.Presets()
	for i, part := range strings.Split(name, "+") {
		at := slices.IndexFunc(all, func(p catalog.Preset) bool { return p.Name == part })
		switch {
		case at < 0:
			names := make([]string, len(all))
			for i, p := range all {
				names[i] = p.Name
			}
			return Config{}, fmt.Errorf("preset %q: must be one of %s", part, strings.Join(names, ", "))
		case i > 0 && !all[at].Overlay:
			return Config{}, fmt.Errorf("preset %q: must come first: only an overlay is put on top of another", part)
		}
		for _, f := range configFields() {
			if v, ok := all[at].Values[f.Name]; ok {
				f.set(&c, v)
			}
		}
	}
	return c, nil
}
