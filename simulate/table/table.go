package table

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"autotune/controller"
	"autotune/simulate/internal/csvfile"
)

// Noise is where the differences between draws of one configuration come from.
type Noise string

// The sources of noise.
const (
	// NoNoise: one result a configuration, and every draw is that.
	NoNoise Noise = "none"
	// FromSD: draws are lognormal with the configuration's mean and standard
	// deviation, or normal where the mean is not above 0.
	FromSD Noise = "standard deviation"
	// FromRepeats: draws are the configuration's own repeats.
	FromRepeats Noise = "repeats"
)

// Table is a set of measured configurations. It does not change and is safe for
// concurrent use; each run has a Target of its own.
//
// Configurations that were not measured in every environment in use, and those
// that are invalid in one, are known and cannot be put in force. The others are
// numbered from 0 in the order of the file.
type Table struct {
	cfg     Config
	columns []*column
	knobs   []knob
	space   controller.Space
	offered []controller.Optimization
	byName  []int // knobs by ascending name, as in a Setting
	base    controller.Setting

	levels  []uint32         // of each configuration, knob after knob
	index   map[string]int32 // configurations of the file, by levels
	number  []int32          // of the configurations of the file, or -1
	configs []int32          // numbered ones, in the file

	environments []environment
	noise        Noise
	notes        []string
}

// knob is a column or a group of them.
type knob struct {
	controller.Knob
	column *column
	group  *group
	values []float64 // by level
}

// environment has the results of the numbered configurations.
type environment struct {
	name         string
	results      []result
	best, median float64
	sorted       []float64 // the best first
}

// Configuration is the name of the optimization that has every knob: what a
// policy proposes that goes to another configuration in one step.
const Configuration = "all knobs"

// table puts together what was read.
func (in *reading) table() (*Table, error) {
	if in.rows == 0 {
		return nil, errors.New("no rows: must have a header and a row for each configuration")
	}
	if err := in.checkAt(); err != nil {
		return nil, err
	}
	t := &Table{cfg: in.cfg, columns: in.columns, noise: NoNoise}
	var switches []*column
	for _, c := range in.columns {
		if err := c.infer(); err != nil {
			return nil, err
		}
		if c.kind == controller.Switch && c.declared == 0 {
			switches = append(switches, c)
		}
	}
	n := len(in.index)
	t.setKnobs(fold(switches, n))
	if len(t.knobs) == 0 {
		return nil, fmt.Errorf("no knobs: the same in every row: %s", strings.Join(in.roles.names, ", "))
	}
	t.setLevels(n)
	if err := t.setResults(in); err != nil {
		return nil, err
	}
	t.note(in)
	return t, nil
}

// checkAt reports a value of At that no row has.
func (in *reading) checkAt() error {
	if in.roles.wide != nil {
		for i, at := range in.roles.metrics {
			in.environmentOf(in.header[at], in.roles.wide[i])
		}
	}
	for _, at := range in.cfg.At {
		found := in.roles.wide != nil && slices.ContainsFunc(in.roles.metrics, func(i int) bool { return in.header[i] == at }) ||
			slices.Contains(in.roles.wide, at)
		for _, r := range in.results[in.byName[at]] {
			found = found || r.invalid || !math.IsNaN(r.value)
		}
		if !found {
			nearest := "there is no other"
			if len(in.others) > 0 {
				nearest = fmt.Sprintf("the nearest is %q", csvfile.Nearest(in.others, at))
			}
			return fmt.Errorf("at %q: no row has it in %q: %s", at, in.cfg.Environment, nearest)
		}
	}
	return nil
}

// setKnobs makes a knob of each group and of each column that is in none.
func (t *Table) setKnobs(groups []group) {
	in := map[*column]*group{}
	for i := range groups {
		g := &groups[i]
		if g.parent != nil {
			in[g.parent] = g
		}
		for _, m := range g.members {
			in[m] = g
		}
	}
	taken := func(name string) bool {
		return name == Configuration || slices.ContainsFunc(t.columns, func(c *column) bool { return c.kind != 0 && c.name == name }) ||
			slices.ContainsFunc(t.knobs, func(k knob) bool { return k.Name == name })
	}
	done := map[*group]bool{}
	for _, c := range t.columns {
		g := in[c]
		switch {
		case c.kind == 0 || done[g]:
		case g == nil:
			k := knob{Knob: c.knob(), column: c}
			k.values = k.Levels
			if k.Kind == controller.Switch {
				k.values = []float64{0, 1}
			}
			t.knobs = append(t.knobs, k)
		default:
			done[g] = true
			k := knob{Knob: controller.Knob{Name: g.name(taken), Kind: controller.Enum, Levels: indices(len(g.labels()))}, group: g}
			k.Max = float64(len(k.Levels) - 1)
			k.values = k.Levels
			if g.parent != nil && len(g.members) == 1 { // two columns that are the same
				k.Knob = controller.Knob{Name: g.parent.name, Kind: controller.Switch}
			}
			t.knobs = append(t.knobs, k)
		}
	}
	values := map[string]float64{}
	all := controller.Optimization{Name: Configuration, Why: "another measured configuration may be better", Equivalence: controller.Exact}
	for _, k := range t.knobs {
		t.space.Knobs = append(t.space.Knobs, k.Knob)
		values[k.Name] = 0
		o := controller.Optimization{Name: k.Name, Why: "another value of " + k.Name + " may be better", Equivalence: controller.Exact}
		if k.Kind == controller.Switch {
			o.Switch = k.Name
		} else {
			o.Knobs = []string{k.Name}
		}
		t.offered = append(t.offered, o)
		all.Knobs = append(all.Knobs, k.Name)
	}
	t.space.Tick = draw
	t.offered = append(t.offered, all)
	t.base = controller.SettingOf(values)
	t.byName = make([]int, len(t.knobs))
	for i := range t.byName {
		t.byName[i] = i
	}
	slices.SortFunc(t.byName, func(a, b int) int { return strings.Compare(t.knobs[a].Name, t.knobs[b].Name) })
}

// setLevels finds the levels of n configurations, and how to find them by these.
func (t *Table) setLevels(n int) {
	t.levels = make([]uint32, n*len(t.knobs))
	t.index = make(map[string]int32, n)
	var key []byte
	for config := range n {
		levels := t.levels[config*len(t.knobs):][:len(t.knobs)]
		for k := range t.knobs {
			if g := t.knobs[k].group; g != nil {
				levels[k] = g.level(config)
			} else {
				levels[k] = t.knobs[k].column.codes[config]
			}
		}
		key = key[:0]
		for _, k := range t.byName {
			key = binary.AppendUvarint(key, uint64(levels[k]))
		}
		t.index[string(key)] = int32(config)
	}
}

// setResults numbers the configurations that have a result in every environment.
func (t *Table) setResults(in *reading) error {
	n := len(in.index)
	t.number = make([]int32, n)
	for config := range n {
		t.number[config] = -1
		if !slices.ContainsFunc(in.results, func(e []result) bool { return e[config].invalid || math.IsNaN(e[config].value) }) {
			t.number[config] = int32(len(t.configs))
			t.configs = append(t.configs, int32(config))
		}
	}
	if len(t.configs) < 2 {
		every := ""
		if len(in.results) > 1 {
			every = fmt.Sprintf(" in each of %d environments", len(in.results))
		}
		return fmt.Errorf("%d of %d configurations have a result%s: must be 2, or there is nothing to choose", len(t.configs), n, every)
	}
	for e, results := range in.results {
		env := environment{name: in.names[e], results: make([]result, len(t.configs))}
		for i, config := range t.configs {
			r := results[config]
			switch {
			case in.roles.sd >= 0:
				r.repeats = nil
				if r.sd > 0 {
					t.noise = FromSD
				}
			case r.repeats != nil:
				t.noise = FromRepeats
			}
			env.results[i] = r
			env.sorted = append(env.sorted, r.value)
		}
		slices.Sort(env.sorted)
		env.median = (env.sorted[(len(env.sorted)-1)/2] + env.sorted[len(env.sorted)/2]) / 2
		if t.cfg.Maximize {
			slices.Reverse(env.sorted)
		}
		env.best = env.sorted[0]
		t.environments = append(t.environments, env)
	}
	return nil
}

// note tells people what was inferred and left out.
func (t *Table) note(in *reading) {
	say := func(format string, args ...any) { t.notes = append(t.notes, fmt.Sprintf(format, args...)) }
	var constant []string
	for _, c := range t.columns {
		switch {
		case c.kind == 0:
			constant = append(constant, c.name)
		case len(c.values) == len(in.index) && len(in.index) > 9 && c.kind != controller.Float && len(t.columns) > 1:
			say("%s: is different in each configuration: if it numbers them, ignore it", c.name)
		}
	}
	if constant != nil {
		say("the same in every row, so no knob: %s", strings.Join(constant, ", "))
	}
	for _, k := range t.knobs {
		switch {
		case k.group == nil:
		case k.Kind == controller.Switch:
			say("%s: always the same as %s: one knob", k.group.members[0].name, k.Name)
		default:
			say("folded into the enum %s: %s", k.Name, strings.Join(k.group.labels(), ", "))
		}
	}
	if without := len(in.index) - len(t.configs); without > 0 {
		say("%d of %d configurations have no valid result: they are not tried", without, len(in.index))
	}
	environments := 1
	if in.roles.wide == nil {
		environments = len(in.results)
	}
	if dup := in.rows - len(in.index); environments == 1 && dup > 0 && in.roles.environment < 0 {
		as := "repeats"
		if in.roles.sd >= 0 {
			as = "one, with their mean and the spread of all"
		}
		say("%d rows are of a configuration that was there before: taken as %s", dup, as)
	}
}

// Notes are lines for people: what was inferred, folded and left out.
func (t *Table) Notes() []string { return t.notes }

// Len is the number of configurations that can be put in force.
func (t *Table) Len() int { return len(t.configs) }

// Space has a knob for each column or group of columns that is not constant.
func (t *Table) Space() controller.Space { return t.space }

// Offered has an optimization for each knob, and Configuration for all of them.
func (t *Table) Offered() []controller.Optimization { return t.offered }

// Environments are the names, in the order in which a run goes through them; one
// empty name if there are none.
func (t *Table) Environments() []string {
	var out []string
	for _, e := range t.environments {
		out = append(out, e.name)
	}
	return out
}

// Noise is where differences between draws come from.
func (t *Table) Noise() Noise { return t.noise }

// Setting of configuration i.
func (t *Table) Setting(i int) controller.Setting {
	values := make(map[string]float64, len(t.knobs))
	levels := t.levels[int(t.configs[i])*len(t.knobs):]
	for k := range t.knobs {
		values[t.knobs[k].Name] = t.knobs[k].values[levels[k]]
	}
	return t.base.With(values)
}

// Find returns the number of the configuration with that setting. An error says
// that it cannot be put in force: it was not measured, is invalid, or is no
// setting of the space.
func (t *Table) Find(s controller.Setting) (int, error) {
	var buf [64]byte
	key, at := buf[:0], 0
	for name, v := range s.All() {
		if at >= len(t.byName) || t.knobs[t.byName[at]].Name != name {
			return 0, errors.Join(errors.New("not a setting of the table"), t.space.CheckSetting(s))
		}
		k := &t.knobs[t.byName[at]]
		level, ok := slices.BinarySearch(k.values, v)
		if !ok {
			return 0, k.CheckValue(v)
		}
		key = binary.AppendUvarint(key, uint64(level))
		at++
	}
	if at < len(t.byName) {
		return 0, t.space.CheckSetting(s)
	}
	config, ok := t.index[string(key)]
	switch {
	case !ok:
		return 0, fmt.Errorf("%s: was not measured", s)
	case t.number[config] < 0:
		return 0, fmt.Errorf("%s: has no valid result", s)
	}
	return int(t.number[config]), nil
}

// Row has the columns of configuration i, with the values of the file.
func (t *Table) Row(i int) map[string]any {
	out := make(map[string]any, len(t.columns))
	for _, c := range t.columns {
		out[c.name] = c.cell(int(t.configs[i]))
	}
	return out
}

// Value is the true value of configuration i in an environment: the mean of what
// was measured.
func (t *Table) Value(environment, i int) float64 {
	return t.environments[environment].results[i].value
}

// Best and Median of the true values in an environment.
func (t *Table) Best(environment int) float64   { return t.environments[environment].best }
func (t *Table) Median(environment int) float64 { return t.environments[environment].median } //nolint:revive // told with Best

// Rank is how many configurations are better than a value in an environment.
func (t *Table) Rank(environment int, value float64) int {
	at, _ := slices.BinarySearchFunc(t.environments[environment].sorted, value, func(a, b float64) int {
		switch {
		case t.Better(a, b):
			return -1
		case t.Better(b, a):
			return 1
		}
		return 0
	})
	return at
}

// Better reports whether one value is better than another.
func (t *Table) Better(a, b float64) bool {
	if t.cfg.Maximize {
		return a > b
	}
	return a < b
}

// Gap is (value - best) / (median - best): 0 at the best, 1 at the median. It is
// NaN where the median is the best and the value is not.
func (t *Table) Gap(environment int, value float64) float64 {
	best := t.Best(environment)
	if value == best {
		return 0
	}
	if t.Median(environment) == best {
		return math.NaN()
	}
	return (value - best) / (t.Median(environment) - best)
}
