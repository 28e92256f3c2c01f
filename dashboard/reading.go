package dashboard

import (
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"autotune"
	"autotune/controller"
	"autotune/journal"
)

func (d *Dashboard) status(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, d.pilot.Status())
}

// knob is one that may be pinned, as a person must know it.
type knob struct {
	Name string `json:"name"`
	Kind string `json:"kind"`
	Unit string `json:"unit,omitempty"`
	// Low and High are the owner's limits; Levels are all values, if only some may be.
	Low    float64   `json:"low"`
	High   float64   `json:"high"`
	Levels []float64 `json:"levels,omitempty"`
}

// offer is an optimization that may be tried.
type offer struct {
	Name string `json:"name"`
	Why  string `json:"why"`
	// MayDiffer is what it may change in results; empty: nothing.
	MayDiffer string `json:"may_differ,omitempty"`
}

// knobs are what may be moved, and what is offered: the same for as long as the
// autopilot lives.
func (d *Dashboard) knobs(w http.ResponseWriter, _ *http.Request) {
	out := struct {
		Knobs   []knob  `json:"knobs"`
		Offered []offer `json:"offered"`
	}{[]knob{}, []offer{}}
	for _, k := range d.pilot.Knobs() {
		low, high := k.Bounds()
		out.Knobs = append(out.Knobs, knob{Name: k.Name, Kind: k.Kind.String(), Unit: k.Unit, Low: low, High: high, Levels: k.Levels})
	}
	for _, o := range d.pilot.Offered() {
		out.Offered = append(out.Offered, offer{Name: o.Name, Why: o.Why, MayDiffer: o.MayDiffer})
	}
	answer(w, http.StatusOK, out)
}

// records are those of a journal, each with what its kind says.
func records(path string) iter.Seq2[journal.Entry, error] {
	return func(yield func(journal.Entry, error) bool) {
		for e, err := range journal.Read(path) {
			if err == nil {
				err = e.Record.Check()
			}
			if !yield(e, err) || err != nil {
				return
			}
		}
	}
}

// mostDecisions are shown: the latest.
const mostDecisions = 200

// decisions are verdicts, oldest first: those of the journal, across restarts, or of
// this process.
func (d *Dashboard) decisions(w http.ResponseWriter, _ *http.Request) {
	out := d.pilot.Status().Ended
	if d.journal != "" {
		out = nil
		for e, err := range records(d.journal) {
			if err != nil {
				refuse(w, http.StatusInternalServerError, "journal: %v", err)
				return
			}
			if r := &e.Record; !e.Repeat && r.Kind == controller.RecordVerdict && (r.Trial.Audit == 0 || r.Trial.Outcome == controller.Kept) {
				out = append(out, *r.Trial)
				if len(out) > 2*mostDecisions {
					out = slices.Delete(out, 0, len(out)-mostDecisions)
				}
			}
		}
	}
	if len(out) > mostDecisions {
		out = out[len(out)-mostDecisions:]
	}
	if out == nil {
		out = []controller.Trial{}
	}
	answer(w, http.StatusOK, out)
}

// trial is a decision with its pairs.
func (d *Dashboard) trial(w http.ResponseWriter, r *http.Request) {
	id, err := strconv.Atoi(r.PathValue("id"))
	if err != nil || id < 1 {
		refuse(w, http.StatusBadRequest, "id %q: must be a number of a trial", r.PathValue("id"))
		return
	}
	if d.journal == "" {
		refuse(w, http.StatusNotFound, "pairs are in the journal, and there is none")
		return
	}
	out := struct {
		Trial *controller.Trial `json:"trial"`
		Pairs []controller.Pair `json:"pairs"`
	}{Pairs: []controller.Pair{}}
	for e, err := range records(d.journal) {
		if err != nil {
			refuse(w, http.StatusInternalServerError, "journal: %v", err)
			return
		}
		switch rec := &e.Record; {
		case e.Repeat:
		case rec.Kind == controller.RecordPair && rec.Pair.Trial == id:
			out.Pairs = append(out.Pairs, *rec.Pair)
		case (rec.Kind == controller.RecordVerdict || rec.Kind == controller.RecordTrial) && rec.Trial.ID == id:
			out.Trial = rec.Trial
		}
	}
	if out.Trial == nil {
		refuse(w, http.StatusNotFound, "trial %d: not in the journal, or no longer", id)
		return
	}
	answer(w, http.StatusOK, out)
}

const (
	// streamEvery is how often there may be news, and streamWrite how long a client
	// may take to accept them: who is slower is let go.
	streamEvery = 500 * time.Millisecond
	streamWrite = 10 * time.Second
)

// told is the latest status as streams tell it: marshaled once, however many are
// open. Safe for concurrent use.
type told struct {
	mu   sync.Mutex
	at   time.Time
	text []byte
}

// of a status; anew: another one may have been told of the same moment.
func (t *told) of(s *autotune.Status, anew bool) ([]byte, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.text != nil && t.at.Equal(s.At) && !anew {
		return t.text, nil
	}
	text, err := json.Marshal(s)
	if err == nil {
		t.at, t.text = s.At, text
	}
	return text, err
}

// events streams what changes, as server-sent events, until the client goes or the
// autopilot ends.
func (d *Dashboard) events(w http.ResponseWriter, r *http.Request) {
	if d.streams.Add(1) > mostStreams {
		d.streams.Add(-1)
		w.Header().Set("Retry-After", "5")
		refuse(w, http.StatusServiceUnavailable, "%d streams are open: no more", mostStreams)
		return
	}
	defer d.streams.Add(-1)
	out := http.NewResponseController(w)
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no")
	seen, last := 0, time.Time{}
	tick := time.NewTicker(streamEvery)
	defer tick.Stop()
	for first, ended := true, false; ; first = false {
		fresh, n := d.pilot.Points(seen)
		s := d.pilot.Status()
		if first || ended || len(fresh) > 0 || !s.At.Equal(last) {
			seen, last = n, s.At
			status, err := d.told.of(&s, ended)
			points, err2 := json.Marshal(fresh)
			if err = errors.Join(err, err2); err != nil {
				d.log.Error().Err(err).Msg("dashboard: the status is not told")
				return
			}
			_ = out.SetWriteDeadline(time.Now().Add(streamWrite)) // where there is none, there is none
			if _, err := fmt.Fprintf(w, "event: news\ndata: {\"status\":%s,\"points\":%s}\n\n", status, points); err != nil {
				return
			}
			if err := out.Flush(); err != nil {
				return
			}
		}
		if ended {
			return
		}
		select {
		case <-tick.C:
		case <-r.Context().Done():
			return
		case <-d.pilot.Done():
			ended = true // what it ended with is told, then the stream ends
		}
	}
}
