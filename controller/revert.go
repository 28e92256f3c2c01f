package controller

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

func (c *Controller) considerRevert(w Wish) (string, func() bool, error) {
	i, back, err := c.beforeKeep(w.Trial)
	if err != nil {
		return "", nil, fmt.Errorf("revert %w", err)
	}
	k := c.state.Keeps[i]
	return fmt.Sprintf("%s %s, kept by trial %d, is reverted: %s", k.Optimization, k.Move, k.Trial, textOf(back)), func() bool {
		c.cool(k.Key, c.untilForgotten(), true)
		return c.goBack(back, fmt.Sprintf("trial %d reverted %s", k.Trial, w.By), func(o *Keep) bool { return o.Trial == k.Trial })
	}, nil
}

// beforeKeep has the values from before the keep of a trial, and which keep it
// is, or why it cannot be reverted.
func (c *Controller) beforeKeep(trial int) (int, map[string]float64, error) {
	keeps := c.state.Keeps
	i := slices.IndexFunc(keeps, func(k Keep) bool { return k.Trial == trial })
	if i < 0 {
		if len(keeps) == 0 {
			return 0, nil, fmt.Errorf("trial %d: must be a kept change that is in force: there is none", trial)
		}
		names := make([]string, len(keeps))
		for i, k := range keeps {
			names[i] = fmt.Sprintf("%d (%s %s)", k.Trial, k.Optimization, k.Move)
		}
		return 0, nil, fmt.Errorf("trial %d: must be a kept change that is in force: %s", trial, strings.Join(names, ", "))
	}
	k := &keeps[i]
	back := maps.Clone(k.Was)
	// A knob that moved again left its keep: what it was before is with the trial.
	if at := slices.IndexFunc(c.state.Trials, func(t Trial) bool { return t.ID == trial && t.Audit == 0 }); at >= 0 {
		for name := range k.Is {
			if v, ok := c.state.Trials[at].From.Get(name); ok {
				back[name] = v
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(k.Is)) {
		if c.pinned(name) {
			delete(back, name) // by the configuration: not ours to move
			continue
		}
		if why := c.pinnedBy(name); why != "" {
			return 0, nil, fmt.Errorf("trial %d: %s is %s: it must be unpinned before", trial, name, why)
		}
		for _, later := range keeps {
			if _, moved := later.Was[name]; moved && later.Trial != trial {
				return 0, nil, fmt.Errorf("trial %d: %s was moved again by trial %d: that must be reverted before", trial, name, later.Trial)
			}
		}
		if now, _ := c.state.Safe.Get(name); now != k.Is[name] {
			return 0, nil, fmt.Errorf("trial %d: %s was changed since, from %v to %v: must be as the trial left it", trial, name, k.Is[name], now)
		}
		if err := c.mayReturn(name, back); err != nil {
			return 0, nil, fmt.Errorf("trial %d: %w", trial, err)
		}
	}
	return i, back, nil
}

// mayReturn reports why a knob may not have the value back that it had: limits are
// closer now. The initial value is the owner's own, and always may.
func (c *Controller) mayReturn(name string, back map[string]float64) error {
	v, known := back[name]
	if initial, _ := c.state.Initial.Get(name); !known || v == initial {
		return nil
	}
	knob, _ := c.cfg.Space.Knob(name)
	if !knob.mayBe(v) {
		low, high := knob.Bounds()
		return errors.Join(knob.CheckValue(v), fmt.Errorf("%s %v, as it was: must be within the owner's limits %v..%v", name, v, low, high))
	}
	return nil
}

func (c *Controller) considerRevertAll(w Wish) (string, func() bool, error) {
	back := c.state.Safe.Diff(c.state.Initial)
	var stay []string
	for name := range back {
		if c.pinnedBy(name) != "" {
			stay = append(stay, name)
			delete(back, name)
		}
	}
	then := "everything is as it was at the start"
	if len(back) > 0 {
		then = "back to the initial setting: " + textOf(back)
	}
	if len(stay) > 0 {
		slices.Sort(stay)
		then += "; pinned, and stays: " + strings.Join(stay, ", ")
	}
	return then, func() bool {
		if len(back) == 0 {
			return false
		}
		until := c.untilForgotten()
		undone := func(k *Keep) bool {
			for name := range k.Was {
				if _, ok := back[name]; ok {
					return true
				}
			}
			return false
		}
		for i := range c.state.Keeps {
			if k := &c.state.Keeps[i]; undone(k) {
				c.cool(k.Key, until, true)
			}
		}
		return c.goBack(back, "everything reverted "+w.By.String(), undone)
	}, nil
}

// goBack puts earlier values in force, which whatever was kept instead gives up.
func (c *Controller) goBack(back map[string]float64, why string, undone func(*Keep) bool) bool {
	c.endTrial(Inconclusive, Stopped, why)
	c.state.Safe = c.state.Safe.With(back)
	c.state.Keeps = slices.DeleteFunc(c.state.Keeps, func(k Keep) bool {
		if !undone(&k) {
			return false
		}
		c.giveBack(&k)
		return true
	})
	c.pruneKeeps()
	c.respect(back)
	c.control = ""
	c.recent[0].reset()
	c.watch.expectAnew()
	c.listed = false
	c.beginRestore(why)
	return true
}
