package controller

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Pin holds knobs at the operator's word. While it does, no command moves them
// but the one that ends the autopilot with the initial setting.
//
// A pin is more than Config.Pinned: that leaves a knob to whoever sets it, before
// the next start too; a pin holds a value, and a restart puts it back. Later words
// win over earlier ones: what somebody sets from outside becomes the pinned value,
// and so does a configured value that was changed since the last start.
type Pin struct {
	// Values of the knobs that are held.
	Values map[string]float64 `json:"values"`
	By     Operator           `json:"by"`
	At     time.Time          `json:"at"`
}

// with returns a copy of the pin that holds other values of its knobs.
func (p Pin) with(values map[string]float64) Pin {
	p.Values = maps.Clone(p.Values)
	for name, v := range values {
		if _, ok := p.Values[name]; ok {
			p.Values[name] = v
		}
	}
	return p
}

func (p Pin) why() string { return "pinned " + p.By.String() }

// unread is a value that the operator set and that was not read back yet.
type unread struct {
	wish  Wish
	was   float64
	prior Pin  // of the same name, before
	had   bool // there was one
	again bool // of an earlier run: it was in force once, and is asked for until it is
}

// pinnedBy says who holds a knob by a pin, or "".
func (c *Controller) pinnedBy(knob string) string {
	for _, name := range slices.Sorted(maps.Keys(c.state.Wishes.Pins)) {
		p := c.state.Wishes.Pins[name]
		if _, ok := p.Values[knob]; ok {
			return p.why()
		}
	}
	return ""
}

// anyPinned says who holds any of these knobs by a pin, or "".
func (c *Controller) anyPinned(knobs map[string]float64) string {
	if len(c.state.Wishes.Pins) == 0 {
		return ""
	}
	for _, name := range slices.Sorted(maps.Keys(knobs)) {
		if why := c.pinnedBy(name); why != "" {
			return why
		}
	}
	return ""
}

// heldFrom says who keeps an optimization from being tried by a pin, or "": one
// of its knobs is held, so it cannot be judged as a whole.
func (c *Controller) heldFrom(o Optimization) string {
	return c.anyPinned(c.knobsOf(o))
}

// knobsOf has the knobs of an optimization with their safe values.
func (c *Controller) knobsOf(o Optimization) map[string]float64 {
	out := map[string]float64{}
	for _, name := range o.all() {
		if v, ok := c.state.Safe.Get(name); ok {
			out[name] = v
		}
	}
	return out
}

// named has the knobs that a name stands for, with their safe values: of the
// optimization where there is one of that name.
func (c *Controller) named(name string) (map[string]float64, error) {
	var known []string
	for _, o := range c.cfg.Offered {
		if o.Name == name {
			return c.knobsOf(o), nil
		}
		known = append(known, o.Name)
	}
	if v, ok := c.state.Safe.Get(name); ok {
		return map[string]float64{name: v}, nil
	}
	for _, k := range c.cfg.Space.Knobs {
		known = append(known, k.Name)
	}
	return nil, fmt.Errorf("%q: must name a knob or an optimization that is offered%s", name, didYouMean(known, name))
}

func textOf(values map[string]float64) string { return SettingOf(values).String() }

func (c *Controller) considerPin(w Wish) (string, func() bool, error) {
	values, err := c.named(w.Name)
	if err != nil {
		return "", nil, fmt.Errorf("pin %w", err)
	}
	return "held at " + textOf(values), func() bool {
		p := Pin{Values: values, By: w.By, At: c.now}
		c.setPin(w.Name, p)
		return c.endMoving(values, p.why())
	}, nil
}

func (c *Controller) setPin(name string, p Pin) {
	if c.state.Wishes.Pins == nil {
		c.state.Wishes.Pins = map[string]Pin{}
	}
	c.state.Wishes.Pins[name] = p
}

// endMoving ends the trial if it moves one of these knobs, and withdraws it.
func (c *Controller) endMoving(knobs map[string]float64, why string) bool {
	if c.trial == nil {
		return false
	}
	for name := range c.trial.trial.Change {
		if _, ok := knobs[name]; ok {
			c.endTrial(Inconclusive, Pinned, why)
			c.beginRestore(why)
			return true
		}
	}
	return false
}

func (c *Controller) considerPinAt(w Wish) (string, func() bool, error) {
	was, ok := c.state.Safe.Get(w.Name)
	if !ok {
		names := make([]string, len(c.cfg.Space.Knobs))
		for i, k := range c.cfg.Space.Knobs {
			names[i] = k.Name
		}
		return "", nil, fmt.Errorf("pin-at %q: must name a knob%s", w.Name, didYouMean(names, w.Name))
	}
	knob, _ := c.cfg.Space.Knob(w.Name)
	if err := knob.CheckValue(w.Value); err != nil {
		return "", nil, fmt.Errorf("pin-at %w", err)
	}
	if low, high := knob.Bounds(); w.Value < low || w.Value > high {
		return "", nil, fmt.Errorf("pin-at %s %v: must be within the owner's limits %v..%v", w.Name, w.Value, low, high)
	}
	return fmt.Sprintf("held at %s=%v, was %v", w.Name, w.Value, was), func() bool {
		prior, had := c.state.Wishes.Pins[w.Name]
		values := map[string]float64{w.Name: w.Value}
		p := Pin{Values: values, By: w.By, At: c.now}
		c.setPin(w.Name, p)
		if w.Value == was {
			return c.endMoving(values, p.why())
		}
		a, pending := c.unread[w.Name] // then what was asked before never was in force
		if !pending {
			a = unread{was: was, prior: prior, had: had}
		}
		a.wish = w
		c.awaitReadBack(a)
		c.become(values, Pinned, fmt.Sprintf("%s: %s=%v", p.why(), w.Name, w.Value))
		return true
	}, nil
}

func (c *Controller) awaitReadBack(a unread) {
	if c.unread == nil {
		c.unread = map[string]unread{}
	}
	c.unread[a.wish.Name] = a
}

// become makes the operator's values part of the safe setting, whatever was shown
// about others: the noise is measured anew.
func (c *Controller) become(values map[string]float64, reason Reason, why string) {
	c.endTrial(Inconclusive, reason, why)
	c.state.Safe = c.state.Safe.With(values)
	c.repin(values)
	c.disown(values)
	c.heedInPast(values)
	c.measured.done = false
	c.control = ""
	c.watch.expectAnew()
	c.listed = false
	c.beginRestore(why)
}

// repin makes values that are in force by a later word those that pins hold.
func (c *Controller) repin(values map[string]float64) {
	for name, p := range c.state.Wishes.Pins {
		c.state.Wishes.Pins[name] = p.with(values)
	}
}

// readSet looks whether what the operator set is in force. What reads back first
// is: a runtime may round. What could not be set, or did nothing, is refused after
// all, and what was before comes back: then it reports true.
func (c *Controller) readSet(in *Input) bool {
	if in.RecordErr != "" || in.ReadErr != "" || in.Current.IsZero() {
		return false
	}
	failed := false
	for _, name := range slices.Sorted(maps.Keys(c.unread)) {
		a := c.unread[name]
		want, _ := c.state.Safe.Get(name)
		pin, held := c.state.Wishes.Pins[name]
		now, _ := in.Current.Get(name)
		if !held || pin.Values[name] != want || now == want {
			delete(c.unread, name) // another wish came in between, or it is in force
			continue
		}
		knob, _ := c.cfg.Space.Knob(name)
		low, high := knob.Bounds()
		why := ""
		switch {
		case a.again && (in.ApplyErr != "" || now == a.was):
			continue // what was acknowledged is not given up for an actuator that fails
		case in.ApplyErr != "":
			why = in.ApplyErr
		case now == a.was:
			why = fmt.Sprintf("%s reads back as %v still: the actuator did nothing", name, now)
		case now < low || now > high:
			why = fmt.Sprintf("%s reads back as %v, outside the limits %v..%v", name, now, low, high)
		default:
			delete(c.unread, name)
			c.note("%s=%v was asked for and reads back as %v, which is what is pinned", name, want, now)
			c.state.Safe = c.state.Safe.With(map[string]float64{name: now})
			c.repin(map[string]float64{name: now})
			c.want = c.state.Safe
			c.recordState()
			continue
		}
		delete(c.unread, name)
		c.record(Record{Kind: RecordWish, Wish: &Wished{Wish: a.wish, Refused: fmt.Sprintf("%v %s %v: %s", a.wish.Kind, name, a.wish.Value, why)}})
		delete(c.state.Wishes.Pins, name)
		back := map[string]float64{name: a.was}
		if a.had {
			c.setPin(name, a.prior)
		}
		c.become(back, Pinned, fmt.Sprintf("%s could not be set: %v again", name, a.was))
		c.recordState()
		failed = true
	}
	return failed
}

func (c *Controller) considerUnpin(w Wish) (string, func() bool, error) {
	pins := slices.Sorted(maps.Keys(c.state.Wishes.Pins))
	p, ok := c.state.Wishes.Pins[w.Name]
	switch {
	case ok:
	case slices.Contains(c.cfg.Pinned, w.Name):
		return "", nil, fmt.Errorf("unpin %q: pinned by the configuration: must be changed there", w.Name)
	case len(pins) == 0:
		return "", nil, fmt.Errorf("unpin %q: must be pinned: nothing is", w.Name)
	default:
		return "", nil, fmt.Errorf("unpin %q: must be pinned: what is, is %s%s", w.Name, strings.Join(pins, ", "), didYouMean(pins, w.Name))
	}
	return "let go, at " + textOf(p.Values), func() bool {
		delete(c.state.Wishes.Pins, w.Name)
		clear(c.refused) // what was refused while it was pinned
		c.listed = false
		return c.lookAgain()
	}, nil
}

// takeUpPins goes on with the pins of an earlier run. A configured value that was
// changed since is the later word.
func (c *Controller) takeUpPins(old *State, configured Setting) {
	for _, name := range slices.Sorted(maps.Keys(c.state.Wishes.Pins)) {
		p := c.state.Wishes.Pins[name]
		for _, knob := range slices.Sorted(maps.Keys(p.Values)) {
			v := p.Values[knob]
			now, here := configured.Get(knob)
			was, known := old.Initial.Get(knob)
			k, _ := c.cfg.Space.Knob(knob)
			switch {
			case !here:
				delete(p.Values, knob)
			case known && was != now && now != v:
				c.note("%s %v, %s: its configured value changed since, from %v to %v: that is held now", knob, v, p.why(), was, now)
				p.Values[knob] = now
			case v != now && !k.mayBe(v):
				low, high := k.Bounds()
				c.note("%s %v, %s: outside the limits in force now, %v..%v: the configured value %v is held", knob, v, p.why(), low, high, now)
				p.Values[knob] = now
			case v != now && knob == name && len(p.Values) == 1:
				c.awaitReadBack(unread{wish: Wish{Kind: WishPinAt, Name: name, Value: v, By: p.By}, was: now, again: true})
			}
		}
		if len(p.Values) == 0 {
			c.note("%s, %s: there is no such knob any more: let go", name, p.why())
			delete(c.state.Wishes.Pins, name)
			continue
		}
		c.state.Safe = c.state.Safe.With(p.Values)
	}
}
