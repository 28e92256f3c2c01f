package overhead

import (
	"context"
	"testing"
)

// What a way to record a request costs, beside the same call without: "without"
// less "with" is what is added. Parallel is from as many goroutines as there are
// processors.
func BenchmarkRequest(b *testing.B) {
	ctx := context.Background()
	for _, w := range ways() {
		for _, side := range []struct {
			name string
			call func() func(context.Context) error
		}{{"without", w.without}, {"with", w.with}} {
			b.Run(w.name+"/"+side.name+"/serial", func(b *testing.B) {
				b.ReportAllocs()
				call := side.call()
				for b.Loop() {
					_ = call(ctx)
				}
			})
			b.Run(w.name+"/"+side.name+"/parallel", func(b *testing.B) {
				b.ReportAllocs()
				b.RunParallel(func(pb *testing.PB) {
					for call := side.call(); pb.Next(); {
						_ = call(ctx)
					}
				})
			})
		}
	}
}
