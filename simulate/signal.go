package simulate

import (
	"math"
	"math/rand/v2"
	"time"
)

// Signal is a function of the age of a run: the drift of a level, in log units
// where it scales something. It is a plain function, so that any closure is one;
// nil is zero at all times.
//
// A signal with a memory (AR1, Jumps, Noise) must be asked with ages that do not
// go back; asked twice for one age it answers the same, so that two levels may
// share it. It belongs to one run, and is not safe for concurrent use.
type Signal func(age time.Duration) float64

// At returns the signal's value at this age; a nil signal's is 0.
func (s Signal) At(age time.Duration) float64 {
	if s == nil {
		return 0
	}
	return s(age)
}

// Constant is v at all times.
func Constant(v float64) Signal { return func(time.Duration) float64 { return v } }

// Ramp grows from 0 by perHour in each hour.
func Ramp(perHour float64) Signal {
	return func(age time.Duration) float64 { return perHour * age.Hours() }
}

// Step is from before the age at, and to from then on.
func Step(at time.Duration, from, to float64) Signal {
	return func(age time.Duration) float64 {
		if age < at {
			return from
		}
		return to
	}
}

// Oscillation is a sinusoid; phase is in radians, and at phase 0 it starts at 0
// and rises.
func Oscillation(period time.Duration, amplitude, phase float64) Signal {
	return func(age time.Duration) float64 {
		turn := float64(age%period) / float64(period)
		return amplitude * math.Sin(2*math.Pi*turn+phase)
	}
}

// AR1 is an Ornstein-Uhlenbeck process: stationary and normal with mean 0 and
// standard deviation sd, its correlation over a time t is exp(-t/tau). Asked at
// equal spacing it is the autoregressive process of order one. The step from age
// to age is exact whatever the spacing.
func AR1(rng *rand.Rand, tau time.Duration, sd float64) Signal {
	last, gap := time.Duration(-1), time.Duration(-1)
	var x, rho, fresh float64
	return func(age time.Duration) float64 {
		switch {
		case last < 0:
			x = sd * rng.NormFloat64()
		case age > last:
			if age-last != gap { // ages are mostly evenly spaced
				gap = age - last
				rho = math.Exp(-float64(gap) / float64(tau))
				fresh = sd * math.Sqrt(1-rho*rho)
			}
			x = rho*x + fresh*rng.NormFloat64()
		}
		last = age
		return x
	}
}

// Noise is a fresh normal value at each age that it is asked for: what is left
// when a tick's neighbors say nothing about it. Its mean over several ticks of a
// block is smaller than over one.
func Noise(rng *rand.Rand, sd float64) Signal {
	last, x := time.Duration(-1), 0.0
	return func(age time.Duration) float64 {
		if age > last {
			last, x = age, sd*rng.NormFloat64()
		}
		return x
	}
}

// Jumps is a level that holds, and at the times of a Poisson process, on average
// every so often, jumps to a fresh normal value with standard deviation sd. Its
// correlation over a time t is exp(-t/every), as that of AR1, with none of its
// smoothness.
func Jumps(rng *rand.Rand, every time.Duration, sd float64) Signal {
	level := sd * rng.NormFloat64()
	next := float64(every) * rng.ExpFloat64()
	return func(age time.Duration) float64 {
		for float64(age) >= next {
			level = sd * rng.NormFloat64()
			next += float64(every) * rng.ExpFloat64()
		}
		return level
	}
}

// Sum adds signals.
func Sum(signals ...Signal) Signal {
	return func(age time.Duration) float64 {
		total := 0.0
		for _, s := range signals {
			total += s.At(age)
		}
		return total
	}
}

// Scaled is k times a signal: the latency of a service that gets slower as load
// rises has a Level of Scaled(load, 0.5).
func Scaled(s Signal, k float64) Signal {
	return func(age time.Duration) float64 { return k * s.At(age) }
}
