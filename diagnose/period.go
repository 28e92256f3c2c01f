package diagnose

import (
	"fmt"
	"math"
	"time"

	"autotune/controller"
)

// Looking for a period. Blocks of the safe setting come in gaps, where candidates
// were in force, so the spectrum is that of Lomb (1976) and Scargle (1982): for
// each period the least-squares fit of one wave to points at any times. Latency
// drifts, which puts much power into long periods without there being one; so
// power is compared with that of noise of the same correlation (first-order
// autoregressive, as in Schulz and Mudelsee 2002), not with white noise.
//
// The chance that noise alone shows such a peak at any of the m periods looked at
// is 1-(1-exp(-z))^m for a power of z times its expectation. It is exact for normal
// values and known correlation; both are estimates, so that the least chance asked
// for, 1e-4, errs to silence, as do a share of the variance that a person would
// see and several whole cycles.
const (
	leastPoints = 40
	leastCycles = 4
	leastShare  = 0.25
	mostChance  = 1e-4
	// leastWave is the half height of a wave worth telling, log units.
	leastWave = 0.05
	mostFreqs = 400
)

// period is the strongest wave in a series.
type period struct {
	length    time.Duration
	amplitude float64 // half height, log units
	share     float64 // of the variance
	cycles    float64 // in the series
	chance    float64 // that noise shows such a peak
	found     bool
}

// period looks for one in a goal, in the latest process, and says what it looked at.
func (tr *track) period(m controller.Metric) (best period, looked string) {
	t, y, _ := tr.of(m)
	if len(t) < leastPoints {
		return best, ""
	}
	y = detrended(t, y)
	variance, lag := momentsOf(y)
	all, step := t[len(t)-1]-t[0], (t[len(t)-1]-t[0])/float64(len(t)-1)
	if variance == 0 || all <= 0 {
		return best, ""
	}
	// Periods from four steps to a quarter of the series, in equal steps of
	// frequency: half of what two waves need to be told apart.
	low, high := leastCycles/all, 1/(4*step)
	freqs := min(int(2*(high-low)*all)+1, mostFreqs)
	z := 0.0
	for i := range freqs {
		freq := low + (high-low)*float64(i)/float64(max(freqs-1, 1))
		amplitude, share := wave(t, y, freq, variance)
		// Expected share of white noise is 2/n; of red noise that, times its spectrum.
		expected := 2 / float64(len(t)) * red(lag, freq*step)
		if v := share / expected; v > z {
			z = v
			best = period{
				length: time.Duration(float64(time.Second) / freq), amplitude: amplitude, share: share, cycles: all * freq,
				chance: -math.Expm1(float64(freqs) * math.Log1p(-math.Exp(-v))),
			}
		}
	}
	best.found = best.chance <= mostChance && best.share >= leastShare && best.amplitude >= leastWave
	looked = fmt.Sprintf("no period among %d from %s to %s", freqs, clock(seconds(1/high)), clock(seconds(1/low)))
	if best.found {
		looked = "a period of " + clock(best.length)
	}
	return best, looked
}

func seconds(v float64) time.Duration { return time.Duration(v * float64(time.Second)) }

// detrended is y without its mean and its trend.
func detrended(t, y []float64) []float64 {
	n := float64(len(t))
	var mt, my float64
	for i := range t {
		mt, my = mt+t[i]/n, my+y[i]/n
	}
	var tt, ty float64
	for i := range t {
		tt, ty = tt+(t[i]-mt)*(t[i]-mt), ty+(t[i]-mt)*(y[i]-my)
	}
	slope := 0.0
	if tt > 0 {
		slope = ty / tt
	}
	out := make([]float64, len(y))
	for i := range y {
		out[i] = y[i] - my - slope*(t[i]-mt)
	}
	return out
}

// momentsOf y, which has a mean of 0: its variance, and the correlation of
// neighbors, 0..0.99.
func momentsOf(y []float64) (variance, lag float64) {
	var all, next float64
	for i, v := range y {
		all += v * v
		if i > 0 {
			next += v * y[i-1]
		}
	}
	if all == 0 {
		return 0, 0
	}
	return all / float64(len(y)), min(max(next/all, 0), 0.99)
}

// wave fits one to y at a frequency: its half height, and the share of the variance.
func wave(t, y []float64, freq, variance float64) (amplitude, share float64) {
	w := 2 * math.Pi * freq
	var s2, c2 float64
	for _, x := range t {
		s, c := math.Sincos(2 * w * x)
		s2, c2 = s2+s, c2+c
	}
	shift := math.Atan2(s2, c2) / (2 * w) // makes sine and cosine orthogonal at these times
	var yc, ys, cc, ss float64
	for i, x := range t {
		s, c := math.Sincos(w * (x - shift))
		yc, ys, cc, ss = yc+y[i]*c, ys+y[i]*s, cc+c*c, ss+s*s
	}
	if cc == 0 || ss == 0 {
		return 0, 0
	}
	a, b := yc/cc, ys/ss
	return math.Hypot(a, b), (yc*yc/cc + ys*ys/ss) / (variance * float64(len(y)))
}

// red is the spectrum of noise in which neighbors have that correlation, at a
// frequency in cycles a step, with a mean of 1 over frequencies.
func red(lag, freq float64) float64 {
	return (1 - lag*lag) / (1 - 2*lag*math.Cos(2*math.Pi*freq) + lag*lag)
}
