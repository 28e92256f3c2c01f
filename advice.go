package autotune

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"autotune/controller"
	"autotune/journal"
)

// Review is what a journal holds for a person to decide on: the proposals of
// advise mode as they stand at its end.
type Review struct {
	// Advise: the last session was in advise mode, so that an approval is acted on.
	Advise bool `json:"advise"`
	// Kept counts the trials that were kept.
	Kept int `json:"kept"`
	// Safe is the setting in force, by the journal; each proposal's exact setting is
	// this with its change.
	Safe      controller.Setting `json:"safe"`
	Proposals []Reviewed         `json:"proposals"`

	source string
}

// Reviewed is one proposal with its exact setting.
type Reviewed struct {
	controller.Advice
	Setting controller.Setting `json:"setting"`
	// MayDiffer is what the optimization may change in results; empty: nothing.
	MayDiffer string `json:"may_differ,omitempty"`
}

// ReadReview reads a journal, a folder or one segment. One without a proposal is
// no error.
func ReadReview(path string) (*Review, error) {
	var session *controller.Session
	var state *controller.State
	kept := 0
	var said []controller.Trial // of this session: journals from before proposals had ids
	for e, err := range journal.Read(path) {
		if err != nil {
			return nil, err
		}
		switch r := e.Record; {
		case r.Session != nil && r.Kind == controller.RecordSession:
			session = r.Session
			if !e.Repeat {
				said = nil
			}
		case r.State != nil && r.Kind == controller.RecordState:
			state = r.State
		case r.Trial != nil && r.Kind == controller.RecordVerdict && !e.Repeat:
			if r.Trial.Audit == 0 && r.Trial.Outcome == controller.Kept {
				kept++
			}
		case r.Trial != nil && r.Kind == controller.RecordAdvice:
			said = append(said, *r.Trial)
		}
	}
	if session == nil || state == nil {
		return nil, fmt.Errorf("journal %s: must hold at least the start of a session and a state", path)
	}
	out := &Review{Advise: session.Advise, Kept: kept, Safe: state.Safe, Proposals: []Reviewed{}, source: path}
	proposals := state.Wishes.Proposals
	if len(proposals) == 0 {
		for _, t := range said {
			if t.Proposal == "" {
				p := controller.Proposal{Optimization: t.Optimization, Move: t.Move, Change: t.Change}
				proposals = append(proposals, controller.Advice{ID: p.ID(), Optimization: t.Optimization, Move: t.Move, Why: t.Why, Change: t.Change})
			}
		}
	}
	for _, a := range proposals {
		r := Reviewed{Advice: a, Setting: state.Safe.With(a.Change)}
		for _, o := range session.Offered {
			if o.Name == a.Optimization {
				r.MayDiffer = o.MayDiffer
			}
		}
		out.Proposals = append(out.Proposals, r)
	}
	return out, nil
}

// WriteJSON writes one object a proposal, one a line.
func (r *Review) WriteJSON(w io.Writer) error {
	enc := json.NewEncoder(w)
	for _, p := range r.Proposals {
		if err := enc.Encode(struct {
			Type string `json:"type"`
			Reviewed
		}{"proposal", p}); err != nil {
			return err
		}
	}
	return enc.Encode(struct {
		Type      string             `json:"type"`
		Advise    bool               `json:"advise"`
		Proposals int                `json:"proposals"`
		Kept      int                `json:"kept"`
		Safe      controller.Setting `json:"safe"`
	}{"review", r.Advise, len(r.Proposals), r.Kept, r.Safe})
}

const howToApprove = `Approved means: tried as a randomized experiment with all guards, kept if it is shown
better, audited afterwards. Nothing else is changed. In the service:

    pilot.Approve(ctx, "%[1]s", controller.Operator{Who: "you", Why: "reviewed"})
    pilot.Decline(ctx, "%[1]s", controller.Operator{Who: "you", Why: "..."})
`

// WriteMarkdown writes the proposals as a page to review.
func (r *Review) WriteMarkdown(w io.Writer) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "# Proposals to review: %d\n\n", len(r.Proposals))
	switch {
	case len(r.Proposals) == 0 && !r.Advise:
		fmt.Fprintf(&b, "This journal is not of advice mode: what is worth trying is tried. Changes that were kept: %d.\nSee them with: autotune report %s\n", r.Kept, r.source)
	case len(r.Proposals) == 0:
		b.WriteString("Nothing is proposed: the autopilot sees nothing worth trying, or has not measured yet.\n")
	case !r.Advise:
		b.WriteString("The last session was not in advise mode: what is open here is not waited for.\n")
	default:
		fmt.Fprintf(&b, howToApprove, r.Proposals[0].ID)
	}
	for i := range r.Proposals {
		r.Proposals[i].write(&b, r.Safe)
	}
	_, err := w.Write(b.Bytes())
	return err
}

func (p *Reviewed) write(b *bytes.Buffer, safe controller.Setting) {
	fmt.Fprintf(b, "\n## %s %s\n\n", inMarkdown(p.Optimization), inMarkdown(p.Move))
	fmt.Fprintf(b, "- id: `%s`\n- why: %s\n", p.ID, inMarkdown(p.Why))
	if !p.At.IsZero() {
		fmt.Fprintf(b, "- proposed: %s\n", p.At.UTC().Format("2006-01-02 15:04:05 MST"))
	}
	said := "open"
	switch p.Said {
	case controller.WishApprove:
		said = "approved " + p.By.String() + ", " + p.SaidAt.UTC().Format("2006-01-02 15:04:05 MST")
		if p.Waits != "" {
			said += "; waits: " + p.Waits
		}
	case controller.WishDecline:
		said = "declined " + p.By.String() + ", " + p.SaidAt.UTC().Format("2006-01-02 15:04:05 MST")
	}
	fmt.Fprintf(b, "- state: %s\n", inMarkdown(said))
	if p.MayDiffer != "" {
		fmt.Fprintf(b, "- may change results: %s\n", inMarkdown(p.MayDiffer))
	} else {
		b.WriteString("- results stay the same\n")
	}
	if p.Basis != nil && p.Basis.Share > 0 {
		fmt.Fprintf(b, "- evidence: it acts on %.0f %% of what the service spends\n", 100*p.Basis.Share)
	}
	if p.Basis != nil && p.Basis.Workload != "" {
		fmt.Fprintf(b, "- workload: taken for %s\n", inMarkdown(p.Basis.Workload))
	}
	for _, m := range slices.Sorted(maps.Keys(p.Seen)) {
		fmt.Fprintf(b, "- measured: %s %.4g\n", inMarkdown(string(m)), p.Seen[m])
	}
	b.WriteString("\n| knob | now | proposed |\n|---|---|---|\n")
	for _, name := range slices.Sorted(maps.Keys(p.Change)) {
		now, _ := safe.Get(name)
		fmt.Fprintf(b, "| %s | %v | %v |\n", inMarkdown(name), now, p.Change[name])
	}
	fmt.Fprintf(b, "\nExact setting: `%s`\n", strings.ReplaceAll(p.Setting.String(), "`", "'"))
}

// inMarkdown keeps a text from being more than text: names come from whoever
// wrote the knobs.
func inMarkdown(s string) string {
	return strings.NewReplacer("\\", "\\\\", "|", "\\|", "`", "\\`", "*", "\\*", "<", "&lt;", "[", "\\[", "#", "\\#", "\n", " ", "\r", " ").Replace(s)
}
