package controller

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// WishKind says what an operator wishes. Ask is for wishes without arguments.
type WishKind int

// The wishes with arguments.
const (
	// WishPin holds a knob, or all knobs of an optimization, at what the safe
	// setting has. A trial that moves one of them ends as Pinned; nothing that
	// belongs to it is proposed, audited or taken back until WishUnpin.
	WishPin WishKind = iota + 1
	// WishPinAt puts a value of one knob in force, within its bounds and the
	// owner's limits, and holds it there.
	WishPinAt
	// WishUnpin lets go of what WishPin or WishPinAt holds. What is in force stays.
	WishUnpin
	// WishRevert puts the knobs of one kept change back to what they were before
	// it, and keeps later changes. It is refused if a later one moved such a knob.
	WishRevert
	// WishRevertAll puts every knob that is not pinned back to the initial
	// setting, and goes on.
	WishRevertAll
	// WishApprove lets a proposal of advise mode be tried as an experiment, and
	// kept on evidence. It takes back a decline.
	WishApprove
	// WishDecline keeps a proposal from being tried until WishReopen or
	// WishApprove, and ends its trial. It takes back an approval.
	WishDecline
	// WishReopen takes back what was said to a proposal.
	WishReopen
	// WishPause withdraws a candidate and tries nothing until WishResume, after a
	// restart too.
	WishPause
	// WishResume takes back WishPause. It does not let go of what Ask holds.
	WishResume
)

var wishNames = [...]string{"", "pin", "pin-at", "unpin", "revert", "revert-all", "approve", "decline", "reopen", "pause", "resume"}

// String returns the wish's name.
func (k WishKind) String() string { return enumName(wishNames[:], int(k), "WishKind") }

// MarshalText writes the name.
func (k WishKind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText reads a name.
func (k *WishKind) UnmarshalText(text []byte) error {
	i, err := enumValue(wishNames[:], string(text), "wish")
	*k = WishKind(i)
	return err
}

// Operator is who wishes something, and why: the journal has it for ever.
type Operator struct {
	// Who: a name, 1 to 64 bytes.
	Who string `json:"who"`
	// Why: up to 256 bytes, may be empty.
	Why string `json:"why,omitempty"`
}

// String is "by ann (load test)".
func (o Operator) String() string {
	if o.Why == "" {
		return "by " + o.Who
	}
	return fmt.Sprintf("by %s (%s)", o.Who, o.Why)
}

const (
	mostWho  = 64
	mostWhy  = 256
	mostName = 128
)

// Check reports what is wrong with either text, or nil: too long, not UTF-8, or
// with a character that is not printable.
func (o Operator) Check() error {
	if o.Who == "" {
		return fmt.Errorf("who is empty: every wish needs a name for the journal")
	}
	if err := checkText("who", o.Who, mostWho); err != nil {
		return err
	}
	return checkText("why", o.Why, mostWhy)
}

func checkText(field, text string, most int) error {
	switch {
	case len(text) > most:
		return fmt.Errorf("%s of %d bytes: must be at most %d", field, len(text), most)
	case !utf8.ValidString(text):
		return fmt.Errorf("%s %q: must be UTF-8", field, text)
	case strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }):
		return fmt.Errorf("%s %q: must have no control characters", field, text)
	}
	return nil
}

// Wish is something that an operator wants changed. It is delivered with an
// Input, answered by a Record with a Wished, and comparable.
type Wish struct {
	Kind WishKind `json:"kind"`
	// Name of a knob, or of an optimization that is offered: of the pins.
	Name string `json:"name,omitempty"`
	// Value of WishPinAt, in the knob's unit.
	Value float64 `json:"value,omitempty"`
	// Trial that kept what WishRevert reverts.
	Trial int `json:"trial,omitempty"`
	// Proposal is the id of what is approved, declined or reopened.
	Proposal string   `json:"proposal,omitempty"`
	By       Operator `json:"by"`
}

// Check reports what can be wrong with a wish whatever it is told to, or nil.
func (w Wish) Check() error {
	if w.Kind < WishPin || w.Kind > WishResume {
		return fmt.Errorf("wish %d: must be one of %v", int(w.Kind), wishNames[1:])
	}
	if err := w.By.Check(); err != nil {
		return fmt.Errorf("%v: %w", w.Kind, err)
	}
	if err := checkText("name", w.Name, mostName); err != nil {
		return fmt.Errorf("%v: %w", w.Kind, err)
	}
	if err := checkText("proposal", w.Proposal, mostName); err != nil {
		return fmt.Errorf("%v: %w", w.Kind, err)
	}
	if !finite(w.Value) {
		return fmt.Errorf("%v: %s %v: must be a finite number", w.Kind, w.Name, w.Value)
	}
	return nil
}

// Wished is the answer to a wish. One that is granted and fails later, because the
// actuator refuses the value, is answered a second time.
type Wished struct {
	Wish
	// Refused says why nothing was done: field, value and rule. Empty: granted.
	Refused string `json:"refused,omitempty"`
	// Then says what is done.
	Then string `json:"then,omitempty"`
}

// String says it for people, in a line.
func (w *Wished) String() string {
	if w.Refused != "" {
		return fmt.Sprintf("refused, %s: %s", w.By, w.Refused)
	}
	return fmt.Sprintf("%v, %s: %s", w.Kind, w.By, w.Then)
}

// Wishes is what the operator said and still holds.
type Wishes struct {
	// Paused until WishResume; nil: it is not.
	Paused *Hold `json:"paused,omitempty"`
	// Pins by the name of the knob or the optimization.
	Pins map[string]Pin `json:"pins,omitempty"`
	// Proposals of advise mode, in the policy's order: those of now, and those
	// that the operator said something to.
	Proposals []Advice `json:"proposals,omitempty"`
}

// IsZero reports whether nothing is held and nothing is proposed.
func (w Wishes) IsZero() bool { return w.Paused == nil && len(w.Pins) == 0 && len(w.Proposals) == 0 }

// PinOf is the pin that holds a knob at a value, and whether there is one. Of more
// than one it is the latest.
func (w Wishes) PinOf(knob string, value float64) (Pin, bool) {
	var out Pin
	found := false
	for _, p := range w.Pins {
		if v, ok := p.Values[knob]; ok && v == value && (!found || p.At.After(out.At)) {
			out, found = p, true
		}
	}
	return out, found
}

func (w Wishes) clone() Wishes {
	out := Wishes{Paused: w.Paused, Proposals: slices.Clone(w.Proposals)}
	if len(w.Pins) > 0 {
		out.Pins = make(map[string]Pin, len(w.Pins))
		for name, p := range w.Pins {
			out.Pins[name] = p.with(nil)
		}
	}
	return out
}

// grant answers a wish and does what it says. It reports whether that decided
// this step.
func (c *Controller) grant(w Wish) bool {
	then, do, err := c.consider(w)
	if err != nil {
		if w.Check() != nil { // what is not fit for a journal is not put there
			w = Wish{Kind: w.Kind}
		}
		c.record(Record{Kind: RecordWish, Wish: &Wished{Wish: w, Refused: err.Error()}})
		return false
	}
	c.record(Record{Kind: RecordWish, Wish: &Wished{Wish: w, Then: then}})
	decided := do()
	c.durable = true // what was granted holds after a crash
	c.recordState()
	return decided
}

// consider says what will be done about a wish, and how, or why not.
func (c *Controller) consider(w Wish) (then string, do func() bool, err error) {
	if err := w.Check(); err != nil {
		return "", nil, err
	}
	switch {
	case c.phase == Starting:
		return "", nil, fmt.Errorf("%v: the setting in force was not read yet", w.Kind)
	case c.stopping, c.phase == Ended:
		return "", nil, fmt.Errorf("%v: the autopilot is ending", w.Kind)
	}
	switch w.Kind {
	case WishPin:
		return c.considerPin(w)
	case WishPinAt:
		return c.considerPinAt(w)
	case WishUnpin:
		return c.considerUnpin(w)
	case WishRevert:
		return c.considerRevert(w)
	case WishRevertAll:
		return c.considerRevertAll(w)
	case WishPause:
		return c.considerPause(w)
	case WishResume:
		return c.considerResume(w)
	default:
		return c.considerProposal(w)
	}
}

// lookAgain lets a quiet controller propose at once.
func (c *Controller) lookAgain() bool {
	if c.phase != Idle || c.control != "" {
		return false
	}
	c.resume()
	return true
}

// until a candidate that the operator undid is left alone: nobody wants to see it
// back at once. To keep it away for good, it is pinned.
func (c *Controller) untilForgotten() time.Time {
	return c.now.Add(coolDown[len(coolDown)-1] * patience * c.layoutOf(nil).pair())
}
