package dashboard

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"autotune"
	"autotune/controller"
)

// command is a change that may be asked for.
type command struct {
	// takes names the fields of the body that it needs besides who and why.
	takes []string
	do    func(context.Context, *autotune.Autopilot, *controller.Wish) error
}

// commands by name.
var commands = map[string]command{
	"pause": {nil, func(ctx context.Context, p *autotune.Autopilot, w *controller.Wish) error {
		return p.Pause(ctx, w.By)
	}},
	"resume": {nil, func(ctx context.Context, p *autotune.Autopilot, w *controller.Wish) error {
		return p.Resume(ctx, w.By)
	}},
	"pin": {[]string{"name"}, func(ctx context.Context, p *autotune.Autopilot, w *controller.Wish) error {
		return p.Pin(ctx, w.Name, w.By)
	}},
	"pin-at": {[]string{"name", "value"}, func(ctx context.Context, p *autotune.Autopilot, w *controller.Wish) error {
		return p.PinAt(ctx, w.Name, w.Value, w.By)
	}},
	"unpin": {[]string{"name"}, func(ctx context.Context, p *autotune.Autopilot, w *controller.Wish) error {
		return p.Unpin(ctx, w.Name, w.By)
	}},
	"revert": {[]string{"trial"}, func(ctx context.Context, p *autotune.Autopilot, w *controller.Wish) error {
		return p.Revert(ctx, w.Trial, w.By)
	}},
	"revert-all": {nil, func(ctx context.Context, p *autotune.Autopilot, w *controller.Wish) error {
		return p.RevertAll(ctx, w.By)
	}},
	"approve": {[]string{"proposal"}, func(ctx context.Context, p *autotune.Autopilot, w *controller.Wish) error {
		return p.Approve(ctx, w.Proposal, w.By)
	}},
	"decline": {[]string{"proposal"}, func(ctx context.Context, p *autotune.Autopilot, w *controller.Wish) error {
		return p.Decline(ctx, w.Proposal, w.By)
	}},
	"reopen": {[]string{"proposal"}, func(ctx context.Context, p *autotune.Autopilot, w *controller.Wish) error {
		return p.Reopen(ctx, w.Proposal, w.By)
	}},
}

// patience is how long a change may take until it is in force.
const patience = 30 * time.Second

// change lets one be asked for by whoever has the token, from the page itself or
// from no page at all.
func (d *Dashboard) change(name string, c command) http.HandlerFunc {
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
		wish, err := readWish(http.MaxBytesReader(w, r.Body, mostBody), c.takes)
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
		err = c.do(ctx, d.pilot, wish)
		event := d.log.Warn().Str("change", name).Str("who", wish.By.Who).Str("why", wish.By.Why).Str("from", r.RemoteAddr)
		switch {
		case errors.Is(err, context.DeadlineExceeded):
			event.Msg("not in force yet")
			refuse(w, http.StatusGatewayTimeout, "not in force after %v: it may be granted yet", patience)
		case err != nil:
			event.Msg("refused: " + err.Error())
			refuse(w, http.StatusConflict, "%v", err)
		default:
			event.Msg("done")
			answer(w, http.StatusOK, map[string]string{"done": name})
		}
	}
}

// readWish reads the body of a change: who and why, and the fields that it takes. An
// error is one line with the field, the value and the rule.
func readWish(body io.Reader, takes []string) (*controller.Wish, error) {
	var fields map[string]json.RawMessage
	text, err := io.ReadAll(body)
	switch {
	case err != nil:
		return nil, err
	case json.Unmarshal(text, &fields) != nil:
		return nil, errors.New("body: must be one JSON object")
	}
	w := controller.Wish{Kind: controller.WishPause} // any kind: what it is told to do says the command
	to := map[string]any{"who": &w.By.Who, "why": &w.By.Why, "name": &w.Name, "value": &w.Value, "trial": &w.Trial, "proposal": &w.Proposal}
	is := map[string]string{"value": "a number", "trial": "a whole number"}
	known := append([]string{"who", "why"}, takes...)
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if !slices.Contains(known, name) {
			return nil, fmt.Errorf("field %.40q: must be one of %s", name, strings.Join(known, ", "))
		}
	}
	for _, name := range known {
		value, ok := fields[name]
		if !ok || bytes.Equal(value, []byte("null")) {
			return nil, fmt.Errorf("%s: missing: must be there", name)
		}
		if err := json.Unmarshal(value, to[name]); err != nil {
			rule := is[name]
			if rule == "" {
				rule = "a string"
			}
			return nil, fmt.Errorf("%s %.40s: must be %s", name, value, rule)
		}
	}
	switch {
	case strings.TrimSpace(w.By.Who) == "":
		return nil, fmt.Errorf("who %q: must say who asks", w.By.Who)
	case strings.TrimSpace(w.By.Why) == "":
		return nil, fmt.Errorf("why %q: must say why, for the journal", w.By.Why)
	}
	if err := w.Check(); err != nil {
		return nil, errors.New(strings.TrimPrefix(err.Error(), w.Kind.String()+": "))
	}
	return &w, nil
}
