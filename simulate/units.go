package simulate

import (
	"time"

	"autotune/controller"
)

// seconds as a duration, at most what a histogram tells apart.
func seconds(s float64) time.Duration {
	return time.Duration(min(s*1e9, float64(controller.MaxLatency)))
}
