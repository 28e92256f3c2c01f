package dashboard

import (
	"crypto/rand"
	"crypto/sha256"
	"embed"
	"encoding/json"
	"fmt"
	"net/http"
	"sync/atomic"

	"github.com/rs/zerolog"
	"golang.org/x/time/rate"

	"autotune"
)

// Options of a dashboard. The zero value is ready to use.
type Options struct {
	// Token that changes take, and reads from other machines: at least 16
	// characters. Empty: a random one, which Token tells once to whoever made the
	// dashboard.
	Token string
	// Journal is the autopilot's folder, for decisions before this start and for
	// pairs; empty: only what this process knows.
	Journal string
	// Logger is told of changes, who asked and why; nil logs nothing.
	Logger *zerolog.Logger
}

const (
	leastToken  = 16
	mostBody    = 4 << 10
	mostStreams = 64
	// changesPerSecond that anybody may ask for, all together.
	changesPerSecond = 5
)

// Dashboard serves the page and the API. It is safe for concurrent use.
type Dashboard struct {
	pilot   *autotune.Autopilot
	journal string
	log     *zerolog.Logger
	token   string
	digest  [sha256.Size]byte
	mux     *http.ServeMux
	origins *http.CrossOriginProtection
	changes *rate.Limiter
	streams atomic.Int64
	told    told

	patterns []string // of all routes
}

// New returns the dashboard of an autopilot, or what is wrong with the options.
func New(p *autotune.Autopilot, o Options) (*Dashboard, error) {
	if o.Token == "" {
		o.Token = rand.Text()
	}
	if len(o.Token) < leastToken {
		return nil, fmt.Errorf("dashboard: token of %d characters: must have at least %d", len(o.Token), leastToken)
	}
	if o.Logger == nil {
		nop := zerolog.Nop()
		o.Logger = &nop
	}
	d := &Dashboard{
		pilot: p, journal: o.Journal, log: o.Logger, token: o.Token, digest: sha256.Sum256([]byte(o.Token)),
		mux: http.NewServeMux(), origins: http.NewCrossOriginProtection(), changes: rate.NewLimiter(changesPerSecond, 2*changesPerSecond),
	}
	d.routes()
	return d, nil
}

// Token is what changes take. Tell it to the operator, once.
func (d *Dashboard) Token() string { return d.token }

//go:embed page openapi.json
var files embed.FS

// assets of the page, with their types: a fixed list, so that no path means another file.
var assets = map[string]string{
	"app.js": "text/javascript; charset=utf-8", "app.css": "text/css; charset=utf-8",
	"uplot.js": "text/javascript; charset=utf-8", "uplot.css": "text/css; charset=utf-8", "uplot.LICENSE": "text/plain; charset=utf-8",
}

func (d *Dashboard) routes() {
	d.handle("GET /{$}", asset("page/index.html", "text/html; charset=utf-8"))
	for name, kind := range assets {
		d.handle("GET /"+name, asset("page/"+name, kind))
	}
	d.handle("GET /api/openapi.json", asset("openapi.json", "application/json"))
	d.read("GET /api/status", d.status)
	d.read("GET /api/events", d.events)
	d.read("GET /api/knobs", d.knobs)
	d.read("GET /api/decisions", d.decisions)
	d.read("GET /api/trials/{id}", d.trial)
	for kind := range takes {
		d.handle("POST /api/"+kind.String(), d.change(kind))
	}
}

func (d *Dashboard) handle(pattern string, h http.HandlerFunc) {
	d.patterns = append(d.patterns, pattern)
	d.mux.HandleFunc(pattern, h)
}

// ServeHTTP answers with headers that let the page do no more than it needs.
func (d *Dashboard) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
	d.mux.ServeHTTP(w, r)
}

func asset(path, kind string) http.HandlerFunc {
	body, err := files.ReadFile(path)
	if err != nil {
		panic(err) // it is part of the program
	}
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", kind)
		_, _ = w.Write(body) // the client has gone
	}
}

func answer(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		http.Error(w, "internal error", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n'))
}

// refuse says in a line why not.
func refuse(w http.ResponseWriter, status int, format string, args ...any) {
	answer(w, status, map[string]string{"error": fmt.Sprintf(format, args...)})
}
