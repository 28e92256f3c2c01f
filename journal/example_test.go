package journal_test

import (
	"fmt"
	"log"
	"os"
	"path/filepath"
	"time"

	"autotune/controller"
	"autotune/journal"
)

// A service keeps a setting, dies, and finds it again.
func Example() {
	dir, err := os.MkdirTemp("", "journal")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	dir = filepath.Join(dir, "orders.journal")
	at := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)

	j, err := journal.Open(dir, journal.Options{})
	if err != nil {
		log.Fatal(err)
	}
	kept := controller.SettingOf(map[string]float64{"cache_size": 4096})
	records := []controller.Record{
		{At: at, Kind: controller.RecordNote, Note: "cache_size 1024 -> 4096: kept"},
		{At: at, Kind: controller.RecordState, State: &controller.State{Version: controller.StateVersion, Safe: kept, NextTrial: 2}},
	}
	for _, r := range records {
		if err := j.Append(r); err != nil { // kill -9 loses nothing from here on
			log.Fatal(err)
		}
	}
	if err := j.Sync(); err != nil { // nor does a power cut
		log.Fatal(err)
	}
	if err := j.Close(); err != nil {
		log.Fatal(err)
	}

	j, err = journal.Open(dir, journal.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer j.Close()
	fmt.Println("last kept:", j.State().Safe)

	for e, err := range journal.Read(dir) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("segment %d line %d: %s %s\n", e.Segment, e.Line, e.Record.Kind, e.Record.Note)
	}
	// Output:
	// last kept: cache_size=4096
	// segment 1 line 2: note cache_size 1024 -> 4096: kept
	// segment 1 line 3: state
}
