package table

import (
	"errors"
	"fmt"
	"math"
	"strings"

	"autotune/controller"
)

// Config says what the columns of a table are. Every column that it does not
// name is a knob. Names are as in the header; in Metrics, Ignore, Environment
// and the names of Knobs, * stands for any text and ? for one character.
type Config struct {
	// Metrics are the columns of results, at least one. Several are repeats of
	// the same measurement, in the order of the file.
	Metrics []string
	// Maximize: more is better. The default is that less is better.
	Maximize bool
	// SD is the column of the standard deviation of a single measurement, in the
	// unit of the metric; RelativeSD the same as a share of the metric. At most
	// one of them, and only beside a single metric.
	SD, RelativeSD string
	// Ignore has columns that are neither. A name given above is not ignored.
	Ignore []string
	// Environment is the column of what else differed between measurements: a
	// release, a workload, a machine. If it stands for columns of results instead
	// ("in:*", which Metrics then have too), each of these is an environment.
	Environment string
	// At has the values of Environment to use, in order; by default all, in the
	// order of the file. Of an environment that is a column, the name or the part
	// of it that * stands for.
	At []string
	// Invalid are results that mark a configuration that does not work, once is
	// enough. An empty result is none; a configuration that has no other does not
	// work either.
	Invalid []float64
	// Knobs overrules what is inferred from the values of a column: Switch, Int,
	// Float or Enum.
	Knobs map[string]controller.Kind
}

// Check reports every fault at once, or nil.
func (c Config) Check() error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if len(c.Metrics) == 0 {
		bad("metric is empty: must name the column of the results")
	}
	if c.SD != "" && c.RelativeSD != "" {
		bad("sd %q and relative-sd %q: must be one of the two", c.SD, c.RelativeSD)
	}
	if len(c.At) > 0 && c.Environment == "" {
		bad("at %q: needs an environment, the column that has it", strings.Join(c.At, ","))
	}
	seen := map[string]bool{}
	for _, at := range c.At {
		if seen[at] {
			bad("at %q: named twice: the setting in force would change nothing", at)
		}
		seen[at] = true
	}
	for name, k := range c.Knobs {
		switch k {
		case controller.Switch, controller.Int, controller.Float, controller.Enum:
		default:
			bad("knob %s: kind %s: must be one of switch, int, float, enum", name, k)
		}
	}
	for _, v := range c.Invalid {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			bad("invalid %v: must be finite", v)
		}
	}
	return errors.Join(errs...)
}

// matches reports whether a name is what a pattern stands for, in which * is any
// text and ? one character, and what the first * stands for. A name always
// matches itself.
func matches(pattern, name string) (star string, ok bool) {
	if pattern == name {
		return name, true
	}
	at := strings.IndexAny(pattern, "*?")
	if at < 0 || !strings.HasPrefix(name, pattern[:at]) {
		return "", false
	}
	rest, name := pattern[at+1:], name[at:]
	if pattern[at] == '?' {
		if name == "" {
			return "", false
		}
		return matches(rest, name[1:])
	}
	for i := len(name); i >= 0; i-- {
		if _, ok := matches(rest, name[i:]); ok {
			return name[:i], true
		}
	}
	return "", false
}
