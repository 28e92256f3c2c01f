package terminal

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"autotune"
	"autotune/controller"
)

// screen is a terminal as far as the progress library uses one: lines that grow
// at the bottom, the cursor moved up, and what is below it erased.
type screen struct {
	mu     sync.Mutex
	lines  []string
	row    int
	frames chan struct{}
}

func newScreen() *screen { return &screen{lines: []string{""}, frames: make(chan struct{}, 1000)} }

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	rest := string(p)
	for rest != "" {
		switch i := strings.IndexAny(rest, "\n\x1b"); {
		case i < 0:
			s.lines[s.row] += rest
			rest = ""
		case rest[i] == '\n':
			s.lines[s.row] += rest[:i]
			if s.row++; s.row == len(s.lines) {
				s.lines = append(s.lines, "")
			}
			rest = rest[i+1:]
		default:
			s.lines[s.row] += rest[:i]
			end := i + 2 + strings.IndexAny(rest[i+2:], "AJm")
			switch arg := rest[i+2 : end]; rest[end] {
			case 'A':
				up, err := strconv.Atoi(arg)
				if err != nil || up > s.row {
					return 0, fmt.Errorf("cursor up %q at row %d", arg, s.row)
				}
				s.row -= up
			case 'J':
				s.lines = append(s.lines[:s.row], "")
			}
			rest = rest[end+1:]
		}
	}
	s.frames <- struct{}{}
	return len(p), nil
}

func (s *screen) wait(t testing.TB) {
	t.Helper()
	select {
	case <-s.frames:
	case <-time.After(10 * time.Second):
		t.Fatal("no frame came")
	}
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.TrimRight(strings.Join(s.lines, "\n"), "\n") + "\n"
}

func liveStory(t *testing.T, wide, high int) (frames string, end string) {
	t.Helper()
	t.Setenv("NO_COLOR", "1")
	out := newScreen()
	s := newStory(4 * time.Minute)
	s.view = New(out, Options{Mode: Live, Now: s.clock, Width: wide, Height: high})
	var b strings.Builder
	s.frame = func(caption string) {
		out.wait(t)
		if caption != "" {
			fmt.Fprintf(&b, "== %s\n%s\n", caption, out)
		}
	}
	s.tell()
	return b.String(), out.String()
}

func TestLive_tellsAStory(t *testing.T) {
	for _, c := range []struct {
		name, locale string
		wide, high   int
	}{
		{"live_80x24", "C.UTF-8", 80, 24},
		{"live_60x14_ascii", "C", 60, 14},
		{"live_120x40", "en_US.utf8", 120, 40},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Setenv("LC_ALL", c.locale)
			frames, end := liveStory(t, c.wide, c.high)
			golden(t, c.name, frames+"== closed\n"+end)
			for line := range strings.Lines(end) {
				assert.Regexp(t, `^(12:0\d:\d\d|        ) `, line, "Close leaves only what has scrolled by")
			}
		})
	}
}

func TestLive_colorsVerbsOnly(t *testing.T) {
	assert.Equal(t, "\x1b[32mkept \x1b[0ma on", paint("kept a on"))
	assert.Equal(t, "\x1b[31mreverted \x1b[0ma on", paint("reverted a on"))
	assert.Equal(t, "keptish", paint("keptish"))
}

// Whatever is shown, no row is wider than the window less one column, and there
// are never more rows than fit.
func TestFrame_fits(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	words := []string{"", "x", "enable_cache_optimization", "応答時間 を測る", "a very long text that nobody would write " + strings.Repeat("and ", 60)}
	word := func() string { return words[rng.IntN(len(words))] }
	for range 5000 {
		st := autotune.Status{Status: controller.Status{
			Phase: controller.Phase(rng.IntN(10)), Why: word(), Measured: rng.IntN(30) - 3, MeasuredOf: rng.IntN(30) - 3,
			Initial: controller.SettingOf(map[string]float64{"a": 1, "enable_b": 0}),
			Safe:    controller.SettingOf(map[string]float64{"a": rng.NormFloat64() * 1e9, "enable_b": 1, word(): 3}),
		}, CPURatio: rng.Float64()}
		if rng.IntN(2) == 0 {
			st.Trial = &controller.Trial{Optimization: word(), Move: word(), Why: word(), Cap: rng.IntN(30) - 3, Pairs: rng.IntN(30)}
			for range rng.IntN(5) {
				e := effects(rng.IntN(20), rng.NormFloat64())[0]
				e.Metric = controller.Metric(word())
				st.Trial.Effects = append(st.Trial.Effects, e)
			}
		}
		sc := scene{status: &st, start: storyStart, now: storyStart.Add(time.Duration(rng.IntN(1e12)))}
		if rng.IntN(2) == 0 {
			v := rng.ExpFloat64()
			sc.whole, sc.point, sc.link = true, &autotune.Point{P95: &v, RSS: &v}, word()
			st.Pins = map[string]controller.Pin{word(): {Values: map[string]float64{word(): v}, By: controller.Operator{Who: word(), Why: word()}}}
			st.Blocked = map[string]string{word(): word(), word(): word()}
			st.Outlook = &controller.Outlook{Prospects: []controller.Prospect{{Optimization: word(), Signal: word()}, {Optimization: word(), Skip: word()}}}
			st.Audits = []controller.AuditStatus{{Optimization: word(), Move: word()}}
		}
		if rng.IntN(3) == 0 {
			sc.stage = &stage{word(), rng.IntN(30) - 3, rng.IntN(30) - 3}
		}
		if rng.IntN(2) == 0 {
			sc.until = storyStart.Add(time.Duration(rng.IntN(1e12)))
		}
		wide, high := 1+rng.IntN(150), 1+rng.IntN(30)
		lines := newStyle(rng.IntN(2) == 0).frame(&sc, wide, high)
		require.LessOrEqual(t, len(lines), high)
		for _, l := range lines {
			require.LessOrEqual(t, width(l), max(wide-1, 0), "%d columns: %q", wide, l)
			require.NotContains(t, l, "\n")
		}
	}
}

// A bar is full only when the evidence is enough.
func TestMeter(t *testing.T) {
	s := newStyle(true)
	assert.Equal(t, "[----------]", s.meter(0, 12))
	assert.Equal(t, "[#####-----]", s.meter(0.5, 12))
	assert.Equal(t, "[#########-]", s.meter(0.999, 12))
	assert.Equal(t, "[##########]", s.meter(1, 12))
	assert.Equal(t, "[##########]", s.meter(7, 12))
	assert.Equal(t, "[----------]", s.meter(math.NaN(), 12))
	assert.Empty(t, s.meter(1, 2), "too narrow to say anything")
	assert.Equal(t, "██░░", newStyle(false).meter(0.74, 4))
}

// In a low window the least important rows go first, and the state stays.
func TestFrame_lowWindow(t *testing.T) {
	st := autotune.Status{Status: controller.Status{
		Phase: controller.Trying, Why: "trial 1, a on, pair 4, safe",
		Trial: &controller.Trial{ID: 1, Optimization: "a", Move: "on", Why: "it may help", Cap: 24, Pairs: 3, Effects: effects(3, -0.5, -0.3, -0.1)},
	}}
	sc := scene{status: &st, start: storyStart, now: storyStart.Add(time.Minute), until: storyStart.Add(3 * time.Minute)}
	s := newStyle(true)
	assert.Equal(t, []string{"  state  trying: pair 4, safe"}, s.frame(&sc, 80, 1))
	assert.Equal(t, `  state  trying: pair 4, safe
  trial  1, a on
  pairs  [###-----------------------]  3 of at most 24
  latency_p95_seconds        -39 %  (? to ?)
    better [#--------]  2.5  worse [---------]  0.2  futile [---------] <0.1
  kept   nothing changed so far
  time   [########------------------]  2m0s left`, strings.Join(s.frame(&sc, 80, 7), "\n"))
}

// A view may be used from several goroutines, after Close too, and its height
// may change at any time.
func TestView_concurrentUse(t *testing.T) {
	for _, mode := range []Mode{Live, Plain} {
		t.Run(mode.String(), func(t *testing.T) {
			var out safeBuffer
			v := New(&out, Options{Mode: mode})
			var wg sync.WaitGroup
			for i := range 4 {
				wg.Go(func() {
					for n := range 50 {
						switch (i + n) % 3 {
						case 0:
							v.Show(autotune.Status{Status: controller.Status{Phase: controller.Idle, Why: strconv.Itoa(n)}})
						case 1:
							v.Stage("check", n, 50)
						default:
							v.Line("line")
						}
					}
					v.Close()
				})
			}
			wg.Wait()
			v.Close()
			v.Line("after all")
			assert.True(t, strings.HasSuffix(out.String(), "after all\n"))
		})
	}
}

func TestLive_heightChanges(t *testing.T) {
	var out safeBuffer
	high := 24
	l := newLive(&out, func() (int, int) { return 80, high })
	sc := scene{stage: &stage{"check", 3, 12}, start: storyStart, now: storyStart}
	for _, high = range []int{24, 10, 2, 1, 0, 30, 5} {
		l.draw(&sc)
		assert.LessOrEqual(t, l.slots, max(high-1, 1))
	}
	l.close()
}

// What cannot be written is dropped, and nobody waits for it.
func TestView_brokenPipe(t *testing.T) {
	for _, mode := range []Mode{Live, Plain} {
		v := New(brokenPipe{}, Options{Mode: mode})
		for i := range 20 {
			v.Stage("check", i, 20)
			v.Line("line")
			time.Sleep(time.Millisecond)
		}
		v.Close()
		v.Close()
	}
}

type brokenPipe struct{}

func (brokenPipe) Write([]byte) (int, error) { return 0, errors.New("broken pipe") }

var _ io.Writer = brokenPipe{}

type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// What a frame costs the command, of which there are a few a second.
func BenchmarkShow(b *testing.B) {
	out := newScreen()
	v := New(out, Options{Mode: Live})
	defer v.Close()
	st := autotune.Status{Status: controller.Status{
		Phase: controller.Trying,
		Trial: &controller.Trial{Optimization: "a", Move: "on", Cap: 24, Pairs: 3, Effects: effects(3, -0.5, -0.3, -0.1)},
	}}
	b.ReportAllocs()
	for b.Loop() {
		v.Show(st)
		out.wait(b)
	}
}
