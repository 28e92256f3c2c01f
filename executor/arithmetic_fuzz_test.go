package executor

import (
	"encoding/binary"
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// Any durations: each is in its bucket, and quantiles are in order, and between
// the least and the greatest.
func FuzzWindow(f *testing.F) {
	f.Add([]byte{0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 127})
	f.Add([]byte{31, 0, 0, 0, 0, 0, 0, 0, 32, 0, 0, 0, 0, 0, 0, 0, 33, 0, 0, 0, 0, 0, 0, 0, 64, 0, 0, 0, 0, 0, 0, 128})
	f.Fuzz(func(t *testing.T, data []byte) {
		w := &window{}
		n, failed, least, most := 0, 0, math.Inf(1), 0.0
		for ; len(data) >= 8 && n < halveAfter; data = data[8:] {
			nanos := int64(binary.LittleEndian.Uint64(data))
			b := bucketOf(uint64(max(nanos, 0)))
			counted := float64(min(max(nanos, 0), 1<<longestBits-1))
			require.GreaterOrEqual(t, counted, startOf(b))
			require.Less(t, counted, startOf(b+1))
			least, most = min(least, startOf(b)/1e9), max(most, startOf(b+1)/1e9)
			w.add(nanos, w.weight(), nanos%2 == 0)
			if n++; nanos%2 == 0 {
				failed++
			}
		}
		if n == 0 {
			return
		}
		got := w.take()
		require.Equal(t, []float64{float64(n), float64(failed), float64(n)}, []float64{got.total, got.failed, got.size})
		last := least
		for _, q := range []float64{-1, 0, 0.25, 0.5, 0.95, 1, 2} {
			v := got.quantile(q)
			require.GreaterOrEqual(t, v, last)
			require.LessOrEqual(t, v, most)
			last = v
		}
		require.Zero(t, w.take().total, "it was emptied")
	})
}

// Any stack distances: miss ratios are ratios, do not grow with the size, and are
// exact where buckets have a width of 1.
func FuzzMissCurve(f *testing.F) {
	f.Add([]byte{0, 0, 0, 1, 0, 0, 255, 1, 0, 0, 2, 0, 255, 255, 1}, uint16(3), uint32(511))
	f.Fuzz(func(t *testing.T, data []byte, never uint16, size uint32) {
		d := &distances{seen: float64(never)}
		small, within := int(size%(1<<exactBits)), 0.0
		for ; len(data) >= 3; data = data[3:] {
			distance := (int(data[0]) | int(data[1])<<8 | int(data[2])<<16) % ghostReach
			d.add(float64(distance), 1)
			d.seen++
			b := bucketAt(float64(distance))
			require.GreaterOrEqual(t, float64(distance), boundOf(b))
			require.Less(t, float64(distance), boundOf(b+1))
			if distance < small {
				within++
			}
		}
		curve, last := d.curve(), 1.0
		sizes := []int{0, small, small + 1, int(size), ghostReach, math.MaxInt}
		slices.Sort(sizes)
		for _, size := range sizes {
			ratio, ok := curve.MissRatio(size)
			require.Equal(t, d.seen > 0, ok)
			if !ok {
				return
			}
			require.GreaterOrEqual(t, ratio, 0.0)
			require.LessOrEqual(t, ratio, last+1e-9)
			if last = ratio; size == small {
				require.InDelta(t, 1-within/d.seen, ratio, 1e-9)
			}
		}
	})
}

// Any number for any field: it is a fault, on one line, or a value that comes
// back as it was set, to the nanosecond. The nearest value in range is none.
func FuzzField(f *testing.F) {
	f.Add(uint8(1), 500.0)
	f.Add(uint8(2), math.NaN())
	f.Add(uint8(5), 1e-9)
	f.Add(uint8(7), math.Inf(-1))
	f.Fuzz(func(t *testing.T, which uint8, v float64) {
		field := ranges()[int(which)%len(ranges())]
		if !math.IsNaN(v) {
			require.Nil(t, field.check(field.Clamp(v)), "%s: clamped", field.Name)
		}
		if fault := field.check(v); fault != nil {
			require.NotEmpty(t, fault.Rule)
			require.NotContains(t, fault.Error(), "\n")
			return
		}
		c := Defaults()
		field.set(&c, v)
		require.NoError(t, c.Validate())
		require.InDelta(t, v, field.get(&c), 1e-9*max(1, math.Abs(v)*1e-6))
	})
}
