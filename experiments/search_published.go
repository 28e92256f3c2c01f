package experiments

import (
	"compress/gzip"
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"autotune/simulate/table"
)

// flashTable is a table that FLASH was tried on: what it measured on average, rounded
// down, and the mean rank at which its 20 runs ended (Nair, Yu, Menzies, Siegmund &
// Apel, "Finding faster configurations using FLASH", TSE 2018).
type flashTable struct {
	Name         string
	Measurements int
	MeanRank     float64
}

func flashTables() []flashTable {
	return []flashTable{
		{"Apache_AllMeasurements", 34, 0.05},
		{"HSMGP_num", 44, 2.95},
		{"lrzip", 37, 0.65},
		{"sol-6d-c2-obj1", 37, 24.6},
		{"sol-6d-c2-obj2", 41, 1.85},
		{"sort_256_obj2", 33, 0},
		{"wc-3d-c4_obj2", 37, 1.05},
		{"WGet", 33, 1.85},
		{"X264_AllMeasurements", 41, 0},
		{"wc+rs-3d-c4-obj1", 33, 0},
		{"wc+rs-3d-c4-obj2", 36, 0.3},
		{"wc+sol-3d-c4-obj1", 35, 0},
		{"wc+sol-3d-c4-obj2", 34, 0.15},
		{"wc+wc-3d-c4-obj1", 36, 0.2},
		{"wc+wc-3d-c4-obj2", 38, 0.75},
	}
}

// loggedTable is a table whose published tuners left their logs.
type loggedTable struct {
	Name     string
	Maximize bool
	// Asked says that a claim is made of it; the others are shown beside.
	Asked bool
}

func loggedTables() []loggedTable {
	return []loggedTable{{"7z", false, true}, {"HSQLDB", false, true}, {"LLVM", false, true}, {"redis", true, false}}
}

// loggedMeasurements is after how many the logs are looked at.
const loggedMeasurements = 50

// logged is a tuner with the gaps at which its runs were after that many
// measurements.
type logged struct {
	tuner string
	gaps  []float64
}

// openLogs reads the logs of a table's tuners: tuner, run, eval, value, of which less
// is better.
func openLogs(data string, of loggedTable, t *table.Table) ([]logged, error) {
	path := filepath.Join(data, "promisetune", of.Name+".tunertraces.csv.gz")
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close() //nolint:errcheck // only read
	plain, err := gzip.NewReader(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	lines, err := csv.NewReader(plain).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	var header []string
	if len(lines) > 0 {
		header = lines[0]
	}
	if !slices.Equal(header[:min(4, len(header))], []string{"tuner", "run", "eval", "value"}) {
		return nil, fmt.Errorf("%s: header %q: must begin with tuner, run, eval, value", path, header)
	}
	var out []logged
	last := ""
	for i, line := range lines[1:] {
		eval, errEval := strconv.Atoi(line[2])
		value, errValue := strconv.ParseFloat(line[3], 64)
		if errEval != nil || errValue != nil {
			return nil, fmt.Errorf("%s: line %d: %q: eval and value must be numbers", path, i+2, line)
		}
		if eval > loggedMeasurements {
			continue
		}
		if of.Maximize {
			value = -value
		}
		gap := max(0, t.Gap(0, value)) // the logs are rounded
		if len(out) == 0 || out[len(out)-1].tuner != line[0] {
			out = append(out, logged{tuner: line[0]})
		}
		tuner := &out[len(out)-1]
		if run := line[0] + " " + line[1]; run != last {
			tuner.gaps, last = append(tuner.gaps, gap), run
		}
		now := &tuner.gaps[len(tuner.gaps)-1]
		*now = min(*now, gap)
	}
	return out, nil
}
