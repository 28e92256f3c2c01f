package demo

import (
	"testing"

	"github.com/stretchr/testify/require"

	"autotune/executor"
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

// BenchmarkBasket is pricing a basket: deep copies for each step, or shared.
func BenchmarkBasket(b *testing.B) {
	for _, cfg := range []executor.Config{{}, {EnableContextOptimization: true}} {
		b.Run(map[bool]string{false: "off", true: "on"}[cfg.EnableContextOptimization], func(b *testing.B) {
			ex, err := executor.New(cfg)
			require.NoError(b, err)
			defer ex.Close()
			f, err := newBasketFlow(ex)
			require.NoError(b, err)
			b.ReportAllocs()
			for b.Loop() {
				_, err := f.price(b.Context(), 5)
				require.NoError(b, err)
			}
		})
	}
}

// BenchmarkReport is making a page, on a new table or one out of a pool.
func BenchmarkReport(b *testing.B) {
	for _, cfg := range []executor.Config{{}, {EnableObjectPool: true}} {
		b.Run(map[bool]string{false: "off", true: "on"}[cfg.EnableObjectPool], func(b *testing.B) {
			ex, err := executor.New(cfg)
			require.NoError(b, err)
			defer ex.Close()
			tables, err := executor.NewPool(ex, executor.PoolConfig[reportTable]{New: newReportTable, Reset: (*reportTable).reset})
			require.NoError(b, err)
			b.ReportAllocs()
			for b.Loop() {
				t := tables.Get()
				t.page(Item{ID: 3, Name: "amber brass no. 3", PriceCents: 250})
				tables.Put(t)
			}
		})
	}
}
