package plant

import (
	"math"
	"math/rand/v2"
	"time"
)

// Arrivals is how requests come: a Poisson process whose rate is constant in
// pieces. It is a description; each run makes a Rate of its own from it, with
// chance of its own.
type Arrivals func(rng *rand.Rand) Rate

// Rate returns the rate from a time on, in requests/s, and until when it holds. It
// is asked with times that do not go back.
type Rate func(at time.Duration) (perSecond float64, until time.Duration)

// forever is later than any run.
const forever = time.Duration(math.MaxInt64)

// Poisson arrivals have the same rate at all times.
func Poisson(perSecond float64) Arrivals {
	return func(*rand.Rand) Rate {
		return func(time.Duration) (float64, time.Duration) { return perSecond, forever }
	}
}

// Bursty arrivals are a Markov-modulated Poisson process of two states: calm and
// burst, each of which lasts for an exponential time of this mean.
//
// Fischer and Meier-Hellstern, The Markov-modulated Poisson process cookbook,
// Performance Evaluation 18 (1993).
func Bursty(calm, burst float64, calmFor, burstFor time.Duration) Arrivals {
	return func(rng *rand.Rand) Rate {
		until := time.Duration(float64(calmFor) * rng.ExpFloat64())
		bursts := false
		return func(at time.Duration) (float64, time.Duration) {
			for at >= until {
				mean := burstFor
				if bursts {
					mean = calmFor
				}
				bursts = !bursts
				until += 1 + time.Duration(float64(mean)*rng.ExpFloat64())
			}
			if bursts {
				return burst, until
			}
			return calm, until
		}
	}
}

// Diurnal arrivals follow a sinusoid of this period and relative amplitude 0..1,
// which begins at its mean and rises. The rate is even over a hundredth of the period.
func Diurnal(mean, amplitude float64, period time.Duration) Arrivals {
	return Modulated(mean, period/100, func(at time.Duration) float64 {
		return 1 + amplitude*math.Sin(2*math.Pi*float64(at%period)/float64(period))
	})
}

// Modulated arrivals have a rate of mean times level, which is taken at the
// beginning of each stretch of time and holds for it. level is a pure function.
func Modulated(mean float64, stretch time.Duration, level func(at time.Duration) float64) Arrivals {
	return func(*rand.Rand) Rate {
		return func(at time.Duration) (float64, time.Duration) {
			from := at - at%stretch
			return max(0, mean*level(from)), from + stretch
		}
	}
}

// Recorded arrivals have the rates of a recording, in requests/s, each for so
// long; it starts over when it ends.
func Recorded(perSecond []float64, each time.Duration) Arrivals {
	return func(*rand.Rand) Rate {
		return func(at time.Duration) (float64, time.Duration) {
			i := at / each
			return perSecond[int(i)%len(perSecond)], (i + 1) * each
		}
	}
}

// arrivals draws them, one after the other.
type arrivals struct {
	rate  Rate
	rng   *rand.Rand
	next  time.Duration
	now   float64 // requests/s
	until time.Duration
}

// silence is how long a recording may be without requests before the rest of
// the run is taken for silent too.
const silence = 366 * 24 * time.Hour

// advance draws the next arrival. Within a piece gaps are exponential; what is
// left of a gap at its end is stretched to the next one's rate, which is exact.
func (a *arrivals) advance() {
	gap := a.rng.ExpFloat64()
	for from := a.next; ; {
		if need := gap * 1e9 / a.now; need < float64(a.until-a.next) { // +Inf at rate 0
			a.next += time.Duration(need)
			return
		}
		if a.until == forever || a.until-from > silence {
			a.next = forever
			return
		}
		gap -= float64(a.until-a.next) * a.now / 1e9
		a.next = a.until
		a.now, a.until = a.rate(a.next)
	}
}

func newArrivals(how Arrivals, chance, rng *rand.Rand) arrivals {
	a := arrivals{rate: how(chance), rng: rng}
	a.now, a.until = a.rate(0)
	a.advance()
	return a
}
