package diagnose

import (
	"fmt"
	"strings"
	"time"

	"autotune/catalog"
	"autotune/controller"
)

const (
	// nearLimit is the share of the memory limit at which the guide's memory
	// optimization acts by default (memory_threshold): above it the collector
	// begins to run for the limit's sake.
	nearLimit = 0.8
	// growth of resident memory in the second half of a process's time that is not
	// a warm-up any more, and the least time for which a process is looked at.
	growth    = 0.1
	growsOver = 10 * time.Minute
	// rising is how many pairs of points must rise, less those that fall, of all:
	// Kendall's tau. Memory that goes up and down with the collector has 0.
	rising = 0.6
)

// memory is the guide's "High Memory Usage".
func memory(f *facts) (string, []Finding) {
	ratio, okRatio := f.value(controller.MemoryRatio)
	rss, okRSS := f.value(controller.RSSBytes)
	if !okRatio && !okRSS {
		return notKnown + "neither rss_bytes nor memory_ratio was measured", nil
	}
	var found []Finding
	if x, ok := f.nearMemoryLimit(ratio); ok {
		found = append(found, x)
	}
	if x, ok := f.growingMemory(); ok {
		found = append(found, x)
	}
	if host, ok := f.value(hostMemory); ok && host >= 0.95 {
		found = append(found, Finding{
			What: "the host's memory is full", Evidence: []Evidence{f.measured(hostMemory, host, "")},
			Cause: fmt.Sprintf("all processes of the host together; this one holds %s", size(rss)),
			Next:  []string{"move something else off the host, or set a memory limit for the service (GOMEMLIMIT or its container's)"},
		})
	}
	var parts []string
	if okRSS {
		parts = append(parts, fmt.Sprintf("%s resident on average, at most %s", size(rss), size(f.most[controller.RSSBytes].value)))
	}
	if okRatio {
		parts = append(parts, fmt.Sprintf("%s of the limit on average, at most %s", figure(controller.MemoryRatio, ratio), figure(controller.MemoryRatio, f.most[controller.MemoryRatio].value)))
	}
	if _, y, _ := f.track.of(controller.RSSBytes); len(y) > 0 && okRSS {
		parts = append(parts, fmt.Sprintf("%s at the first block of the latest process, %s at the last", size(y[0]), size(y[len(y)-1])))
	}
	return strings.Join(parts, "; "), found
}

func (f *facts) nearMemoryLimit(ratio float64) (Finding, bool) {
	limit := nearLimit
	if v, ok := f.now().Get(catalog.MemoryThreshold); ok && f.on(catalog.EnableMemory) {
		limit = v
	}
	top, ok := f.peaked(controller.MemoryRatio)
	if !ok || top.Value < limit {
		return Finding{}, false
	}
	x := Finding{
		What:     fmt.Sprintf("memory reaches %s of its limit", figure(controller.MemoryRatio, top.Value)),
		Evidence: []Evidence{top, f.measured(controller.MemoryRatio, ratio, fmt.Sprintf(", from %s of the limit on it is near", figure(controller.MemoryRatio, limit)))},
		Cause:    f.whoHolds(), Next: f.lessMemory(),
	}
	if v, ok := f.most[memoryLimit]; ok {
		x.Evidence = append(x.Evidence, Evidence{Text: "the limit is " + size(v.value), Metric: memoryLimit, Value: v.value})
	}
	if v, ok := f.value(controller.GCCPURatio); ok {
		x.Evidence = append(x.Evidence, f.measured(controller.GCCPURatio, v, ""))
	}
	for _, b := range f.breaches {
		if strings.Contains(b.what, string(controller.MemoryRatio)) || strings.Contains(b.what, string(controller.RSSBytes)) {
			x.Evidence = append(x.Evidence, said(b.at, "trials paused: %s", sentence(b.what)))
			break
		}
	}
	return x, true
}

// whoHolds names what holds memory on purpose, or says that nothing does.
func (f *facts) whoHolds() string {
	var held []string
	for _, h := range holders() {
		if v, ok := f.now().Get(h.number); ok && f.on(h.enable) {
			held = append(held, fmt.Sprintf("%s %s", h.number, f.setTo(h.number, v)))
		}
	}
	cause := "the service's own memory: nothing of the executor's that holds memory is on"
	if len(held) > 0 {
		cause = "what the executor holds on purpose (" + strings.Join(held, ", ") + "), or the service's own memory"
	}
	rss, okRSS := f.value(controller.RSSBytes)
	if live, ok := f.value(heapLive); ok && okRSS && rss > 0 {
		cause += fmt.Sprintf("; %s of %s is live heap", size(live), size(rss))
		if live < rss/2 {
			cause += ": the rest is garbage between collections, stacks, or memory outside the Go heap"
		}
	}
	return cause
}

// holder is what holds memory while a switch is on: a number that bounds it, and
// another by which it is given back.
type holder struct{ enable, number, age string }

func holders() []holder {
	return []holder{
		{catalog.EnableObjectPool, catalog.ObjectPoolMaxSize, ""},
		{catalog.EnableContext, catalog.ContextCacheSize, catalog.ContextCacheTTL},
		{catalog.EnableCache, catalog.CacheSize, catalog.CacheTTL},
	}
}

// lessMemory is what the guide advises, for what is on.
func (f *facts) lessMemory() []string {
	var smaller, sooner, off []string
	for _, h := range holders() {
		v, ok := f.now().Get(h.number)
		if !ok || !f.on(h.enable) {
			continue
		}
		smaller = append(smaller, fmt.Sprintf("%s below %s", h.number, f.setTo(h.number, v)))
		if v, ok := f.now().Get(h.age); ok {
			sooner = append(sooner, fmt.Sprintf("%s below %s", h.age, f.setTo(h.age, v)))
		}
		off = append(off, h.enable)
	}
	var next []string
	if len(smaller) > 0 {
		next = append(next, "reduce "+strings.Join(smaller, ", "))
	}
	switch v, ok := f.now().Get(catalog.MemoryCleanupInterval); {
	case !ok:
	case f.idleExecutor():
	case f.on(catalog.EnableMemory):
		next = append(next, fmt.Sprintf("clean up more often: %s below %s", catalog.MemoryCleanupInterval, f.setTo(catalog.MemoryCleanupInterval, v)))
	default:
		next = append(next, fmt.Sprintf("turn %s on: it trims pools and caches and gives memory back above %s of the limit", catalog.EnableMemory, figure(controller.MemoryRatio, nearLimit)))
	}
	if len(sooner) > 0 {
		next = append(next, "reduce "+strings.Join(sooner, ", "))
	}
	if len(off) > 0 {
		next = append(next, "if that is not enough, turn off "+strings.Join(off, ", "))
	}
	return append(next, "look at what allocates and what is held: autotune diagnose --profile http://HOST/debug/pprof")
}

// growingMemory looks at the second half of the latest process's time.
func (f *facts) growingMemory() (Finding, bool) {
	t, y, at := f.track.of(controller.RSSBytes)
	if len(t) < 20 || t[len(t)-1]-t[0] < growsOver.Seconds() {
		return Finding{}, false
	}
	half := len(t) / 2
	t, y, at = t[half:], y[half:], at[half:]
	quarter := max(len(y)/4, 2)
	first, last := median(append([]float64{}, y[:quarter]...)), median(append([]float64{}, y[len(y)-quarter:]...))
	tau := kendall(y)
	if last < first*(1+growth) || tau < rising {
		return Finding{}, false
	}
	over := time.Duration((t[len(t)-1] - t[0]) * float64(time.Second))
	a, b := at[0], at[len(at)-1]
	x := Finding{
		What: "resident memory grows on, long after the start",
		Evidence: []Evidence{{
			Text: fmt.Sprintf("RSS from %s to %s in %s until the end, %.0f %% of steps up rather than down", size(first), size(last), clock(over), 100*(1+tau)/2),
			At:   a, Metric: controller.RSSBytes, Value: last, OverSeconds: over.Seconds(),
		}},
		Cause: f.whoHolds(),
	}
	for _, m := range []controller.Metric{heapLive, goroutines} {
		if _, v, _ := f.track.of(m); len(v) > 4 {
			was, is := v[len(v)/2], v[len(v)-1]
			x.Evidence = append(x.Evidence, Evidence{Text: fmt.Sprintf("%s from %s to %s in the same time", named(m), figure(m, was), figure(m, is)), At: a, Metric: m, Value: is})
			if m == goroutines && is > was*(1+growth) {
				x.Cause = "goroutines that do not end: each holds its stack and all that it refers to"
			}
		}
	}
	limit, ok := f.most[memoryLimit]
	if pace := (last - first) / (over.Seconds() * 3 / 4); ok && pace > 0 && limit.value > last {
		left := time.Duration(min((limit.value-last)/pace, century.Seconds()) * float64(time.Second))
		x.Evidence = append(x.Evidence, said(b, "at that pace the limit of %s is reached in %s", size(limit.value), clock(left)))
	}
	x.Next = append([]string{"if a cache or pool was still filling, it ends by itself: look again later"}, f.lessMemory()...)
	return x, true
}

// kendall is the share of pairs that rise less the share that falls, over at most
// 200 of the values.
func kendall(y []float64) float64 {
	step := max(len(y)/200, 1)
	sum, n := 0, 0
	for i := 0; i < len(y); i += step {
		for j := i + step; j < len(y); j += step {
			n++
			switch {
			case y[j] > y[i]:
				sum++
			case y[j] < y[i]:
				sum--
			}
		}
	}
	if n == 0 {
		return 0
	}
	return float64(sum) / float64(n)
}
