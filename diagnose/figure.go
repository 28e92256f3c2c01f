package diagnose

import (
	"fmt"
	"math"
	"strings"
	"time"

	"autotune/controller"
)

// named is a metric as people read it: "latency p95", "CPU per request".
func named(m controller.Metric) string {
	words := strings.Split(string(m), "_")
	out := words[:0]
	for _, w := range words {
		switch w {
		case "seconds", "bytes", "ratio":
			continue
		case "cpu", "gc", "rss":
			w = strings.ToUpper(w)
		}
		out = append(out, w)
	}
	if len(out) == 0 {
		return string(m)
	}
	return strings.Join(out, " ")
}

// figure is a value of a metric with a unit that people like: the metric's own is
// in its name, of which named keeps what it is per.
func figure(m controller.Metric, v float64) string {
	name := string(m)
	for _, per := range []string{"_per_request", "_per_second"} {
		name = strings.TrimSuffix(name, per)
	}
	switch {
	case strings.HasSuffix(name, "_seconds"):
		return span(v)
	case strings.HasSuffix(name, "_bytes"):
		return size(v)
	case strings.HasSuffix(name, "_ratio"):
		return fmt.Sprintf("%.3g %%", 100*v)
	}
	return fmt.Sprintf("%.4g", v)
}

// span is a time in s, ms or µs.
func span(seconds float64) string {
	switch a := math.Abs(seconds); {
	case a >= 1:
		return fmt.Sprintf("%.3g s", seconds)
	case a >= 1e-3:
		return fmt.Sprintf("%.3g ms", 1e3*seconds)
	case a == 0:
		return "0 s"
	}
	return fmt.Sprintf("%.3g µs", 1e6*seconds)
}

// size is an amount of memory.
func size(bytes float64) string {
	for _, u := range []struct {
		name string
		size float64
	}{{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}} {
		if math.Abs(bytes) >= u.size {
			return fmt.Sprintf("%.3g %s", bytes/u.size, u.name)
		}
	}
	return fmt.Sprintf("%.3g B", bytes)
}

// change is a relative change in percent, "?" where nothing bounds it yet: ten
// log units away.
func change(x float64) string {
	if x <= math.Expm1(-9.99) || x >= math.Expm1(9.99) || math.IsNaN(x) {
		return "?"
	}
	return fmt.Sprintf("%+.1f %%", 100*x)
}

// between is an effect with its interval and what it rests on.
func between(value, low, high float64, pairs int) string {
	text := fmt.Sprintf("%s (%s to %s)", change(value), change(low), change(high))
	if pairs == 1 {
		return text + " in 1 pair"
	}
	return fmt.Sprintf("%s in %d pairs", text, pairs)
}

// clock is a stretch of time as people like it.
func clock(d time.Duration) string {
	switch {
	case d >= time.Hour:
		d = d.Round(time.Minute)
	case d >= 10*time.Second:
		d = d.Round(time.Second)
	default:
		d = d.Round(time.Millisecond)
	}
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// when is a moment as people like it.
func when(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }

// setTo is the value of a knob as a configuration has it, with its unit.
func (f *facts) setTo(name string, v float64) string {
	k, ok := f.knob(name)
	switch {
	case !ok:
	case k.Kind == controller.Switch && v == 0:
		return "off"
	case k.Kind == controller.Switch:
		return "on"
	case k.Kind == controller.Duration:
		return clock(time.Duration(v * float64(time.Second)))
	case k.Unit != "":
		return fmt.Sprintf("%v %s", v, k.Unit)
	}
	return fmt.Sprintf("%v", v)
}

// hopeless is a latency that was never measured: more requests failed than the
// quantile leaves out.
func hopeless(m controller.Metric, v float64) bool {
	return strings.HasPrefix(string(m), "latency_") && v >= 0.99*controller.MaxLatency.Seconds()
}

// count is a number of things: "1 trial", "2 trials".
func count(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %ss", n, one)
}

// said is evidence in words.
func said(at time.Time, format string, args ...any) Evidence {
	return Evidence{Text: fmt.Sprintf(format, args...), At: at}
}

// measured is a metric over all of the safe setting's time.
func (f *facts) measured(m controller.Metric, v float64, more string) Evidence {
	return Evidence{
		Text:   fmt.Sprintf("%s %s over %s%s", named(m), figure(m, v), clock(f.safeSeen.Over), more),
		Metric: m, Value: v, OverSeconds: f.safeSeen.Over.Seconds(),
	}
}

// peaked is a metric in its highest tick.
func (f *facts) peaked(m controller.Metric) (Evidence, bool) {
	p, ok := f.most[m]
	return Evidence{Text: fmt.Sprintf("%s at most %s", named(m), figure(m, p.value)), At: p.at, Metric: m, Value: p.value}, ok
}
