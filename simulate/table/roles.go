package table

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"autotune/controller"
	"autotune/simulate/internal/csvfile"
)

// roles are the places of columns, by what they are.
type roles struct {
	metrics     []int
	sd          int // or -1
	relative    bool
	environment int // of a column with the environments, or -1
	names       []string
	// wide: each metric is an environment, and these are their names.
	wide  []string
	knobs []int
	kinds map[int]controller.Kind // overruled, by place
}

// rolesOf looks the columns up. A pattern that finds nothing is a fault: it was
// meant to find something.
func (c Config) rolesOf(header []string) (*roles, error) {
	for i, h := range header {
		if h == "" {
			return nil, fmt.Errorf("header: field %d is empty: each column needs a name", i+1)
		}
		if _, err := csvfile.Column(header, h); err != nil {
			return nil, err
		}
	}
	r := &roles{sd: -1, environment: -1, kinds: map[int]controller.Kind{}}
	taken := map[int]string{}
	var err error
	if r.metrics, err = find(header, c.Metrics, func(i int, _ string) bool {
		_, again := taken[i]
		taken[i] = "metric"
		return !again
	}); err != nil {
		return nil, err
	}
	one := func(what, name string) int {
		if name == "" || err != nil {
			return -1
		}
		var at int
		if at, err = csvfile.Column(header, name); err != nil {
			return -1
		}
		if was, ok := taken[at]; ok {
			err = fmt.Errorf("%s %q: is a %s already: must be another column", what, name, was)
		}
		taken[at] = what
		return at
	}
	if r.sd = one("sd", c.SD); r.sd < 0 {
		r.sd, r.relative = one("relative-sd", c.RelativeSD), true
	}
	if err := c.findEnvironment(header, r, one); err != nil {
		return nil, err
	}
	if err != nil {
		return nil, err
	}
	if r.sd >= 0 && len(r.metrics) > 1 {
		return nil, fmt.Errorf("metric: finds %d columns: must be one beside a column of standard deviations", len(r.metrics))
	}
	if _, err := find(header, c.Ignore, func(i int, _ string) bool {
		if _, ok := taken[i]; !ok {
			taken[i] = "column to ignore"
		}
		return true
	}); err != nil {
		return nil, err
	}
	for i := range header {
		if _, ok := taken[i]; !ok {
			r.knobs = append(r.knobs, i)
			r.names = append(r.names, header[i])
		}
	}
	if len(r.knobs) == 0 {
		return nil, errors.New("no knobs: every column is a metric, a standard deviation, an environment or ignored")
	}
	for _, name := range slices.Sorted(maps.Keys(c.Knobs)) {
		known, was := false, ""
		if _, err := find(header, []string{name}, func(i int, _ string) bool {
			if what, ok := taken[i]; ok {
				was = what
				return false
			}
			r.kinds[i], known = c.Knobs[name], true
			return true
		}); err != nil {
			return nil, err
		}
		if !known {
			return nil, fmt.Errorf("knob %q: is a %s: must be another column", name, was)
		}
	}
	return r, err
}

// findEnvironment finds the column of environments, or that each metric is one.
func (c Config) findEnvironment(header []string, r *roles, one func(what, name string) int) error {
	if c.Environment == "" {
		return nil
	}
	var stars []string
	found, err := find(header, []string{c.Environment}, func(_ int, star string) bool {
		stars = append(stars, star)
		return true
	})
	if err != nil {
		return err
	}
	if !slices.Contains(r.metrics, found[0]) {
		r.environment = one("environment", header[found[0]])
		if len(found) > 1 {
			return fmt.Errorf("environment %q: finds %d columns: must be one, or the metrics", c.Environment, len(found))
		}
		return nil
	}
	if !slices.Equal(found, r.metrics) {
		return fmt.Errorf("environment %q: finds metrics, and not the same as metric: must be the same columns", c.Environment)
	}
	r.wide = stars
	return nil
}

// find returns the places that patterns find, in the order of the header.
func find(header, patterns []string, each func(i int, star string) bool) ([]int, error) {
	var out []int
	for _, p := range patterns {
		found := false
		for i, h := range header {
			if star, ok := matches(p, h); ok {
				found = true
				if each(i, star) {
					out = append(out, i)
				}
			}
		}
		if !found {
			return nil, csvfile.Absent(header, p)
		}
	}
	slices.Sort(out)
	return out, nil
}
