package dashboard

import "golang.org/x/time/rate"

// Patterns are those of all routes, as the mux knows them.
func (d *Dashboard) Patterns() []string { return d.patterns }

// Unlimited takes the limit on changes away, which has a test of its own.
func (d *Dashboard) Unlimited() { d.changes.SetLimit(rate.Inf) }
