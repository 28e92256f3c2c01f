package table_test

import (
	"context"
	"fmt"
	"log"
	"strings"

	"autotune/controller"
	"autotune/simulate/table"
)

// A table with a choice of three in three columns, and the time that each took.
const compressors = `lzo,gzip,lzma,threads,seconds
1,0,0,1,20
1,0,0,4,9
0,1,0,1,30
0,1,0,4,14
0,0,1,1,80
0,0,1,4,
`

func Example() {
	t, err := table.Read(strings.NewReader(compressors), table.Config{Metrics: []string{"seconds"}})
	if err != nil {
		log.Fatal(err)
	}
	for _, note := range t.Notes() {
		fmt.Println(note)
	}
	run, err := t.Run(context.Background(), table.RunConfig{
		Policy: everySetting{t}, Evaluations: 10, Judge: table.Exact, Start: 4,
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("from %v to %v s in %d evaluations, rank %d: %v\n",
		run.DefaultValue, run.FinalValue, run.Evaluations, run.Rank, run.Final)
	// Output:
	// folded into the enum lzo|gzip|lzma: lzo, gzip, lzma
	// 1 of 6 configurations have no valid result: they are not tried
	// from 80 to 9 s in 4 evaluations, rank 0: map[gzip:0 lzma:0 lzo:1 threads:4]
}

// everySetting tries all that were measured, in the order of the table.
type everySetting struct{ *table.Table }

func (everySetting) Learn(controller.Trial) {}

func (e everySetting) Propose(v controller.View) (controller.Proposal, bool) {
	for i := range e.Len() {
		p := controller.Proposal{Optimization: table.Configuration, Move: "jump", Change: v.Safe.Diff(e.Setting(i))}
		if len(p.Change) > 0 && v.Blocked[p.BlockKey()] == "" {
			return p, true
		}
	}
	return controller.Proposal{}, false
}
