package live

import (
	"encoding/json"
	"errors"
	"path/filepath"
	"time"

	"autotune/controller"
	"autotune/experiments/internal/durable"
	"autotune/report"
)

// Result is what came of a cell: a line of live.jsonl.
type Result struct {
	Plan Plan `json:"plan"`
	// Differences of the pairs by metric: the log of it with the switch less that
	// without.
	Differences map[controller.Metric][]float64 `json:"differences"`
	// NotShown are fields that act more rarely than a block lasts.
	NotShown []string `json:"not_shown,omitempty"`
	// Kept is what the autopilot left on, and AutopilotCPU the share of one core
	// that it used itself.
	Kept         []string `json:"kept,omitempty"`
	AutopilotCPU float64  `json:"autopilot_cpu_ratio,omitempty"`
	// Requests that were sent, Failed and Dropped of them.
	Requests uint64 `json:"requests"`
	Failed   uint64 `json:"failed"`
	Dropped  uint64 `json:"dropped"`
	// Ended is when, and LoadBefore and LoadAfter are the machine's load averages
	// over a minute then; negative where there is none.
	Ended      time.Time `json:"ended"`
	Seconds    float64   `json:"seconds"`
	LoadBefore float64   `json:"load_average_before"`
	LoadAfter  float64   `json:"load_average_after"`
	Machine    Machine   `json:"machine"`
}

// kept is the file of finished cells. The last line of a cell counts; a line
// that a crash tore is skipped.
type kept struct {
	*durable.Lines
	cells map[string]Result // by name
}

func openKept(path string) (*kept, error) {
	k := &kept{cells: map[string]Result{}}
	var err error
	k.Lines, err = durable.OpenLines(path, func(line []byte) {
		var r Result
		if json.Unmarshal(line, &r) == nil && r.Plan.Switch != "" {
			k.cells[r.Plan.name()] = r
		}
	})
	return k, err
}

// has reports whether a cell was measured by this plan.
func (k *kept) has(p Plan) bool {
	r, ok := k.cells[p.name()]
	return ok && r.Plan.equal(p)
}

// add appends a result and waits until it is durable.
func (k *kept) add(r Result) error {
	if err := k.Add(r); err != nil {
		return err
	}
	k.cells[r.Plan.name()] = r
	return nil
}

func (k *kept) close() { _ = k.Close() } // what was added is durable

// report writes all files of what is kept, each whole or not at all.
func (k *kept) report(dir string) error {
	return errors.Join(
		durable.Replace(filepath.Join(dir, "live.md"), Markdown(k.results())),
		durable.Replace(filepath.Join(dir, "live.csv"), CSV(k.results())),
		durable.Report(dir, Document(k.results()), report.HTML, report.JSON),
	)
}

// results are in the table's order.
func (k *kept) results() []Result {
	var out []Result
	for _, s := range Rows() {
		for _, w := range Workloads() {
			if r, ok := k.cells[w+"/"+s]; ok {
				out = append(out, r)
			}
		}
	}
	return out
}
