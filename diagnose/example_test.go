package diagnose_test

import (
	"fmt"
	"log"

	"autotune/diagnose"
)

// A journal in which something was tried that did harm.
func ExampleRead() {
	d, err := diagnose.Read("../testdata/journals/harm.jsonl")
	if err != nil {
		log.Fatal(err)
	}
	for _, f := range d.Findings {
		fmt.Printf("%s: %s\n  %s\n", f.Rule, f.What, f.Evidence[0].Text)
	}
	for _, l := range d.Looked {
		if !l.Known {
			fmt.Printf("%s: not known, %s\n", l.Rule, l.At)
		}
	}
	// Output:
	// regression: fast on made cost worse, and was put back
	//   trial 1: cost +50.3 % (+18.7 % to +82.9 %) in 7 pairs
	// memory: not known, neither rss_bytes nor memory_ratio was measured
	// cpu: not known, cpu_seconds was not measured
}

// The kept setting, with where each value comes from.
func ExampleExport() {
	x, err := diagnose.Export("../testdata/journals/keep.jsonl")
	if err != nil {
		log.Fatal(err)
	}
	for _, v := range x.Values {
		fmt.Printf("%s: %s (%s by trial %d)\n", v.Name, v.Text, v.Origin, v.Trial)
	}
	// Output:
	// fast: true (kept by trial 1)
}
