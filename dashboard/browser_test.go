package dashboard_test

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"

	"autotune"
	"autotune/controller"
	"autotune/dashboard"
	"autotune/executor"
	"autotune/knobs"
)

var screenshots = flag.Bool("screenshots", false, "write docs/dashboard-*.png")

// browser is a page in Chromium, with what it complained of and where it went.
type browser struct {
	ctx context.Context
	mu  sync.Mutex
	bad []string
}

func openBrowser(t *testing.T, origin string) *browser {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		path, err = exec.LookPath("google-chrome")
	}
	if err != nil && os.Getenv("AUTOTUNE_BROWSER") == "required" {
		t.Fatal("AUTOTUNE_BROWSER=required, and there is neither chromium nor google-chrome")
	} else if err != nil {
		t.Skip("no chromium: the page is not looked at in a browser")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.WindowSize(1280, 1700))
	ctx, stop := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, end := chromedp.NewContext(ctx, chromedp.WithErrorf(func(string, ...any) {}))
	ctx, late := context.WithTimeout(ctx, 5*time.Minute)
	t.Cleanup(func() {
		_ = chromedp.Cancel(ctx)
		late()
		end()
		stop()
	})
	b := &browser{ctx: ctx}
	chromedp.ListenTarget(ctx, func(ev any) {
		b.mu.Lock()
		defer b.mu.Unlock()
		switch e := ev.(type) {
		case *runtime.EventExceptionThrown:
			b.bad = append(b.bad, e.ExceptionDetails.Error())
		case *runtime.EventConsoleAPICalled:
			if e.Type == runtime.APITypeError {
				b.bad = append(b.bad, fmt.Sprint("console: ", e.Args))
			}
		case *log.EventEntryAdded:
			// The browser itself notes answers of 401 and lost connections, which the test asks for.
			if e.Entry.Level == log.LevelError && e.Entry.Source != log.SourceNetwork {
				b.bad = append(b.bad, e.Entry.Text)
			}
		case *network.EventRequestWillBeSent:
			if u := e.Request.URL; !strings.HasPrefix(u, origin) && !strings.HasPrefix(u, "data:") {
				b.bad = append(b.bad, "left the origin: "+u)
			}
		}
	})
	require.NoError(t, chromedp.Run(ctx, network.Enable(), log.Enable()))
	return b
}

func (b *browser) do(t *testing.T, actions ...chromedp.Action) {
	t.Helper()
	require.NoError(t, chromedp.Run(b.ctx, actions...))
}

// eval is what an expression of the page is.
func eval[T any](t *testing.T, b *browser, expression string) T {
	t.Helper()
	var out T
	b.do(t, chromedp.Evaluate(expression, &out))
	return out
}

// comes waits until an expression of the page is what it must be.
func comes[T comparable](t *testing.T, b *browser, want T, expression, why string) {
	t.Helper()
	var got T
	for range 300 {
		if got = eval[T](t, b, expression); got == want {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	require.Equal(t, want, got, "%s: %s", expression, why)
}

// until waits for what a person would read.
func (b *browser) until(t *testing.T, selector, want string) {
	t.Helper()
	got := ""
	for range 600 {
		if got = eval[string](t, b, fmt.Sprintf("document.querySelector(%q)?.innerText ?? ''", selector)); strings.Contains(got, want) {
			return
		}
		time.Sleep(200 * time.Millisecond)
	}
	require.Failf(t, "never", "%s: %q in %q", selector, want, got)
}

// press does with the keyboard what a click does. The page may draw the button anew at
// any moment, so it is looked for and reached in one step; the focus outlives that.
func (b *browser) press(t *testing.T, button string) {
	t.Helper()
	for range 300 {
		if eval[bool](t, b, fmt.Sprintf("(e => !!e && !e.disabled && (e.focus(), document.activeElement === e))(document.querySelector(%q))", button)) {
			b.do(t, chromedp.KeyEvent(kb.Enter))
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	require.Fail(t, "never enabled", button)
}

// ask opens the dialog of a change by the keyboard and fills it in: the token if it is
// asked for, and a value. It does not wait for the answer.
func (b *browser) ask(t *testing.T, button, with, value string) {
	t.Helper()
	b.press(t, button)
	b.do(t, chromedp.WaitVisible("#ask[open]", chromedp.ByQuery))
	if !eval[bool](t, b, "document.querySelector('#ask-token-box').hidden") {
		b.do(t, chromedp.SetValue("#ask-token", with, chromedp.ByQuery))
	}
	if value != "" {
		b.do(t, chromedp.SetValue("#ask-value", value, chromedp.ByQuery))
	}
	b.do(t, chromedp.SetValue("#ask-who", "ann", chromedp.ByQuery), chromedp.SetValue("#ask-why", "a load test", chromedp.ByQuery))
	if !eval[bool](t, b, "document.querySelector('#ask-sure-box').hidden") {
		b.press(t, "#ask-yes")
		require.True(t, eval[bool](t, b, "document.querySelector('#ask').open"), "not without the confirmation")
		b.do(t, chromedp.Focus("#ask-sure", chromedp.ByQuery), chromedp.KeyEvent(" "))
	}
	b.press(t, "#ask-yes")
}

// change asks for one and waits until it is in force.
func (b *browser) change(t *testing.T, button, value string) {
	t.Helper()
	b.ask(t, button, token, value)
	for range 150 {
		if !eval[bool](t, b, "document.querySelector('#ask').open") {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	require.Fail(t, "not done", "%s: %s", button, eval[string](t, b, "document.querySelector('#ask-problem').innerText"))
}

func labeled(label string) string { return fmt.Sprintf("button[aria-label=%q]", label) }

// shop is a service that one of its switches makes faster.
type shop struct {
	fast, slow, warm atomic.Bool
	rows             atomic.Int64
	stop             context.CancelFunc
	done             sync.WaitGroup
}

func openShop(p *autotune.Autopilot, s *shop) {
	ctx, stop := context.WithCancel(context.Background())
	s.stop = stop
	for range 8 {
		s.done.Go(func() {
			for ctx.Err() == nil {
				q := p.Recorder().StartNow()
				d := time.Duration((4 + 4*rand.Float64()) * float64(time.Millisecond))
				if s.fast.Load() {
					d /= 2
				}
				if s.slow.Load() {
					d *= 2
				}
				time.Sleep(d)
				q.End(false)
			}
		})
	}
}

func startShop(t *testing.T, journal string, s *shop, change func(*autotune.Config)) *autotune.Autopilot {
	t.Helper()
	s.rows.Store(100)
	cfg := autotune.Config{
		Executor: executor.Config{EnableAutomaticOptimization: true}, Seed: 3, Journal: journal, Instance: "shop-1",
		Knobs: []knobs.Actuator{
			knobs.Bool("fast_path", s.fast.Load, s.fast.Store), knobs.Bool("double_check", s.slow.Load, s.slow.Store),
			knobs.Bool("warm_up", s.warm.Load, s.warm.Store), knobs.Int("batch_rows", "rows", 1, 1000, s.rows.Load, s.rows.Store),
		},
		Workload: "low-latency", // of the executor's, nothing is tried without a strong signal
		Offer:    []string{"enable_cache_optimization", "enable_context_optimization", "enable_memory_optimization", "fast_path", "double_check", "warm_up"},
		Goals:    []controller.Goal{{Metric: controller.LatencyP95}, {Metric: controller.LatencyMean}},
		Timing:   controller.Timing{Washout: 50 * time.Millisecond, Measure: 400 * time.Millisecond, Tick: 100 * time.Millisecond},
	}
	if *screenshots {
		cfg.Timing.Measure = time.Second // a trial that runs for all pictures
	}
	if change != nil {
		change(&cfg)
	}
	p, err := autotune.Start(context.Background(), cfg)
	require.NoError(t, err)
	return p
}

// open is an autopilot on a shop, with its page on an address.
type open struct {
	t       *testing.T
	shop    *shop
	pilot   *autotune.Autopilot
	server  *http.Server
	address string
	serving sync.WaitGroup
}

func openPage(t *testing.T, address, journal string, change func(*autotune.Config)) *open {
	t.Helper()
	o := &open{t: t, shop: &shop{}}
	o.pilot = startShop(t, journal, o.shop, change)
	openShop(o.pilot, o.shop)
	d, err := dashboard.New(o.pilot, dashboard.Options{Token: token, Journal: journal})
	require.NoError(t, err)
	var l net.Listener
	require.Eventually(t, func() bool { l, err = dashboard.Listen(address, nil, false); return err == nil }, 10*time.Second, 100*time.Millisecond)
	o.address, o.server = l.Addr().String(), dashboard.Server(d)
	o.serving.Go(func() { _ = o.server.Serve(l) })
	return o
}

func (o *open) close() {
	o.t.Helper()
	o.shop.stop()
	o.shop.done.Wait()
	require.NoError(o.t, o.pilot.Close())
	require.NoError(o.t, o.pilot.Executor().Close())
	require.NoError(o.t, o.server.Close())
	o.serving.Wait()
}

func (b *browser) check(t *testing.T) {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	require.Empty(t, b.bad)
}

// The page in a real browser: it shows what goes on, follows it, takes each change by
// the keyboard and with the right token only, survives a restart of the service, and
// neither complains nor asks anybody else for anything.
func TestPage_inABrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("drives a browser")
	}
	dir := t.TempDir()
	o := openPage(t, "127.0.0.1:0", dir, nil)
	b := openBrowser(t, "http://"+o.address)
	b.do(t, chromedp.Navigate("http://"+o.address+"/"))
	b.until(t, "#instance", "shop-1")
	b.until(t, "#now-p95", "ms")

	// A wrong token changes nothing. The right one is asked for once.
	b.do(t, chromedp.Click("#all-knobs", chromedp.ByQuery))
	b.ask(t, labeled("Pin batch_rows at a value"), "not the token at all", "200")
	b.until(t, "#ask-problem", "a change takes the token")
	require.Empty(t, o.pilot.Status().Pins)
	b.press(t, "#ask-no")
	b.change(t, labeled("Pin batch_rows at a value"), "200")
	require.EqualValues(t, 200, o.shop.rows.Load())
	b.until(t, "#setting", "by ann (a load test)")
	b.ask(t, labeled("Pin batch_rows at a value"), token, "1000.5")
	comes(t, b, true, "document.querySelector('#ask-token-box').hidden", "the token is asked for once")
	comes(t, b, false, "document.querySelector('#ask-value').checkValidity()", "1000.5 rows")
	b.press(t, "#ask-no")
	comes(t, b, "pin-at batch_rows", "document.activeElement.dataset.key ?? ''", "the keyboard is where it was")
	b.do(t, chromedp.Click("#all-knobs", chromedp.ByQuery))

	// A decision comes, and opens to its pairs.
	b.until(t, "#decisions", "fast_path on: better")
	b.until(t, "#setting", "fast_path")
	b.press(t, "#decisions details:last-of-type summary")
	b.until(t, "#decisions details[open] table", "evidence for better")
	if *screenshots {
		b.until(t, "#decisions", "double_check on")
		b.until(t, "#trial", "warm_up on: 3 of at most")
		b.shoot(t, "dashboard")
	}

	// On a phone nothing is beyond the edge.
	b.do(t, emulation.SetDeviceMetricsOverride(390, 1200, 1, true))
	comes(t, b, "", `[document.documentElement, ...document.querySelectorAll('.scroll')].filter((e) => e.scrollWidth > e.clientWidth).map((e) => e.ariaLabel ?? e.tagName).join()`, "wider than the screen")
	b.do(t, emulation.ClearDeviceMetricsOverride())

	b.change(t, "#pause", "")
	b.until(t, "#phase", "paused: by ann (a load test)")
	require.Equal(t, controller.Paused, o.pilot.Status().Phase)
	b.change(t, "#resume", "")
	require.Nil(t, o.pilot.Status().PausedBy)
	b.change(t, labeled("Unpin batch_rows"), "")
	require.Empty(t, o.pilot.Status().Pins)
	b.change(t, labeled("Pin fast_path as it is"), "")
	require.Contains(t, o.pilot.Status().Pins, "fast_path")
	b.ask(t, `button[aria-label^="Revert fast_path on, kept by trial "]`, token, "")
	b.until(t, "#ask-problem", "must be unpinned before")
	b.press(t, "#ask-no")

	// The service restarts: the page says so, comes back, and knows what was decided.
	o.close()
	b.until(t, "#problem", "trying again")
	comes(t, b, true, "document.querySelector('#pause').disabled", "nobody to ask")
	o = openPage(t, o.address, dir, nil)
	b.until(t, "#phase", "measuring")
	b.until(t, "#decisions", "fast_path on: better")
	require.True(t, o.shop.fast.Load(), "what was kept is in force again")
	b.change(t, labeled("Unpin fast_path"), "")
	b.change(t, `button[aria-label^="Revert fast_path on, kept by trial "]`, "")
	require.False(t, o.shop.fast.Load())
	b.until(t, "#kept", "None.")
	b.do(t, chromedp.Click("#all-knobs", chromedp.ByQuery))
	b.change(t, labeled("Pin batch_rows at a value"), "300")
	b.change(t, labeled("Unpin batch_rows"), "")
	b.change(t, "#revert-all", "")
	require.EqualValues(t, 100, o.shop.rows.Load())

	// What a person should look at is said.
	said := eval[string](t, b, `show({ ...status, alerts: [{ at: "2026-03-01T12:00:00Z", kind: "degraded", message: "cost is <b>worse</b>" }] }), document.querySelector("#alerts").innerText`)
	require.Contains(t, said, "degraded\tcost is <b>worse</b>")
	o.close()
	b.check(t)
}

// Advice mode: each proposal has its exact setting and what speaks for it; what is
// approved is tried and kept, what is declined is not.
func TestPage_proposalsInABrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("drives a browser")
	}
	o := openPage(t, "127.0.0.1:0", t.TempDir(), func(c *autotune.Config) { c.Advise = true })
	b := openBrowser(t, "http://"+o.address)
	b.do(t, chromedp.Navigate("http://"+o.address+"/"))
	b.until(t, "#proposals", "fast_path on")
	b.until(t, "#proposals", "results stay the same")
	b.until(t, "#proposals", "measured: latency mean")
	b.change(t, labeled("Decline double_check on"), "")
	b.until(t, "#proposals", "Declined by ann (a load test).")
	if *screenshots {
		b.shoot(t, "dashboard-advise")
	}
	b.change(t, labeled("Approve fast_path on"), "")
	b.until(t, "#decisions", "fast_path on: better")
	require.True(t, o.shop.fast.Load())
	b.change(t, labeled("Reopen double_check on"), "")
	require.False(t, o.shop.slow.Load())
	o.close()
	b.check(t)
}

// Everything off: the page says by what, and has no button that would do something.
// Every control is reached by Tab, with a label and a visible focus.
func TestPage_disabledInABrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("drives a browser")
	}
	o := openPage(t, "127.0.0.1:0", "", func(c *autotune.Config) { c.Disabled = true })
	b := openBrowser(t, "http://"+o.address)
	b.do(t, chromedp.Navigate("http://"+o.address+"/"))
	b.until(t, "#disabled", "Everything is off. disabled: Config.Disabled is set.")
	b.until(t, "#decisions", "Nothing was decided yet.")
	require.Zero(t, eval[int](t, b, "document.querySelectorAll('button.danger:enabled, #pause:enabled, #resume:enabled, td button:enabled').length"))
	b.do(t, chromedp.Click("#all-knobs", chromedp.ByQuery), chromedp.Evaluate("document.activeElement.blur()", nil))
	want := eval[int](t, b, `[...document.querySelectorAll('a[href], button:enabled, input:enabled, summary, [tabindex="0"]')].filter((e) => e.checkVisibility() && !e.closest('dialog')).length`)
	reached := map[string]bool{}
	for range want + 10 {
		b.do(t, chromedp.KeyEvent(kb.Tab))
		at := eval[struct{ ID, Label, Outline string }](t, b, `(() => { const e = document.activeElement; return {
			ID: e === document.body ? '' : e.tagName + e.id + (e.dataset.key ?? '') + (e.ariaLabel ?? e.getAttribute('aria-labelledby') ?? ''),
			Label: e.ariaLabel || e.getAttribute('aria-labelledby') || e.labels?.[0]?.innerText || e.innerText,
			Outline: getComputedStyle(e).outlineStyle } })()`)
		if at.ID == "" {
			continue
		}
		reached[at.ID] = true
		require.NotEmpty(t, at.Label, at.ID)
		require.NotEqual(t, "none", at.Outline, at.ID)
	}
	require.Len(t, reached, want, "%v", reached)
	o.close()
	b.check(t)
}

// shoot writes the pictures of the documentation: three widths, light and dark.
func (b *browser) shoot(t *testing.T, name string) {
	t.Helper()
	for _, scheme := range []string{"light", "dark"} {
		for _, width := range []int64{1280, 820, 390} {
			var png []byte
			b.do(t,
				emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}),
				emulation.SetDeviceMetricsOverride(width, 1200, 1, width < 500),
				chromedp.Sleep(200*time.Millisecond), chromedp.FullScreenshot(&png, 100),
			)
			require.NoError(t, os.WriteFile(fmt.Sprintf("../docs/%s-%s-%d.png", name, scheme, width), png, 0o644))
		}
	}
	b.do(t, emulation.ClearDeviceMetricsOverride(), emulation.SetEmulatedMedia())
}
