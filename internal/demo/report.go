package demo

import (
	"cmp"
	"context"
	"hash/crc32"
	"slices"
	"strconv"

	"autotune/executor"
)

// Reports are what allocates: each lays out months of sales of an item in a
// table that nobody needs once the page is made. The table comes from a pool;
// with enable_object_pool off that is plain allocation, some 200 KB a report.

const (
	reportRows  = 1200
	rowCapacity = 160 // bytes of text of a row, more than any takes
)

// ReportPage is what a report says: its best day, and a checksum over all of its text.
type ReportPage struct {
	ID    int       `json:"id"`
	Rows  int       `json:"rows"`
	Top   ReportRow `json:"top"`
	Check uint32    `json:"check"`
}

// ReportRow is one day of a report.
type ReportRow struct {
	Day  int `json:"day"`
	Sold int `json:"sold"`
}

// reportTable is the scratch object.
type reportTable struct {
	rows []ReportRow
	text []byte
}

func newReportTable() *reportTable {
	return &reportTable{rows: make([]ReportRow, 0, reportRows), text: make([]byte, 0, reportRows*rowCapacity)}
}

func (t *reportTable) reset() { t.rows, t.text = t.rows[:0], t.text[:0] }

func newReport(ex *executor.Executor, db *store) (*executor.Step[int, ReportPage], error) {
	tables, err := executor.NewPool(ex, executor.PoolConfig[reportTable]{New: newReportTable, Reset: (*reportTable).reset})
	if err != nil {
		return nil, err
	}
	return executor.NewStep(ex, executor.StepConfig[int, ReportPage]{
		Name: "report",
		Run: func(ctx context.Context, id int) (ReportPage, error) {
			it, err := db.readItem(ctx, id)
			if err != nil {
				return ReportPage{}, err
			}
			t := tables.Get()
			defer tables.Put(t)
			return t.page(it), nil
		},
	})
}

// page lays out a report. It depends on what never changes of an item only.
func (t *reportTable) page(it Item) ReportPage {
	x := uint64(it.ID)
	for day := range reportRows {
		x = x*6364136223846793005 + 1442695040888963407
		row := ReportRow{Day: day, Sold: int(x >> 54)}
		t.rows = append(t.rows, row)
		t.text = append(t.text, it.Name...)
		t.text = append(t.text, "  day "...)
		t.text = strconv.AppendInt(t.text, int64(day), 10)
		t.text = append(t.text, "  sold "...)
		t.text = strconv.AppendInt(t.text, int64(row.Sold), 10)
		t.text = append(t.text, "  for "...)
		t.text = strconv.AppendInt(t.text, int64(row.Sold*it.PriceCents), 10)
		t.text = append(t.text, '\n')
	}
	top := slices.MaxFunc(t.rows, func(a, b ReportRow) int { return cmp.Or(cmp.Compare(a.Sold, b.Sold), cmp.Compare(b.Day, a.Day)) })
	return ReportPage{ID: it.ID, Rows: len(t.rows), Top: top, Check: crc32.ChecksumIEEE(t.text)}
}
