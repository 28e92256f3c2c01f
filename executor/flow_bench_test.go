package executor

import (
	"context"
	"fmt"
	"testing"

	"golang.org/x/sync/errgroup"
)

//go:noinline
func plusOne(_ context.Context, in int) (int, error) { return in + 1, nil }

// A flow beside what a user would write by hand: three calls one after the
// other, and three at once in an errgroup.
func BenchmarkFlow(b *testing.B) {
	ex := start(b, Config{})
	ctx := context.Background()
	each := func(name string, f func() (int, error)) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				v, err := f()
				if err != nil {
					b.Fatal(err)
				}
				sink = v
			}
		})
	}
	fn := Func("f", plusOne)
	step := Node[int, int](bind(b, ex, StepConfig[int, int]{Run: plusOne}))
	sum := Reduce(func(a, b int) int { return a + b })
	flow := func(body Node[int, int]) func() (int, error) {
		f := flowOf(b, ex, body)
		return func() (int, error) { return f.Run(ctx, 1) }
	}
	each("sequence/by-hand", func() (v int, err error) {
		v = 1
		for range 3 {
			if v, err = plusOne(ctx, v); err != nil {
				return 0, err
			}
		}
		return v, nil
	})
	each("sequence/funcs", flow(Sequence(fn, fn, fn)))
	each("sequence/steps", flow(Sequence(step, step, step)))
	each("parallel/errgroup", func() (int, error) {
		g, ctx := errgroup.WithContext(ctx)
		var outs [3]int
		for i := range outs {
			g.Go(func() (err error) {
				outs[i], err = plusOne(ctx, 1)
				return err
			})
		}
		err := g.Wait()
		return outs[0] + outs[1] + outs[2], err
	})
	each("parallel/funcs", flow(Parallel(sum, fn, fn, fn)))
	each("parallel/steps", flow(Parallel(sum, step, step, step)))
}

// A sequence of four steps over a state of eight values, of which each step
// reads one, reads all, or reads a sum over one.
func BenchmarkState(b *testing.B) {
	for _, size := range []int{1 << 10, 10 << 10, 100 << 10} {
		for _, reads := range []string{"one", "all", "derived"} {
			for _, way := range []string{"deep-copy", "copy-on-write"} {
				b.Run(fmt.Sprintf("%dKB/reads-%s/%s", size>>10, reads, way), func(b *testing.B) {
					benchState(b, isolations[map[string]string{"deep-copy": "deep copy", "copy-on-write": "copy-on-write"}[way]], size, reads)
				})
			}
		}
	}
}

func benchState(b *testing.B, cfg Config, size int, reads string) {
	b.Helper()
	ex := start(b, cfg)
	var keys []StateKey
	var values []*Key[map[string]string]
	var entries []Entry
	for i := range 8 {
		k := NewKey(KeyConfig[map[string]string]{Name: fmt.Sprint("key ", i)})
		v := map[string]string{}
		for j := range size / 8 / 64 { // 32 bytes of headers, 32 of text
			v[fmt.Sprintf("%016d", j)] = fmt.Sprintf("%016d", i)
		}
		keys, values, entries = append(keys, k), append(values, k), append(entries, k.Of(v))
	}
	total := Derive(values[0], func(m map[string]string) (n int) {
		for _, s := range m {
			n += len(s)
		}
		return n
	})
	step := Func("read", func(ctx context.Context, in int) (int, error) {
		switch reads {
		case "one":
			v, _ := values[0].Get(ctx)
			in += len(v)
		case "all":
			for _, k := range values {
				v, _ := k.Get(ctx)
				in += len(v)
			}
		default:
			n, _ := total.Get(ctx)
			in += n
		}
		return in, nil
	})
	f := flowOf(b, ex, Sequence(step, step, step, step), keys...)
	s, err := NewState(entries...)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if sink, _, err = f.RunState(context.Background(), s, 0); err != nil {
			b.Fatal(err)
		}
	}
}
