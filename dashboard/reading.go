package dashboard

import (
	"encoding/json"
	"fmt"
	"iter"
	"net/http"
	"slices"
	"strconv"
	"time"

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

// news is one event of the stream.
type news struct {
	Status any `json:"status"`
	Points any `json:"points"`
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
	seen, revision := 0, ""
	tick := time.NewTicker(streamEvery)
	defer tick.Stop()
	for ended := false; ; {
		points, n := d.pilot.Points(seen)
		seen = n
		s := d.pilot.Status()
		text, err := json.Marshal(news{s, points})
		if err != nil {
			d.log.Error().Err(err).Msg("dashboard: the status is not told")
			return
		}
		if now := fmt.Sprint(s.At, len(points)); now != revision || ended {
			revision = now
			_ = out.SetWriteDeadline(time.Now().Add(streamWrite)) // where there is none, there is none
			if _, err := fmt.Fprintf(w, "event: news\ndata: %s\n\n", text); err != nil {
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
