package demo

import (
	"testing"
)

// What the service's work costs, one request at a time.
func BenchmarkPacking(b *testing.B) {
	for i := 0; b.Loop(); i++ {
		packOrder(i % orders)
	}
}

func BenchmarkStore(b *testing.B) {
	db, err := openStore(b.Context(), b.TempDir(), 1, DefaultItems)
	if err != nil {
		b.Fatal(err)
	}
	defer db.close()
	b.Run("item", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			if _, err := db.readItem(b.Context(), i%DefaultItems); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("search", func(b *testing.B) {
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			if _, err := db.search(b.Context(), Query{i % categories, words[i%vocabulary]}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("write", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			if _, err := db.addStock(b.Context(), i%DefaultItems, 1); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkSchedule(b *testing.B) {
	s := NewSchedule(1, DefaultRate, nil, DefaultItems)
	for b.Loop() {
		s.Next()
	}
}
