package diagnose

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"autotune/catalog"
	"autotune/controller"
	"autotune/executor"
)

// Exported is the setting that a journal kept last, with where each value comes
// from: the guide's "document configuration decisions".
type Exported struct {
	Source string `json:"source"`
	// At is when the journal ended.
	At time.Time `json:"at,omitzero"`
	// Config is what the values come to: what executor.Load makes of the file.
	Config executor.Config `json:"-"`
	// Values of the executor's fields, in the guide's order, then of the service's
	// own knobs, by name.
	Values []Value `json:"-"`
}

// Value is one field of the kept setting.
type Value struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
	// Text is the value as a configuration file has it.
	Text json.RawMessage `json:"text"`
	// Origin says where the value comes from.
	Origin Origin `json:"origin"`
	// Own knobs of the service are told, but no configuration of the executor sets
	// them.
	Own bool `json:"own_knob,omitempty"`
	// Before is what the operator configured, where a trial moved it.
	Before *float64 `json:"before,omitempty"`
	// Reason in a sentence, with the interval where there is one.
	Reason string `json:"reason"`
	// Trial that the value or the reason comes from, 0: none.
	Trial int `json:"trial,omitempty"`
	// Effects of that trial, on each goal, with intervals.
	Effects []controller.Effect `json:"effects,omitempty"`
	Pairs   int                 `json:"pairs,omitempty"`
	// Audits that the keep has passed.
	Audits int `json:"audits,omitempty"`
}

// Origin says where a value comes from. The set is closed.
type Origin string

// The origins.
const (
	Kept      Origin = "kept"      // a trial showed it better, or not worse and another goal better
	Rejected  Origin = "rejected"  // the service's own: something else was tried, and not kept
	Untried   Origin = "untried"   // the service's own: nothing else was tried
	Pinned    Origin = "pinned"    // an operator's word holds it
	Inherited Origin = "inherited" // moved from what the operator configured, by a trial older than the journal or by hand
)

// Export reads a journal and returns the setting that it kept last.
func Export(path string) (*Exported, error) {
	f, err := readFacts(path)
	if err != nil {
		return nil, err
	}
	x, err := f.exported()
	if err != nil {
		return nil, fmt.Errorf("journal %s: %w", path, err)
	}
	return x, nil
}

func (f *facts) exported() (*Exported, error) {
	out := &Exported{Source: f.source, At: f.to}
	setting := f.safe
	if setting.IsZero() {
		return nil, errors.New("state: is missing: no setting was read back before it ended")
	}
	for _, field := range catalog.Fields() {
		if v, ok := setting.Get(field.Name); ok {
			out.Values = append(out.Values, f.valueOf(field.Name, v))
		}
	}
	for name, v := range setting.All() {
		if _, ok := catalog.FieldOf(name); !ok {
			x := f.valueOf(name, v)
			x.Own = true
			out.Values = append(out.Values, x)
		}
	}
	return out, out.load()
}

// valueOf a knob, with where it comes from.
func (f *facts) valueOf(name string, v float64) Value {
	x := Value{Name: name, Value: v, Text: f.written(name, v), Origin: Untried, Reason: "the service's own; nothing else was tried"}
	kept, rejected := f.trialsOf(name, v)
	was, known := f.initial.Get(name)
	moved := known && was != v
	pin, pinned := f.pinOf(name, v)
	switch {
	case pinned && (kept == nil || pin.At.After(kept.Ended)):
		x.Origin, x.Reason = Pinned, fmt.Sprintf("pinned %s on %s", pin.By, when(pin.At))
		if moved {
			x.Before = &was
			x.Reason += "; configured: " + string(f.written(name, was))
		}
	case kept != nil && (moved || !known):
		x.Origin = Kept
		x.from(kept)
		x.Reason = f.whyKept(kept)
		if known {
			x.Before = &was
		}
		for _, k := range f.keeps() {
			if _, its := k.Is[name]; its && k.Trial == kept.ID && k.Audits > 0 {
				x.Audits = k.Audits
				x.Reason += fmt.Sprintf("; %s since, evidence for going back %.2g of 100", count(k.Audits, "audit"), k.Evidence)
			}
		}
	case moved:
		x.Origin, x.Before = Inherited, &was
		x.Reason = "not what was configured (" + f.setTo(name, was) + "); the trial that moved it is older than the journal"
		for _, k := range f.keeps() {
			if _, its := k.Is[name]; its {
				x.Trial = k.Trial
				x.Reason = fmt.Sprintf("kept by trial %d on %s, which is older than the journal", k.Trial, when(k.Since))
			}
		}
	case rejected != nil:
		x.Origin = Rejected
		x.from(rejected)
		x.Reason = "the service's own; " + f.whyRejected(rejected, name)
	case f.dormant(name):
		x.Reason = "the service's own; not tried, and moves nothing: its switch is off"
	}
	return x
}

func (x *Value) from(t *controller.Trial) { x.Trial, x.Effects, x.Pairs = t.ID, t.Effects, t.Pairs }

// pinOf is the pin that holds a knob at a value.
func (f *facts) pinOf(name string, v float64) (controller.Pin, bool) {
	if f.state == nil {
		return controller.Pin{}, false
	}
	return f.state.Wishes.PinOf(name, v)
}

func (f *facts) keeps() []controller.Keep {
	if f.state == nil {
		return nil
	}
	return f.state.Keeps
}

// trialsOf a knob: the latest that kept this value of it, and the latest that
// tried another one and did not keep it.
func (f *facts) trialsOf(name string, v float64) (kept, rejected *controller.Trial) {
	for i := range f.trials {
		t := &f.trials[i]
		switch to, moved := t.Change[name]; {
		case !moved:
		case t.Outcome == controller.Kept && to == v:
			kept = t
		case t.Outcome != controller.Kept && to != v:
			rejected = t
		}
	}
	return kept, rejected
}

// dormant: the knob matters only while a switch is on that is off.
func (f *facts) dormant(name string) bool {
	k, ok := f.knob(name)
	return ok && k.Needs != "" && !f.on(k.Needs)
}

// whyKept has the goal that a keep rests on first, then those shown otherwise.
func (f *facts) whyKept(t *controller.Trial) string {
	text := fmt.Sprintf("kept by trial %d, %s %s, on %s", t.ID, t.Optimization, t.Move, when(t.Ended))
	if t.Audit != 0 {
		text = fmt.Sprintf("put back on %s by audit %d: what trial %d kept turned out worse", when(t.Ended), t.ID, t.Audit)
	}
	if e := f.effectsOf(t); e != "" {
		text += ": " + e
	}
	if t.Why != "" {
		text += "; tried because: " + sentence(t.Why)
	}
	return text
}

func (f *facts) whyRejected(t *controller.Trial, name string) string {
	text := fmt.Sprintf("trial %d tried %s %s and ended %v, %v", t.ID, name, f.setTo(name, t.Change[name]), t.Outcome, t.Reason)
	if e := f.effectsOf(t); e != "" {
		return text + ": " + e
	}
	return text + ": " + sentence(t.Detail)
}

// effectsOf a trial, each goal with its interval.
func (f *facts) effectsOf(t *controller.Trial) string {
	if t.Pairs == 0 {
		return ""
	}
	var parts []string
	for _, e := range t.Effects {
		parts = append(parts, fmt.Sprintf("%s %s (%s to %s)", named(e.Metric), change(e.Change), change(e.Low), change(e.High)))
	}
	if len(parts) == 0 {
		return ""
	}
	return strings.Join(parts, ", ") + " in " + count(t.Pairs, "pair")
}

// written is a value as a configuration file has it.
func (f *facts) written(name string, v float64) json.RawMessage {
	if k, ok := f.knob(name); ok && k.Kind == controller.Switch {
		return json.RawMessage(strconv.FormatBool(v != 0))
	}
	return json.RawMessage(strconv.FormatFloat(v, 'f', -1, 64))
}

// Moved drops the values that are as the service had them: what is left is what
// trials kept, what is pinned, and what else was moved.
func (x *Exported) Moved() (*Exported, error) {
	out := *x
	out.Values = slices.DeleteFunc(slices.Clone(x.Values), func(v Value) bool { return !v.moved() })
	return &out, out.load()
}

// moved: it is not simply the service's own.
func (x *Value) moved() bool { return x.Origin != Untried && x.Origin != Rejected }

// load makes Config of the values.
func (x *Exported) load() error {
	var text bytes.Buffer
	if err := x.WriteYAML(&text); err != nil {
		return err
	}
	var err error
	if x.Config, err = executor.Load(&text); err != nil {
		return fmt.Errorf("the kept setting is no configuration of this version: %w", err)
	}
	return nil
}

// WriteYAML writes the values as a configuration file that executor.Load reads:
// above each its reason, wrapped, as comments. What was moved comes first. Knobs of
// the service itself, which no configuration of the executor sets, are comments only.
func (x *Exported) WriteYAML(w io.Writer) error {
	var t strings.Builder
	fmt.Fprintf(&t, "# The setting that journal %s kept", sentence(x.Source))
	if !x.At.IsZero() {
		fmt.Fprintf(&t, ", as of %s", when(x.At))
	}
	t.WriteString(".\n# An effect is the relative change of the metric itself, the median over pairs, with a 95 % interval\n" +
		"# that holds at any stopping time. Whether the autopilot may change things is not in a journal:\n" +
		"# enable_automatic_optimization is left to you.\n")
	for _, moved := range []bool{true, false} {
		for _, own := range []bool{false, true} {
			x.section(&t, moved, own)
		}
	}
	_, err := io.WriteString(w, t.String())
	return err
}

// section writes the values that were moved, or were not, of the executor or of
// the service itself.
func (x *Exported) section(t *strings.Builder, moved, own bool) {
	begun := false
	for i := range x.Values {
		v := &x.Values[i]
		if v.moved() != moved || v.Own != own {
			continue
		}
		if !begun {
			begun = true
			title := "As it was"
			if moved {
				title = "Kept, or moved by hand"
			}
			if own {
				title += "; knobs of the service itself, which this file does not set"
			}
			t.WriteString("\n# --- " + title + " ---\n")
		}
		t.WriteByte('\n')
		fill(t, "# ", "# ", v.Reason)
		line := v.Name + ": " + string(v.Text)
		if own {
			line = "# " + printable(line) // its name is its owner's
		}
		t.WriteString(line + "\n")
	}
}

// WriteJSON writes one object a line: each value, then the whole, with the
// configuration.
func (x *Exported) WriteJSON(w io.Writer) error {
	lines := json.NewEncoder(w)
	for _, v := range x.Values {
		if err := lines.Encode(struct {
			Type string `json:"type"`
			Value
		}{"value", v}); err != nil {
			return err
		}
	}
	own := map[string]float64{}
	for _, v := range x.Values {
		if v.Own {
			own[v.Name] = v.Value
		}
	}
	return lines.Encode(struct {
		Type string `json:"type"`
		*Exported
		Config executor.Config    `json:"config"`
		Own    map[string]float64 `json:"own_knobs,omitempty"`
		Kept   []string           `json:"kept"`
	}{"export", x, x.Config, own, x.kept()})
}

// kept are the names of the values that trials kept, ascending.
func (x *Exported) kept() []string {
	names := map[string]bool{}
	for _, v := range x.Values {
		if v.Origin == Kept {
			names[v.Name] = true
		}
	}
	return append([]string{}, slices.Sorted(maps.Keys(names))...)
}
