package history

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"autotune/controller"
)

// quantity is a metric as people read it.
type quantity struct {
	label string
	unit  string
	scale float64 // of the metric's own unit in that one
}

// quantityOf a metric whose values are about as large as typical: the unit is in
// its name, and times are in µs, ms or s.
func quantityOf(m controller.Metric, typical float64) quantity {
	name, rest := string(m), ""
	for _, per := range []string{"_per_request", "_per_second"} {
		if s, ok := strings.CutSuffix(name, per); ok {
			name, rest = s, strings.ReplaceAll(per, "_", " ")
		}
	}
	words := func(s string) string {
		all := strings.Split(s, "_")
		for i, w := range all {
			if slices.Contains([]string{"cpu", "gc", "rss"}, w) {
				all[i] = strings.ToUpper(w)
			}
		}
		return strings.Join(all, " ") + rest
	}
	if s, ok := strings.CutSuffix(name, "_seconds"); ok {
		switch {
		case typical >= 2:
			return quantity{words(s), "s", 1}
		case typical < 0.0005:
			return quantity{words(s), "µs", 1e6}
		}
		return quantity{words(s), "ms", 1e3}
	}
	if s, ok := strings.CutSuffix(name, "_bytes"); ok {
		return quantity{words(s), "MiB", 1.0 / (1 << 20)}
	}
	if strings.HasSuffix(name, "_ratio") {
		return quantity{words(name), "%", 100}
	}
	return quantity{words(name), "", 1}
}

// hopeless is a latency that was never measured: more requests failed than the
// quantile leaves out.
func hopeless(m controller.Metric, v float64) bool {
	return strings.HasPrefix(string(m), "latency_") && v >= 0.99*controller.MaxLatency.Seconds()
}

// unbounded is where an interval is not bounded yet: ten log units away.
var unboundedLow, unboundedHigh = math.Expm1(-9.99), math.Expm1(9.99)

func bounded(x float64) bool { return x > unboundedLow && x < unboundedHigh }

func percent(x float64) string {
	if !bounded(x) {
		return "?"
	}
	return fmt.Sprintf("%+.1f %%", 100*x)
}

// interval is "-31.0 % (-35.0 % to -27.0 %)", or "-" without a pair.
func interval(mid, low, high float64, pairs int) string {
	if pairs == 0 {
		return "-"
	}
	return fmt.Sprintf("%s (%s to %s)", percent(mid), percent(low), percent(high))
}

// clock is a stretch of time as people like it.
func clock(d time.Duration) string {
	if d >= 10*time.Second {
		d = d.Round(time.Second)
	} else {
		d = d.Round(time.Millisecond)
	}
	return d.String()
}

// axisTime chooses the unit of a time axis.
func axisTime(all time.Duration) (unit string, scale float64) {
	switch {
	case all > 72*time.Hour:
		return "days", 1.0 / 86400
	case all > 3*time.Hour:
		return "h", 1.0 / 3600
	case all > 10*time.Minute:
		return "min", 1.0 / 60
	}
	return "s", 1
}

// value of a knob as people read it.
func value(space controller.Space, name string, v float64) string {
	k, ok := space.Knob(name)
	switch {
	case !ok:
	case k.Kind == controller.Switch && v == 0:
		return "off"
	case k.Kind == controller.Switch:
		return "on"
	case k.Kind == controller.Duration:
		return time.Duration(v * float64(time.Second)).String()
	case k.Unit != "":
		return fmt.Sprintf("%g %s", v, k.Unit)
	}
	return fmt.Sprintf("%g", v)
}
