package executor

import (
	"sync"
	"testing"
)

type block [4096]byte

var sinkBlock *block

// benchScratch takes a block, touches it and gives it back.
func benchScratch(b *testing.B, get func() *block, put func(*block)) {
	b.Helper()
	b.Run("serial", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			v := get()
			v[0]++
			put(v)
		}
	})
	b.Run("parallel", func(b *testing.B) {
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				v := get()
				v[0]++
				put(v)
			}
		})
	})
	b.Run("four-at-once", func(b *testing.B) {
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) {
			var held [4]*block
			for i := 0; pb.Next(); i++ {
				at := &held[i&3]
				if *at != nil {
					put(*at)
				}
				*at = get()
				(*at)[0]++
			}
		})
	})
}

func BenchmarkPool(b *testing.B) {
	b.Run("make", func(b *testing.B) {
		benchScratch(b, func() *block { return new(block) }, func(v *block) {
			if v[0] == 0 {
				sinkBlock = v // never, but the compiler must not know
			}
		})
	})
	b.Run("sync.Pool", func(b *testing.B) {
		p := sync.Pool{New: func() any { return new(block) }}
		benchScratch(b, func() *block { return p.Get().(*block) }, func(v *block) { p.Put(v) })
	})
	b.Run("channel", func(b *testing.B) {
		c := make(chan *block, 500)
		benchScratch(b, func() *block {
			select {
			case v := <-c:
				return v
			default:
				return new(block)
			}
		}, func(v *block) {
			select {
			case c <- v:
			default:
			}
		})
	})
	for name, cfg := range map[string]Config{"off": {}, "on": {EnableObjectPool: true}} {
		b.Run(name, func(b *testing.B) {
			ex, err := New(cfg)
			if err != nil {
				b.Fatal(err)
			}
			defer ex.Close()
			p, err := NewPool(ex, PoolConfig[block]{Reset: func(*block) {}})
			if err != nil {
				b.Fatal(err)
			}
			benchScratch(b, p.Get, func(v *block) {
				if v[0] == 0 {
					sinkBlock = v
				}
				p.Put(v)
			})
		})
	}
}
