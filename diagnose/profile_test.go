package diagnose

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	httppprof "net/http/pprof"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/pprof/profile"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// made builds a profile from stacks, outermost function first, by their value.
func made(kind, unit string, stacks map[string]int64) *profile.Profile {
	p := &profile.Profile{
		SampleType:    []*profile.ValueType{{Type: "samples", Unit: "count"}, {Type: kind, Unit: unit}},
		DurationNanos: int64(10 * time.Second),
	}
	functions := map[string]*profile.Location{}
	for stack, v := range stacks {
		s := &profile.Sample{Value: []int64{v / 1e7, v}}
		for name := range strings.SplitSeq(stack, ";") {
			loc := functions[name]
			if loc == nil {
				f := &profile.Function{ID: uint64(len(p.Function) + 1), Name: name, Filename: "/src/" + packageOf(name) + "/code.go"}
				p.Function = append(p.Function, f)
				loc = &profile.Location{ID: f.ID, Address: f.ID, Line: []profile.Line{{Function: f, Line: 10 * int64(len(name))}}}
				p.Location = append(p.Location, loc)
				functions[name] = loc
			}
			s.Location = append([]*profile.Location{loc}, s.Location...)
		}
		p.Sample = append(p.Sample, s)
	}
	return p
}

func saved(t *testing.T, p *profile.Profile) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "made.pb.gz")
	f, err := os.Create(path)
	require.NoError(t, err)
	require.NoError(t, p.Write(f))
	require.NoError(t, f.Close())
	return path
}

// shop are stacks of a service, in nanoseconds of 10 s.
func shop() *profile.Profile {
	return made("cpu", "nanoseconds", map[string]int64{
		"net/http.(*conn).serve;shop.test/price.Handle;encoding/json.Marshal":                                             1200e6,
		"net/http.(*conn).serve;shop.test/price.Handle;shop.test/price.compute":                                           900e6,
		"net/http.(*conn).serve;shop.test/price.Handle;shop.test/price.compute;runtime.mallocgc":                          300e6,
		"net/http.(*conn).serve;shop.test/price.Handle;go.opentelemetry.io/otel/sdk/trace.(*span).End;sync.(*Mutex).Lock": 300e6,
		"runtime.gcBgMarkWorker;runtime.gcDrain":                                                                          200e6,
		"runtime.schedule;runtime.findRunnable;runtime.futex":                                                             100e6,
	})
}

func TestReadProfile_golden(t *testing.T) {
	p, err := ReadProfile(saved(t, shop()), ProfileConfig{Top: 4})
	require.NoError(t, err)
	var text, lines bytes.Buffer
	require.NoError(t, p.WriteText(&text))
	golden(t, "profile.txt", text.Bytes())
	require.NoError(t, p.WriteJSON(&lines))
	golden(t, "profile.jsonl", lines.Bytes())

	// What a function calls through itself counts once, and what goes down counts
	// as nothing.
	p, err = ReadProfile(saved(t, made("alloc_space", "bytes", map[string]int64{"a.b/c.F;a.b/c.F;a.b/c.F": 1000, "a.b/c.G": -500})), ProfileConfig{})
	require.NoError(t, err)
	require.Nil(t, p.CPU)
	require.Equal(t, []Site{{Function: "a.b/c.F", File: "/src/a.b/c/code.go", Line: 70, Flat: 1, Cumulative: 1}}, p.Allocs.Flat)
	require.InDelta(t, 1000, p.Allocs.Total, 0)
}

//go:noinline
func burn(until <-chan struct{}) (n int, kept [][]byte) {
	for {
		select {
		case <-until:
			return n, kept
		default:
			for i := range 20000 {
				n += i * i % 7
			}
			kept = append(kept[:0], make([]byte, 64<<10))
		}
	}
}

// burning keeps a processor busy for as long as the test lasts.
func burning(t *testing.T) {
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		burn(stop)
	}()
	t.Cleanup(func() {
		close(stop)
		<-done
	})
}

func functions(sites []Site) string {
	var names []string
	for _, s := range sites {
		names = append(names, s.Function)
	}
	return strings.Join(names, " ")
}

// This process, and the same through net/http/pprof: what burns is found, in its
// file, and so is what it allocates.
func TestProfile_findsWhatBurns(t *testing.T) {
	burning(t)
	mux := http.NewServeMux()
	mux.HandleFunc("/debug/pprof/profile", httppprof.Profile)
	mux.Handle("/debug/pprof/allocs", httppprof.Handler("allocs"))
	server := httptest.NewServer(mux)
	defer server.Close()
	client := server.Client()
	defer client.CloseIdleConnections()
	cfg := ProfileConfig{Length: time.Second, Client: client}
	for name, take := range map[string]func() (*Profiled, error){
		"this process": func() (*Profiled, error) { return Profile(t.Context(), cfg) },
		server.URL + "/debug/pprof": func() (*Profiled, error) {
			return ProfileURL(t.Context(), server.URL+"/debug/pprof/profile?seconds=99", cfg)
		},
	} {
		p, err := take()
		require.NoError(t, err)
		require.Equal(t, name, p.Source)
		require.NotNil(t, p.CPU)
		require.Contains(t, functions(p.CPU.Through), "diagnose.burn")
		require.NotNil(t, p.Allocs)
		require.Contains(t, functions(p.Allocs.Through), "diagnose.burn")
		require.NoError(t, p.WriteText(io.Discard))
	}
}

func TestProfile_badInput(t *testing.T) {
	dir := t.TempDir()
	file := func(name string, data []byte) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, data, 0o600))
		return path
	}
	read := func(path string, cfg ProfileConfig) error {
		_, err := ReadProfile(path, cfg)
		return err
	}
	absent := filepath.Join(dir, "none.pb.gz")
	require.EqualError(t, read(absent, ProfileConfig{}), "profile "+absent+": no such file or directory")
	text := file("text", []byte("heap profile: 1: 2 [3: 4] @ heap/1\n"))
	require.ErrorContains(t, read(text, ProfileConfig{}), "profile "+text+": is not in the format of pprof: ")
	torn := file("torn", []byte{0x1f, 0x8b, 8})
	require.EqualError(t, read(torn, ProfileConfig{}), "profile "+torn+": decompress: unexpected EOF")
	goroutines := saved(t, made("goroutine", "count", map[string]int64{"a.b": 1}))
	require.EqualError(t, read(goroutines, ProfileConfig{}), "profile made.pb.gz: has neither cpu nor alloc_space: must be a profile of CPU time, allocations or the heap")
	require.EqualError(t, read(goroutines, ProfileConfig{Top: -1}), "profile: top -1: must be within 1..1000")
	for _, length := range []time.Duration{time.Millisecond, 1500 * time.Millisecond, time.Hour, -time.Second} {
		_, err := Profile(t.Context(), ProfileConfig{Length: length})
		require.EqualError(t, err, fmt.Sprintf("profile: length %v: must be whole seconds within 1s..5m0s", length))
	}
	for _, base := range []string{"localhost:6060", "ftp://host/x", "http://", ":", "http://[::1"} {
		_, err := ProfileURL(t.Context(), base, ProfileConfig{})
		require.EqualError(t, err, fmt.Sprintf("profile %q: must be a URL as in http://localhost:6060/debug/pprof, or a file", base))
	}
}

// A profile that is larger than any should be is not read to its end, packed or not.
func TestParseProfile_isBounded(t *testing.T) {
	endless := io.LimitReader(zeros{}, 1<<40)
	_, err := parseWithin(endless, 1<<16, 1<<16)
	require.EqualError(t, err, "profile: is larger than 64 KiB: no profile should be")
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, err = z.Write(make([]byte, 1<<20))
	require.NoError(t, err)
	require.NoError(t, z.Close())
	_, err = parseWithin(&packed, 1<<16, 1<<16)
	require.EqualError(t, err, "profile: decompress: is larger than 64 KiB: no profile should be")
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// Whatever a service answers, the error is one line that says what was asked and
// what came.
func TestProfileURL_aServiceThatGivesNone(t *testing.T) {
	var now atomic.Value // read by requests that nobody waits for any more
	answer := func(f http.HandlerFunc) { now.Store(f) }
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { now.Load().(http.HandlerFunc)(w, r) }))
	client := server.Client()
	take := func(ctx context.Context) error {
		_, err := ProfileURL(ctx, server.URL, ProfileConfig{Length: time.Second, Client: client})
		require.ErrorIs(t, err, ErrNoProfile)
		require.NotContains(t, err.Error(), "\n")
		return err
	}
	answer(http.NotFound)
	at := "profile " + server.URL + "/debug/pprof/"
	require.Contains(t, strings.ReplaceAll(take(t.Context()).Error(), "allocs?", "profile?"), at+"profile?seconds=1: answered 404 Not Found (404 page not found): must be net/http/pprof of a Go service, and nobody else taking a CPU profile")
	answer(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "<html>\nhello") })
	require.ErrorContains(t, take(t.Context()), "?seconds=1: is not in the format of pprof: ")

	// One that never answers, and a caller that does not wait.
	answer(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(100*time.Millisecond, cancel)
	require.ErrorIs(t, take(ctx), context.Canceled)

	client.CloseIdleConnections()
	server.Close()
	require.ErrorContains(t, take(t.Context()), "connect: connection refused")
}

func TestStandard(t *testing.T) {
	for function, want := range map[string]bool{
		"runtime.mallocgc": true, "net/http.(*conn).serve": true, "encoding/json.Marshal": true, "main.main": false,
		"autotune/executor.(*Step[go.shape.int,go.shape.int]).Run": false, "github.com/x/y/v2.F.func1": false, "slices.SortFunc[go.shape.[]github.com/x/y.T]": true,
	} {
		require.Equal(t, want, standard(function), function)
	}
	require.Equal(t, "autotune/executor", packageOf("autotune/executor.(*Step[github.com/x/y.T]).Run"))
}

// Whatever bytes come, they are a profile that is told, or refused.
func FuzzParseProfile(f *testing.F) {
	for _, p := range []*profile.Profile{shop(), made("alloc_space", "bytes", map[string]int64{"a.b/c.F": 5})} {
		var b bytes.Buffer
		if err := p.WriteUncompressed(&b); err != nil {
			f.Fatal(err)
		}
		f.Add(b.Bytes())
	}
	f.Add([]byte{0x1f, 0x8b})
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := parseWithin(bytes.NewReader(data), 1<<20, 1<<20)
		if err != nil {
			return
		}
		out, err := profiled("fuzz", 5, p)
		if err != nil {
			return
		}
		if err := out.WriteText(io.Discard); err != nil {
			t.Fatal(err)
		}
		if err := out.WriteJSON(io.Discard); err != nil {
			t.Fatal(err)
		}
	})
}
