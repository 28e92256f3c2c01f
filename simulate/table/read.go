package table

import (
	"encoding/binary"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"autotune/simulate/internal/csvfile"
)

// Open reads a file as Read does.
func Open(path string, cfg Config) (*Table, error) {
	return csvfile.Open("table", path, func(r io.Reader) (*Table, error) { return Read(r, cfg) })
}

// Read reads a CSV file with a header and a row for each configuration, or the
// same under gzip. An error is one line that names line, column, value and rule,
// and nothing of such a file is used: a row left out would be a configuration
// that nobody can reach.
func Read(r io.Reader, cfg Config) (*Table, error) {
	if err := cfg.Check(); err != nil {
		return nil, err
	}
	rows, err := csvfile.NewReader(r)
	if err != nil {
		return nil, err
	}
	header, err := csvfile.Header(rows, "a row for each configuration")
	if err != nil {
		return nil, err
	}
	roles, err := cfg.rolesOf(header)
	if err != nil {
		return nil, err
	}
	in := newReading(cfg, header, roles)
	if err := csvfile.Each(rows, func(row []string) error { return in.take(rows, row) }); err != nil {
		return nil, err
	}
	return in.table()
}

// reading is a table half read.
type reading struct {
	cfg     Config
	header  []string
	roles   *roles
	columns []*column
	byName  map[string]int // environments
	names   []string
	others  []string // environments that are not used, a few of them
	results [][]result
	index   map[string]int32 // configurations, by their codes
	key     []byte
	rows    int
}

// result is what was measured of a configuration in an environment.
type result struct {
	value   float64 // the mean of what was measured; NaN if nothing was
	sd      float64 // of a single measurement
	repeats []float64
	invalid bool
}

func newReading(cfg Config, header []string, roles *roles) *reading {
	in := &reading{cfg: cfg, header: header, roles: roles, byName: map[string]int{}, index: map[string]int32{}}
	for _, at := range roles.knobs {
		in.columns = append(in.columns, &column{
			name: header[at], declared: roles.kinds[at], byText: map[string]uint32{}, byNumber: map[float64]uint32{},
		})
	}
	switch {
	case roles.environment < 0 && roles.wide == nil:
		in.environment("")
	default:
		for _, at := range cfg.At {
			in.environment(at)
		}
	}
	return in
}

func (in *reading) environment(name string) int {
	at := len(in.names)
	in.byName[name] = at
	in.names = append(in.names, name)
	in.results = append(in.results, make([]result, len(in.index)))
	for i := range in.results[at] {
		in.results[at][i].value = math.NaN()
	}
	return at
}

// environmentOf returns that of a name, or -1 for one that is not asked for.
func (in *reading) environmentOf(names ...string) int {
	for _, name := range names {
		if at, ok := in.byName[name]; ok {
			return at
		}
	}
	name := strings.Clone(names[len(names)-1])
	if len(in.cfg.At) == 0 {
		return in.environment(name)
	}
	if len(in.others) < 200 && !slices.Contains(in.others, name) {
		in.others = append(in.others, name)
	}
	return -1
}

func (in *reading) take(rows *csv.Reader, row []string) error {
	in.rows++
	line := func(field int) int {
		at, _ := rows.FieldPos(field)
		return at
	}
	r, environment := in.roles, 0
	if r.environment >= 0 {
		if environment = in.environmentOf(strings.TrimSpace(row[r.environment])); environment < 0 {
			return nil
		}
	}
	config, err := in.config(row, line)
	if err != nil {
		return err
	}
	for i, at := range r.metrics {
		if r.wide != nil {
			if environment = in.environmentOf(in.header[at], r.wide[i]); environment < 0 {
				continue
			}
		}
		res := &in.results[environment][config]
		cell := strings.TrimSpace(row[at])
		if cell == "" {
			continue
		}
		v, err := finite(cell)
		if err != nil {
			return fmt.Errorf("line %d, column %q: %w", line(at), in.header[at], err)
		}
		if slices.Contains(in.cfg.Invalid, v) {
			res.invalid = true
			continue
		}
		sd := 0.0
		if r.sd >= 0 {
			if sd, err = finite(strings.TrimSpace(row[r.sd])); err != nil || sd < 0 {
				if err == nil {
					err = fmt.Errorf("%v: must not be negative", sd)
				}
				return fmt.Errorf("line %d, column %q: %w", line(r.sd), in.header[r.sd], err)
			}
			if r.relative {
				sd *= math.Abs(v)
			}
		}
		res.add(v, sd)
	}
	return nil
}

// add takes a measurement. The first one needs no slice: most tables have one.
func (r *result) add(v, sd float64) {
	if math.IsNaN(r.value) {
		r.value, r.sd = v, sd
		return
	}
	if r.repeats == nil {
		r.repeats = append(r.repeats, r.value)
	}
	// The variance of one drawn from all repeats: that within, and that between.
	n := float64(len(r.repeats))
	r.repeats = append(r.repeats, v)
	step := v - r.value
	r.value += step / (n + 1)
	within := (r.sd*r.sd*n + sd*sd + step*step*n/(n+1)) / (n + 1)
	r.sd = math.Sqrt(within)
}

// largest result whose square, for a variance, is a number.
const largest = 1e150

func finite(cell string) (float64, error) {
	v, err := strconv.ParseFloat(cell, 64)
	switch {
	case err != nil && !errors.Is(err, strconv.ErrRange):
		return 0, fmt.Errorf("%q: must be a number", cell)
	case math.IsNaN(v) || math.IsInf(v, 0):
		return 0, fmt.Errorf("%s: must be finite", cell)
	case math.Abs(v) > largest:
		return 0, fmt.Errorf("%s: must be within %g of 0", cell, largest)
	}
	return v, nil
}

// config returns the number of a row's configuration.
func (in *reading) config(row []string, line func(int) int) (int32, error) {
	in.key = in.key[:0]
	for i, at := range in.roles.knobs {
		code, err := in.columns[i].code(row[at], line(at))
		if err != nil {
			return 0, err
		}
		in.key = binary.AppendUvarint(in.key, uint64(code))
	}
	if config, ok := in.index[string(in.key)]; ok {
		return config, nil
	}
	config := int32(len(in.index))
	in.index[string(in.key)] = config
	key := in.key
	for _, c := range in.columns {
		code, n := binary.Uvarint(key)
		key = key[n:]
		c.codes = append(c.codes, uint32(code))
	}
	for e := range in.results {
		in.results[e] = append(in.results[e], result{value: math.NaN()})
	}
	return config, nil
}
