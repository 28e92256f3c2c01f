package dashboard_test

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
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
		if path, err = exec.LookPath("google-chrome"); err != nil {
			t.Skip("no chromium: the page is not looked at in a browser")
		}
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.WindowSize(1280, 1700))
	ctx, stop := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, end := chromedp.NewContext(ctx, chromedp.WithErrorf(func(string, ...any) {}))
	ctx, late := context.WithTimeout(ctx, 3*time.Minute)
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

func (b *browser) text(t *testing.T, selector string) string {
	t.Helper()
	var out string
	b.do(t, chromedp.Text(selector, &out, chromedp.ByQuery))
	return out
}

func (b *browser) until(t *testing.T, selector, want string) {
	t.Helper()
	got := ""
	for range 150 {
		if got = b.text(t, selector); strings.Contains(got, want) {
			return
		}
		time.Sleep(200 * time.Millisecond)
	}
	require.Failf(t, "never", "%s: %q in %q", selector, want, got)
}

// shop is a service that one of its switches makes faster.
type shop struct {
	fast, slow atomic.Bool
	stop       context.CancelFunc
	done       sync.WaitGroup
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

func startShop(t *testing.T, journal string, s *shop) *autotune.Autopilot {
	t.Helper()
	p, err := autotune.Start(context.Background(), autotune.Config{
		Executor: executor.Config{EnableAutomaticOptimization: true}, Seed: 3, Journal: journal, Instance: "shop-1",
		Knobs:  []knobs.Actuator{knobs.Bool("fast_path", s.fast.Load, s.fast.Store), knobs.Bool("double_check", s.slow.Load, s.slow.Store)},
		Offer:  []string{"fast_path", "double_check"},
		Goals:  []controller.Goal{{Metric: controller.LatencyP95}, {Metric: controller.LatencyMean}},
		Timing: controller.Timing{Washout: 50 * time.Millisecond, Measure: 500 * time.Millisecond, Tick: 125 * time.Millisecond},
	})
	require.NoError(t, err)
	return p
}

// The page in a real browser: it shows what goes on, follows it, takes a change
// with the right token only, survives a restart of the service, and neither
// complains nor asks anybody else for anything.
func TestPage_inABrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("drives a browser")
	}
	dir := t.TempDir()
	var s shop
	p := startShop(t, dir, &s)
	openShop(p, &s)
	l, err := dashboard.Listen("127.0.0.1:0", nil, false)
	require.NoError(t, err)
	address := l.Addr().String()
	page := func(p *autotune.Autopilot) *http.Server {
		d, err := dashboard.New(p, dashboard.Options{Token: token, Journal: dir})
		require.NoError(t, err)
		return dashboard.Server(d)
	}
	server := page(p)
	var serving sync.WaitGroup
	serving.Go(func() { _ = server.Serve(l) })

	b := openBrowser(t, "http://"+address)
	b.do(t, chromedp.Navigate("http://"+address+"/"))
	b.until(t, "#instance", "shop-1")
	b.until(t, "#decisions", "fast_path on: better")
	b.until(t, "#setting", "fast_path")
	b.until(t, "#now-p95", "ms")

	// A decision opens to its pairs.
	b.do(t, chromedp.Click("#decisions details:last-of-type summary", chromedp.ByQuery))
	b.until(t, "#decisions details[open] table", "evidence for better")

	// A wrong token changes nothing, and the right one pauses.
	ask := func(button, with string) {
		b.do(t, chromedp.Click(button, chromedp.ByQuery), chromedp.WaitVisible("#ask-who", chromedp.ByQuery),
			chromedp.SetValue("#ask-token", with, chromedp.ByQuery), chromedp.SetValue("#ask-who", "a tester", chromedp.ByQuery),
			chromedp.SetValue("#ask-why", "to see", chromedp.ByQuery), chromedp.Click("#ask-yes", chromedp.ByQuery))
	}
	ask("#pause", "not the token at all")
	b.until(t, "#ask-problem", "a change takes the token")
	require.NotEqual(t, controller.Paused, p.Status().Phase)
	b.do(t, chromedp.Click("#ask-no", chromedp.ByQuery))
	ask("#pause", token)
	b.until(t, "#phase", "paused")
	require.Equal(t, controller.Paused, p.Status().Phase)
	if *screenshots {
		shoot(t, b)
	}
	ask("#resume", token)
	require.Eventually(t, func() bool { return p.Status().Phase != controller.Paused }, 10*time.Second, 50*time.Millisecond)

	// The service restarts: the page says so, comes back, and knows what was decided.
	s.stop()
	s.done.Wait()
	require.NoError(t, p.Close())
	require.NoError(t, p.Executor().Close())
	require.NoError(t, server.Close())
	serving.Wait()
	b.until(t, "#problem", "trying again")
	var again shop
	p = startShop(t, dir, &again)
	openShop(p, &again)
	require.Eventually(t, func() bool { l, err = dashboard.Listen(address, nil, false); return err == nil }, 10*time.Second, 100*time.Millisecond)
	server = page(p)
	serving.Go(func() { _ = server.Serve(l) })
	b.until(t, "#phase", "measuring")
	b.until(t, "#decisions", "fast_path on: better")
	require.True(t, again.fast.Load(), "what was kept is in force again")

	again.stop()
	again.done.Wait()
	require.NoError(t, p.Close())
	require.NoError(t, p.Executor().Close())
	require.NoError(t, server.Close())
	serving.Wait()
	b.mu.Lock()
	defer b.mu.Unlock()
	require.Empty(t, b.bad)
}

// shoot writes the pictures of the documentation: three widths, light and dark.
func shoot(t *testing.T, b *browser) {
	t.Helper()
	for _, scheme := range []string{"light", "dark"} {
		for _, width := range []int64{1280, 820, 390} {
			var png []byte
			b.do(t,
				emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}),
				emulation.SetDeviceMetricsOverride(width, 1200, 1, width < 500),
				chromedp.Sleep(time.Second), chromedp.FullScreenshot(&png, 100),
			)
			require.NoError(t, os.WriteFile(fmt.Sprintf("../docs/dashboard-%s-%d.png", scheme, width), png, 0o600))
		}
	}
}
