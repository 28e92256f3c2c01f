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

	"autotune/controller"
)

// takes are the changes that may be asked for, each with the fields that its body
// needs besides who and why.
var takes = map[controller.WishKind][]string{
	controller.WishPause: nil, controller.WishResume: nil,
	controller.WishPin: {"name"}, controller.WishPinAt: {"name", "value"}, controller.WishUnpin: {"name"},
	controller.WishRevert: {"trial"}, controller.WishRevertAll: nil,
	controller.WishApprove: {"proposal"}, controller.WishDecline: {"proposal"}, controller.WishReopen: {"proposal"},
}

// patience is how long a change may take until it is in force.
const patience = 30 * time.Second

// change lets one be asked for by whoever has the token, from the page itself or
// from no page at all.
func (d *Dashboard) change(kind controller.WishKind) http.HandlerFunc {
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
		if body, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";"); body != "application/json" {
			refuse(w, http.StatusUnsupportedMediaType, "content type %q: must be application/json", body)
			return
		}
		wish, err := readWish(http.MaxBytesReader(w, r.Body, mostBody), kind)
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
		err = d.pilot.Wish(ctx, wish)
		event := d.log.Warn().Stringer("change", kind).Str("who", wish.By.Who).Str("why", wish.By.Why).Str("from", r.RemoteAddr)
		switch {
		case errors.Is(err, context.DeadlineExceeded):
			event.Msg("not in force yet")
			refuse(w, http.StatusGatewayTimeout, "not in force after %v: it may be granted yet", patience)
		case err != nil:
			event.Msg("refused: " + err.Error())
			refuse(w, http.StatusConflict, "%v", err)
		default:
			event.Msg("done")
			answer(w, http.StatusOK, map[string]string{"done": kind.String()})
		}
	}
}

// readWish reads the body of a change: who and why, and the fields that it takes. An
// error is one line with the field, the value and the rule.
func readWish(body io.Reader, kind controller.WishKind) (controller.Wish, error) {
	w := controller.Wish{Kind: kind}
	var fields map[string]json.RawMessage
	text, err := io.ReadAll(body)
	switch {
	case err != nil:
		return w, err
	case json.Unmarshal(text, &fields) != nil:
		return w, errors.New("body: must be one JSON object")
	}
	to := map[string]any{"who": &w.By.Who, "why": &w.By.Why, "name": &w.Name, "value": &w.Value, "trial": &w.Trial, "proposal": &w.Proposal}
	is := map[string]string{"value": "a number", "trial": "a whole number"}
	known := append([]string{"who", "why"}, takes[kind]...)
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if !slices.Contains(known, name) {
			return w, fmt.Errorf("field %.40q: must be one of %s", name, strings.Join(known, ", "))
		}
	}
	for _, name := range known {
		value, ok := fields[name]
		if !ok || bytes.Equal(value, []byte("null")) {
			return w, fmt.Errorf("%s: missing: must be there", name)
		}
		if err := json.Unmarshal(value, to[name]); err != nil {
			rule := is[name]
			if rule == "" {
				rule = "a string"
			}
			return w, fmt.Errorf("%s %.40s: must be %s", name, value, rule)
		}
	}
	switch {
	case strings.TrimSpace(w.By.Who) == "":
		return w, fmt.Errorf("who %q: must say who asks", w.By.Who)
	case strings.TrimSpace(w.By.Why) == "":
		return w, fmt.Errorf("why %q: must say why, for the journal", w.By.Why)
	}
	if err := w.Check(); err != nil {
		return w, errors.New(strings.TrimPrefix(err.Error(), kind.String()+": "))
	}
	return w, nil
}
