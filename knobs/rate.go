package knobs

import (
	"golang.org/x/time/rate"
)

// RateLimit is how many events a second a limiter lets through, within bounds.
func RateLimit(name string, l *rate.Limiter, least, most float64) Actuator {
	return Float(name, "events/s", least, most,
		func() float64 { return float64(l.Limit()) }, func(v float64) { l.SetLimit(rate.Limit(v)) }).Log(2).given(l != nil, "limiter")
}

// RateBurst is how many events a limiter lets through at once, 1 to most.
func RateBurst(name string, l *rate.Limiter, most int) Actuator {
	return Int(name, "events", 1, most, l.Burst, l.SetBurst).Log(2).given(l != nil, "limiter")
}
