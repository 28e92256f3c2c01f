package dashboard

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode"

	"autotune"
	"autotune/controller"
)

// wish is the body of a change.
type wish struct {
	// Who asks, and why: for the log.
	Who string `json:"who"`
	Why string `json:"why"`
}

// mostSaid is how long who and why may be, in bytes.
const mostSaid = 200

func (w *wish) check() error {
	for name, text := range map[string]string{"who": w.Who, "why": w.Why} {
		switch {
		case strings.TrimSpace(text) == "":
			return errors.New(name + ": missing: must say it")
		case len(text) > mostSaid:
			return errors.New(name + ": too long: at most 200 bytes")
		case strings.ContainsFunc(text, unicode.IsControl):
			return errors.New(name + ": must have no control characters")
		}
	}
	return nil
}

// commands by name: what may be asked for.
var commands = map[string]func(context.Context, *autotune.Autopilot, *wish) error{
	"pause": func(ctx context.Context, p *autotune.Autopilot, w *wish) error {
		return p.Pause(ctx, controller.Operator{Who: w.Who, Why: w.Why})
	},
	"resume": func(ctx context.Context, p *autotune.Autopilot, w *wish) error {
		return p.Resume(ctx, controller.Operator{Who: w.Who, Why: w.Why})
	},
}

// patience is how long a change may take until it is in force.
const patience = 30 * time.Second

// change lets one be asked for by whoever has the token, from the page itself or
// from no page at all.
func (d *Dashboard) change(name string, do func(context.Context, *autotune.Autopilot, *wish) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !d.changes.Allow() { // before anything is compared: guesses are counted too
			w.Header().Set("Retry-After", "1")
			refuse(w, http.StatusTooManyRequests, "too many changes: at most %d a second", changesPerSecond)
			return
		}
		if err := d.origins.Check(r); err != nil {
			refuse(w, http.StatusForbidden, "asked for from another origin")
			return
		}
		if !d.hasToken(r) {
			w.Header().Set("WWW-Authenticate", "Bearer")
			refuse(w, http.StatusUnauthorized, "a change takes the token, as Authorization: Bearer")
			return
		}
		if kind, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";"); kind != "application/json" {
			refuse(w, http.StatusUnsupportedMediaType, "content type %q: must be application/json", kind)
			return
		}
		asked, err := readWish(http.MaxBytesReader(w, r.Body, mostBody))
		if err != nil {
			status := http.StatusBadRequest
			if errors.As(err, new(*http.MaxBytesError)) {
				status = http.StatusRequestEntityTooLarge
			}
			refuse(w, status, "%v", err)
			return
		}
		ctx, cancel := context.WithTimeout(r.Context(), patience)
		defer cancel()
		err = do(ctx, d.pilot, asked)
		event := d.log.Warn().Str("change", name).Str("who", asked.Who).Str("why", asked.Why).Str("from", r.RemoteAddr)
		switch {
		case errors.Is(err, autotune.ErrEnded):
			event.Msg("refused: the autopilot has ended")
			refuse(w, http.StatusConflict, "%v", err)
		case err != nil:
			event.Err(err).Msg("failed")
			refuse(w, http.StatusConflict, "%v", err)
		default:
			event.Msg("done")
			answer(w, http.StatusOK, map[string]string{"done": name})
		}
	}
}

func readWish(body io.Reader) (*wish, error) {
	in := json.NewDecoder(body)
	in.DisallowUnknownFields()
	var w wish
	if err := in.Decode(&w); err != nil {
		return nil, err
	}
	if in.More() {
		return nil, errors.New("body: must be one JSON object")
	}
	return &w, w.check()
}

// Commands are the names of the changes that may be asked for, in order.
func Commands() []string { return slices.Sorted(maps.Keys(commands)) }
