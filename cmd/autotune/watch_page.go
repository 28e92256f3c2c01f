package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net"
	"net/http"
	"net/url"
	"strings"

	"autotune"
	"autotune/controller"
)

// page is a live page elsewhere, as far as it is read.
type page struct {
	base   *url.URL // ends with a slash
	token  string
	client *http.Client
}

// newPage checks what was asked for, without asking for it.
func newPage(address, token string) (*page, error) {
	base, err := url.Parse(address)
	switch {
	case err != nil || base.Scheme != "http" && base.Scheme != "https" || base.Hostname() == "":
		return nil, fmt.Errorf("URL %q: must be that of a page, as http://127.0.0.1:8080/", address)
	case base.User != nil || base.RawQuery != "" || base.Fragment != "":
		return nil, fmt.Errorf("URL %q: must have no user, query or fragment; the token is taken from %s", base.Redacted(), tokenVariable)
	case strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }):
		return nil, fmt.Errorf("%s: must have printable characters only, and no spaces", tokenVariable)
	case token != "" && base.Scheme == "http" && !loopbackName(base.Hostname()):
		return nil, fmt.Errorf("URL %q: must be https: the token in %s would cross the network for anybody to read", address, tokenVariable)
	}
	if !strings.HasSuffix(base.Path, "/") {
		base.Path += "/"
	}
	return &page{base: base, token: token, client: client()}, nil
}

func loopbackName(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// String is the address.
func (p *page) String() string { return p.base.String() }

// errRefused: asking again will not help.
var errRefused = errors.New("refused")

// get asks for something of the page and returns its body, which must be of a kind.
func (p *page) get(ctx context.Context, path, kind string) (io.ReadCloser, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, p.base.JoinPath(path).String(), http.NoBody) //nolint:gosec // whoever calls it says where
	if err != nil {
		return nil, err
	}
	r.Header.Set("Accept", kind)
	if p.token != "" {
		r.Header.Set("Authorization", "Bearer "+p.token)
	}
	res, err := p.client.Do(r) //nolint:gosec // likewise
	if err != nil {
		var wrapped *url.Error // it repeats the whole address
		if errors.As(err, &wrapped) {
			err = wrapped.Err
		}
		return nil, fmt.Errorf("%s: %w", p, err)
	}
	if got, _, _ := strings.Cut(res.Header.Get("Content-Type"), ";"); res.StatusCode == http.StatusOK && got == kind {
		return res.Body, nil
	}
	defer res.Body.Close()
	return nil, p.refusal(res)
}

// refusal says why there is no answer of the kind that was asked for.
func (p *page) refusal(res *http.Response) error {
	var said struct {
		Error string `json:"error"`
	}
	// What is no JSON is no page of ours.
	_ = json.NewDecoder(io.LimitReader(res.Body, 4<<10)).Decode(&said)
	code := fmt.Sprintf("%d %s", res.StatusCode, http.StatusText(res.StatusCode)) // its own words may be anything
	switch {
	case res.StatusCode == http.StatusUnauthorized && p.token == "":
		return fmt.Errorf("%s: %w: reading it takes the token, in %s", p, errRefused, tokenVariable)
	case res.StatusCode == http.StatusUnauthorized:
		return fmt.Errorf("%s: %w: the token in %s is not the page's", p, errRefused, tokenVariable)
	case res.StatusCode >= 300 && res.StatusCode < 400:
		return fmt.Errorf("%s: it leads to %q: must be the page itself", p, res.Header.Get("Location"))
	case said.Error != "":
		return fmt.Errorf("%s: %s: %q", p, code, said.Error)
	case res.StatusCode >= 500:
		return fmt.Errorf("%s: %s", p, code)
	}
	return fmt.Errorf("%s: %s and no events: must be the live page of an autopilot", p, code)
}

// news is one event of the page's stream.
type news struct {
	Status autotune.Status  `json:"status"`
	Points []autotune.Point `json:"points"`
}

// last is what was measured last, or nil.
func (n *news) last() *autotune.Point {
	if len(n.Points) == 0 {
		return nil
	}
	return &n.Points[len(n.Points)-1]
}

// news yields what the page says until the connection ends, or one error.
func (p *page) news(ctx context.Context) iter.Seq2[*news, error] {
	return func(yield func(*news, error) bool) {
		body, err := p.get(ctx, "api/events", "text/event-stream")
		if err != nil {
			yield(nil, err)
			return
		}
		defer body.Close()
		for e, err := range eventsOf(body) {
			n := &news{}
			if err == nil && e.kind == "news" {
				err = json.Unmarshal(e.data, n)
			}
			switch {
			case err != nil:
				yield(nil, fmt.Errorf("%s: %w", p, err))
				return
			case e.kind == "news" && !yield(n, nil):
				return
			}
		}
	}
}

// decisions are the latest, with those of earlier starts where the page remembers
// them; else those of the status.
func (p *page) decisions(ctx context.Context, s *autotune.Status) []controller.Trial {
	ctx, cancel := context.WithTimeout(ctx, watchPatience)
	defer cancel()
	var all []controller.Trial
	body, err := p.get(ctx, "api/decisions", "application/json")
	if err != nil {
		return s.Ended
	}
	defer body.Close()
	if err := json.NewDecoder(body).Decode(&all); err != nil || len(all) == 0 {
		return s.Ended
	}
	for _, t := range s.Ended { // what it has just said may not be written yet
		if t.Ended.After(all[len(all)-1].Ended) {
			all = append(all, t)
		}
	}
	return all
}

// event is a server-sent event: a kind, "message" if it has none, and its data.
type event struct {
	kind string
	data []byte
}

// mostEvent is how long a line of an event may be: half an hour of points is half a
// megabyte.
const mostEvent = 16 << 20

// eventsOf reads a stream of server-sent events as the HTML standard has it, but
// for lines that end with a carriage return alone. An event that is not whole at
// the end is dropped; an error ends the stream.
func eventsOf(r io.Reader) iter.Seq2[event, error] {
	return func(yield func(event, error) bool) {
		lines := bufio.NewScanner(r)
		lines.Buffer(nil, mostEvent)
		e, whole := event{}, false
		for lines.Scan() {
			line := lines.Text()
			if line == "" {
				if whole && !yield(e.named(), nil) {
					return
				}
				e, whole = event{}, false
				continue
			}
			field, value, _ := strings.Cut(line, ":")
			value = strings.TrimPrefix(value, " ")
			switch field { // others, and comments, which have no name, are passed over
			case "event":
				e.kind = value
			case "data":
				if whole {
					e.data = append(e.data, '\n')
				}
				if len(e.data)+len(value) > mostEvent {
					yield(event{}, fmt.Errorf("an event of more than %d bytes", mostEvent))
					return
				}
				e.data, whole = append(e.data, value...), true
			}
		}
		if err := lines.Err(); err != nil {
			yield(event{}, err)
		}
	}
}

func (e event) named() event {
	if e.kind == "" {
		e.kind = "message"
	}
	return e
}
