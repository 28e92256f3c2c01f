package controller

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math/bits"
	"time"
)

// A log-linear histogram: each power of two of nanoseconds is cut into 64
// equal buckets, so that a value is known to 1/64 of itself at worst, and to
// about half of that once interpolated. Adding two histograms is exact, which
// quantiles are not: they are formed once, at the end of a block.
const (
	subBits = 6
	subSize = 1 << subBits
	maxBits = 43 // 2^43 ns is 2.4 hours; longer counts as that

	// Buckets is the number of buckets of a Histogram.
	Buckets = (maxBits - subBits + 1) * subSize
)

// MaxLatency is the largest latency that a histogram tells apart.
const MaxLatency = time.Duration(1<<maxBits - 1)

// Bucket returns the index of the bucket for a latency. Negative ones count as 0.
func Bucket(d time.Duration) int {
	v := uint64(max(d, 0))
	if v >= 1<<maxBits {
		return Buckets - 1
	}
	if v < subSize {
		return int(v)
	}
	e := bits.Len64(v) - subBits - 1
	return e<<subBits + int(v>>e)
}

// bucketStart returns the smallest latency of a bucket, in nanoseconds.
func bucketStart(i int) float64 {
	if i < subSize {
		return float64(i)
	}
	e := i>>subBits - 1
	return float64(uint64(i&(subSize-1)+subSize) << e)
}

// Histogram counts latencies. The zero value is empty and ready. It is not safe
// for concurrent use; sensors have a concurrent recorder that yields these.
type Histogram struct {
	counts   []uint32 // grown to Buckets at the first Add
	low, end int      // counts outside low..end-1 are zero
	n        uint64
	sum      float64 // seconds
	failures uint64
}

// Add counts n latencies of one bucket, whose sum in seconds is sum.
func (h *Histogram) Add(bucket int, n uint32, sum float64) {
	if n == 0 {
		return
	}
	if h.counts == nil {
		h.counts = make([]uint32, Buckets)
	}
	if h.n == 0 {
		h.low, h.end = bucket, bucket+1
	} else {
		h.low, h.end = min(h.low, bucket), max(h.end, bucket+1)
	}
	h.counts[bucket] += n
	h.n += uint64(n)
	h.sum += sum
}

// Record counts one latency.
func (h *Histogram) Record(d time.Duration) { h.Add(Bucket(d), 1, max(d, 0).Seconds()) }

// Fail counts n failures. A failure is worse than any latency: it moves
// quantiles up, and has no part in the mean.
func (h *Histogram) Fail(n uint64) { h.failures += n }

// Count is the number of latencies, failures not included.
func (h *Histogram) Count() uint64 {
	if h == nil {
		return 0
	}
	return h.n
}

// Failures is the number of failures counted.
func (h *Histogram) Failures() uint64 {
	if h == nil {
		return 0
	}
	return h.failures
}

// Merge adds what o counted. A nil o adds nothing.
func (h *Histogram) Merge(o *Histogram) {
	if o == nil {
		return
	}
	h.failures += o.failures
	if o.n == 0 {
		return
	}
	if h.counts == nil {
		h.counts = make([]uint32, Buckets)
	}
	if h.n == 0 {
		h.low, h.end = o.low, o.end
	} else {
		h.low, h.end = min(h.low, o.low), max(h.end, o.end)
	}
	for i := o.low; i < o.end; i++ {
		h.counts[i] += o.counts[i]
	}
	h.n += o.n
	h.sum += o.sum
}

// Reset empties the histogram and keeps its memory.
func (h *Histogram) Reset() {
	if h.n > 0 {
		clear(h.counts[h.low:h.end])
	}
	h.low, h.end, h.n, h.sum, h.failures = 0, 0, 0, 0, 0
}

// Mean returns the mean latency in seconds, and false if there is none.
func (h *Histogram) Mean() (float64, bool) {
	if h.Count() == 0 {
		return 0, false
	}
	return h.sum / float64(h.n), true
}

// Quantile returns the q-quantile in seconds (0 < q < 1), and false if the
// histogram is empty. Where it falls among failures it is MaxLatency.
func (h *Histogram) Quantile(q float64) (float64, bool) {
	total := h.Count() + h.Failures()
	if total == 0 {
		return 0, false
	}
	rank := q * float64(total)
	if rank > float64(h.n) {
		return MaxLatency.Seconds(), true
	}
	seen := 0.0
	for i := h.low; i < h.end; i++ {
		c := float64(h.counts[i])
		if c == 0 {
			continue
		}
		if seen+c >= rank {
			start, end := bucketStart(i), bucketStart(i+1)
			return (start + (end-start)*(rank-seen)/c) / 1e9, true
		}
		seen += c
	}
	return bucketStart(h.end) / 1e9, true
}

// Above returns how many latencies are in buckets entirely above d, failures included.
func (h *Histogram) Above(d time.Duration) uint64 {
	n := h.Failures()
	if h.Count() == 0 {
		return n
	}
	for i := max(Bucket(d)+1, h.low); i < h.end; i++ {
		n += uint64(h.counts[i])
	}
	return n
}

// longest is no less than any latency counted, and 0 if there is none.
func (h *Histogram) longest() time.Duration {
	if h.Count() == 0 {
		return 0
	}
	return time.Duration(bucketStart(h.end))
}

type histogramJSON struct {
	N        uint64  `json:"n"`
	Sum      float64 `json:"sum"`
	Failures uint64  `json:"failures,omitempty"`
	Counts   string  `json:"counts,omitempty"`
}

// MarshalJSON writes the non-empty buckets as base64 of pairs of varints: the
// gap to the bucket before, and the count.
func (h *Histogram) MarshalJSON() ([]byte, error) {
	out := histogramJSON{N: h.n, Sum: h.sum, Failures: h.failures}
	var raw []byte
	last := 0
	for i := h.low; i < h.end; i++ {
		if c := h.counts[i]; c > 0 {
			raw = binary.AppendUvarint(raw, uint64(i-last))
			raw = binary.AppendUvarint(raw, uint64(c))
			last = i
		}
	}
	out.Counts = base64.RawStdEncoding.EncodeToString(raw)
	return json.Marshal(out)
}

// UnmarshalJSON reads what MarshalJSON writes; anything else is an error.
func (h *Histogram) UnmarshalJSON(data []byte) error {
	var in histogramJSON
	if err := json.Unmarshal(data, &in); err != nil {
		return fmt.Errorf("histogram: %w", err)
	}
	raw, err := base64.RawStdEncoding.DecodeString(in.Counts)
	if err != nil {
		return fmt.Errorf("histogram: counts: %w", err)
	}
	var out Histogram
	bucket := uint64(0)
	for len(raw) > 0 {
		gap, n := binary.Uvarint(raw)
		if n <= 0 {
			return fmt.Errorf("histogram: counts: torn varint")
		}
		c, m := binary.Uvarint(raw[n:])
		if m <= 0 || c > 1<<32-1 {
			return fmt.Errorf("histogram: counts: torn varint")
		}
		raw = raw[n+m:]
		bucket += gap
		if gap >= Buckets || bucket >= Buckets {
			return fmt.Errorf("histogram: bucket %d: must be below %d", bucket, Buckets)
		}
		out.Add(int(bucket), uint32(c), 0)
	}
	if out.n != in.N {
		return fmt.Errorf("histogram: n %d: must be the sum of counts, %d", in.N, out.n)
	}
	out.sum, out.failures = in.Sum, in.Failures
	*h = out
	return nil
}
