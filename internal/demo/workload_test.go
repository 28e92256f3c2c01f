package demo

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"autotune/executor"
)

func TestWorkloads_askForWhatTheySay(t *testing.T) {
	for _, w := range workloads {
		t.Run(w.name, func(t *testing.T) {
			named, err := WorkloadNamed(w.name)
			require.NoError(t, err)
			s := named.schedule(1, DefaultRate, nil, DefaultItems)
			const n = 20_000
			kinds := map[Kind]int{}
			keys := map[Kind]map[int]int{}
			for range n {
				a := s.Next()
				kinds[a.Kind]++
				if keys[a.Kind] == nil {
					keys[a.Kind] = map[int]int{}
				}
				keys[a.Kind][a.Key]++
			}
			total := 0
			for _, m := range named.shares() {
				total += m.of
				assert.InDelta(t, float64(m.of)/1000, float64(kinds[m.kind])/n, 0.015, "%v", m.kind)
			}
			assert.Equal(t, 1000, total)
			reads := keys[ReadItem]
			top := 0
			for _, times := range reads {
				top = max(top, times)
			}
			assert.Equal(t, w.name == "high-frequency", float64(top)/float64(kinds[ReadItem]) > 0.3, "most are the same few: %d of %d", top, kinds[ReadItem])
			if packs := keys[Pack]; len(packs) > 0 {
				assert.Equal(t, w.name == "cpu-intensive", len(packs) == kinds[Pack], "orders repeat: %d of %d", len(packs), kinds[Pack])
			}
			for basket := range keys[Basket] {
				assert.Less(t, basket, baskets)
			}
		})
	}
	_, err := WorkloadNamed("fast")
	assert.EqualError(t, err, `workload "fast": must be one of high-allocation, large-context, cpu-intensive, high-frequency, low-latency, or empty`)
}

func TestBursts_areShortAndRare(t *testing.T) {
	b := newBursts(rand.New(rand.NewPCG(1, 1)))
	in, began, length := 0, 0, 0
	const seconds = 20_000
	for second := range seconds {
		if !b.in(second) {
			length = 0
			continue
		}
		if in++; length == 0 {
			began++
		}
		length++
		require.LessOrEqual(t, length, 4)
	}
	assert.InDelta(t, seconds/17.5, began, seconds/17.5/6)
	assert.InDelta(t, 3, float64(in)/float64(began), 0.2)
}

func TestUpstream_goesDown(t *testing.T) {
	up, steady := newUpstream(1, true), newUpstream(1, false)
	down := time.Duration(0)
	for ; !up.down(down); down += time.Second {
		assert.False(t, steady.down(down))
		require.Less(t, down, time.Hour)
	}
	assert.GreaterOrEqual(t, down, 5*time.Second, "it works at first")
	up.began = time.Now().Add(-down) // now it is down
	began := time.Now()
	for range 20 {
		_, err := up.discount(t.Context())
		require.ErrorIs(t, err, errUpstream)
	}
	assert.Less(t, time.Since(began), time.Second, "and says so at once")
}

// A report out of the pool is the report without, and leaves no table behind.
func TestReport_fromThePool(t *testing.T) {
	it := Item{ID: 3, Name: "amber", PriceCents: 250}
	used, fresh := newReportTable(), newReportTable()
	used.page(Item{ID: 9, Name: "a longer name", PriceCents: 7})
	used.reset()
	page := used.page(it)
	assert.Equal(t, fresh.page(it), page)
	assert.NotEqual(t, fresh.page(it), page, "a table is used once between resets")
	for _, row := range used.rows {
		assert.LessOrEqual(t, row.Sold, page.Top.Sold)
	}
	assert.Equal(t, reportRows*rowCapacity, cap(used.text), "rows fit without growing")
}

// What a basket costs is what its lines add up to, and a bill never changes the
// basket.
func TestBasket_addsUp(t *testing.T) {
	for _, cfg := range []executor.Config{{}, {EnableContextOptimization: true}} {
		ex, err := executor.New(cfg)
		require.NoError(t, err)
		defer ex.Close()
		f, err := newBasketFlow(ex)
		require.NoError(t, err)
		for range 2 {
			bill, err := f.price(t.Context(), 5)
			require.NoError(t, err)
			want := Bill{}
			for _, l := range newBasket(5) {
				want.Goods += l.Count * l.Cents
				if l.Count >= 5 {
					want.Discount += l.Count * l.Cents / 20
				}
			}
			want.Shipping = 490 + want.Goods/1000
			want.Tax = (want.Goods - want.Discount + want.Shipping) / 5
			want.Total = want.Goods - want.Discount + want.Shipping + want.Tax
			assert.Equal(t, want, bill)
		}
	}
}
