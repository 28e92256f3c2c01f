package diagnose

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path"
	"runtime/pprof"
	"strings"
	"time"
	"unicode"

	"github.com/google/pprof/profile"
)

// Limits of what a profile may take. A minute of CPU samples at 100 Hz on 64
// processors has some 10 MB.
const (
	mostProfile   = 64 << 20  // bytes, as it comes
	mostUnpacked  = 256 << 20 // bytes, without its compression
	mostProfiling = 5 * time.Minute
	// answers is how long a service may take longer than it was asked to profile.
	answers = 15 * time.Second
)

// ErrNoProfile says that a service gave no profile: it does not answer, or with
// something else.
var ErrNoProfile = errors.New("profile")

// ProfileConfig says how to profile. Zero fields have the documented defaults.
type ProfileConfig struct {
	// Length of the profile, whole seconds: 10 s by default, 1 s to 5 min. At 100
	// samples a second for each processor in use, ten seconds tell shares of some
	// percent. Profiling costs the service some 1 % of CPU time meanwhile.
	Length time.Duration
	// Top sites that are told of each kind, 10 by default, at most 1000.
	Top int
	// Client for ProfileURL; one without proxies if nil.
	Client *http.Client
}

func (c *ProfileConfig) setDefaults() error {
	if c.Length == 0 {
		c.Length = 10 * time.Second
	}
	if c.Top == 0 {
		c.Top = 10
	}
	if c.Client == nil {
		c.Client = &http.Client{}
	}
	switch {
	case c.Length < time.Second || c.Length > mostProfiling || c.Length%time.Second != 0:
		return fmt.Errorf("profile: length %v: must be whole seconds within 1s..%v", c.Length, mostProfiling)
	case c.Top < 1 || c.Top > 1000:
		return fmt.Errorf("profile: top %d: must be within 1..1000", c.Top)
	}
	return nil
}

// Profile profiles this process for a time: where CPU time goes, and what was
// allocated meanwhile. It fails if something else takes a CPU profile at that
// time: a process has one.
func Profile(ctx context.Context, cfg ProfileConfig) (*Profiled, error) {
	if err := cfg.setDefaults(); err != nil {
		return nil, err
	}
	before, err := allocs()
	if err != nil {
		return nil, err
	}
	var cpu bytes.Buffer
	if err := pprof.StartCPUProfile(&cpu); err != nil {
		return nil, fmt.Errorf("profile: %w", err)
	}
	began := time.Now()
	timer := time.NewTimer(cfg.Length)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
	pprof.StopCPUProfile()
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("profile: interrupted after %v: %w", time.Since(began).Round(time.Millisecond), err)
	}
	after, err := allocs()
	if err != nil {
		return nil, err
	}
	before.Scale(-1)
	delta, err := profile.Merge([]*profile.Profile{before, after})
	if err != nil {
		return nil, fmt.Errorf("profile: allocations: %w", err)
	}
	delta.DurationNanos = time.Since(began).Nanoseconds()
	p, err := parseProfile(&cpu)
	if err != nil {
		return nil, err
	}
	return profiled("this process", cfg.Top, p, delta)
}

// allocs is what the process has allocated so far.
func allocs() (*profile.Profile, error) {
	var b bytes.Buffer
	if err := pprof.Lookup("allocs").WriteTo(&b, 0); err != nil {
		return nil, fmt.Errorf("profile: allocations: %w", err)
	}
	return parseProfile(&b)
}

// ProfileURL profiles a service that serves net/http/pprof: base is the address of
// the service, or of its /debug/pprof. The service takes both profiles at once. An
// error is one line.
func ProfileURL(ctx context.Context, base string, cfg ProfileConfig) (*Profiled, error) {
	if err := cfg.setDefaults(); err != nil {
		return nil, err
	}
	u, err := pprofURL(base)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, cfg.Length+answers, fmt.Errorf("no answer within %v", cfg.Length+answers))
	defer cancel()
	type answer struct {
		p   *profile.Profile
		err error
	}
	get := func(name string) <-chan answer {
		out := make(chan answer, 1)
		at := u.JoinPath(name)
		at.RawQuery = fmt.Sprintf("seconds=%d", int(cfg.Length.Seconds()))
		go func() {
			p, err := fetch(ctx, cfg.Client, at.String())
			if err != nil {
				cancel() // half is none
			}
			out <- answer{p, err}
		}()
		return out
	}
	waiting := []<-chan answer{get("profile"), get("allocs")}
	cpu, heap := <-waiting[0], <-waiting[1]
	for _, a := range []answer{cpu, heap} {
		if a.err != nil && !errors.Is(a.err, context.Canceled) { // the other one was given up because of it
			return nil, a.err
		}
	}
	if cpu.err != nil {
		return nil, cpu.err
	}
	if heap.err != nil {
		return nil, heap.err
	}
	return profiled(u.Redacted(), cfg.Top, cpu.p, heap.p)
}

// pprofURL is where net/http/pprof is, of a service or of a page of it.
func pprofURL(base string) (*url.URL, error) {
	u, err := url.Parse(base)
	switch {
	case err != nil, u.Scheme != "http" && u.Scheme != "https", u.Host == "":
		return nil, fmt.Errorf("profile %q: must be a URL as in http://localhost:6060/debug/pprof, or a file", base)
	}
	u.RawQuery, u.Fragment = "", ""
	switch path.Base(u.Path) {
	case "profile", "allocs", "heap":
		u.Path = path.Dir(u.Path)
	}
	if u.Path == "" || u.Path == "/" {
		u.Path = "/debug/pprof"
	}
	return u, nil
}

func fetch(ctx context.Context, client *http.Client, at string) (*profile.Profile, error) {
	fail := func(err error) error {
		if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, context.Canceled) {
			err = cause
		}
		if u, ok := errors.AsType[*url.Error](err); ok {
			err = u.Err // it has the address too
		}
		return fmt.Errorf("%w %s: %w", ErrNoProfile, at, err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, at, http.NoBody)
	if err != nil {
		return nil, fail(err)
	}
	res, err := client.Do(req)
	if err != nil {
		return nil, fail(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		said, _ := io.ReadAll(io.LimitReader(res.Body, 200)) // what there is of it
		return nil, fail(fmt.Errorf("answered %s (%s): must be net/http/pprof of a Go service, and nobody else taking a CPU profile", res.Status, printable(string(said))))
	}
	p, err := parseProfile(res.Body)
	if err != nil {
		return nil, fail(errors.Unwrap(err))
	}
	return p, nil
}

// printable is a text from elsewhere on one line, short.
func printable(s string) string {
	s = strings.Join(strings.FieldsFunc(s, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) }), " ")
	if runes := []rune(s); len(runes) > 80 {
		s = string(runes[:80]) + " ..."
	}
	if s == "" {
		return "without a text"
	}
	return s
}

// ReadProfile reads a profile that was saved in a file: of CPU time, of
// allocations, or of the heap, as net/http/pprof, runtime/pprof and go test write
// them.
func ReadProfile(name string, cfg ProfileConfig) (*Profiled, error) {
	if err := cfg.setDefaults(); err != nil {
		return nil, err
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("profile %s: %w", name, unwrapped(err))
	}
	defer f.Close()
	p, err := parseProfile(f)
	if err != nil {
		return nil, fmt.Errorf("profile %s: %w", name, errors.Unwrap(err))
	}
	return profiled(path.Base(name), cfg.Top, p)
}

// unwrapped is an error of a file without its name, which our own line has.
func unwrapped(err error) error {
	if p, ok := errors.AsType[*os.PathError](err); ok {
		return p.Err
	}
	return err
}

// parseProfile reads a profile in the format of pprof, compressed or not, within
// the limits. Older formats, which are text, are refused.
func parseProfile(r io.Reader) (*profile.Profile, error) {
	return parseWithin(r, mostProfile, mostUnpacked)
}

func parseWithin(r io.Reader, packed, unpacked int64) (*profile.Profile, error) {
	data, err := bounded(r, packed)
	if err != nil {
		return nil, fmt.Errorf("profile: %w", err)
	}
	if len(data) > 2 && data[0] == 0x1f && data[1] == 0x8b {
		z, err := gzip.NewReader(bytes.NewReader(data))
		if err != nil {
			return nil, fmt.Errorf("profile: %w", fmt.Errorf("decompress: %w", err))
		}
		if data, err = bounded(z, unpacked); err != nil {
			return nil, fmt.Errorf("profile: %w", fmt.Errorf("decompress: %w", err))
		}
	}
	p, err := profile.ParseUncompressed(data)
	if err == nil {
		err = p.CheckValid()
	}
	if err != nil {
		return nil, fmt.Errorf("profile: %w", fmt.Errorf("is not in the format of pprof: %w", err))
	}
	return p, nil
}

// bounded reads all there is, unless that is more than most bytes.
func bounded(r io.Reader, most int64) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, most+1))
	if err == nil && int64(len(data)) > most {
		err = fmt.Errorf("is larger than %s: no profile should be", size(float64(most)))
	}
	return data, err
}
