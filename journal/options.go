package journal

import (
	"errors"
	"fmt"
	"time"
)

// The limits that Options has where a field is zero.
const (
	DefaultSegmentBytes = 4 << 20
	DefaultSegments     = 16
)

const minSegmentBytes = 1024

// Options says how large a journal may grow. The zero value is the default:
// 16 segments of 4 MiB, 64 MiB in all.
type Options struct {
	// SegmentBytes at which a segment ends, at least 1024. Default 4 MiB. A
	// single record that is larger has a segment of its own.
	SegmentBytes int64
	// Segments that are kept, the one being written included, at least 2.
	// Default 16. The oldest are removed when a new one starts, never by Open.
	Segments int
	// Now stamps the headers of segments. Default time.Now. It has no part in
	// any decision.
	Now func() time.Time
}

// Validate reports every fault of the options at once, or nil.
func (o Options) Validate() error {
	var errs []error
	if o.SegmentBytes != 0 && o.SegmentBytes < minSegmentBytes {
		errs = append(errs, fmt.Errorf("segment_bytes %d: must be at least %d, or 0 for %d",
			o.SegmentBytes, minSegmentBytes, DefaultSegmentBytes))
	}
	if o.Segments != 0 && o.Segments < 2 {
		errs = append(errs, fmt.Errorf("segments %d: must be at least 2, or 0 for %d",
			o.Segments, DefaultSegments))
	}
	return errors.Join(errs...)
}

func (o *Options) setDefaults() {
	if o.SegmentBytes == 0 {
		o.SegmentBytes = DefaultSegmentBytes
	}
	if o.Segments == 0 {
		o.Segments = DefaultSegments
	}
	if o.Now == nil {
		o.Now = time.Now
	}
}
