package rivals

import (
	"math"
	"math/cmplx"
	"math/rand/v2"
	"time"

	"autotune/controller"
)

// DotNet is the hill climbing of .NET's PortableThreadPool
// (dotnet/runtime, PortableThreadPool.HillClimbing.cs; Hellerstein, Morrison &
// Eilebrecht, "Applying control theory in the real world: experience with
// building a controller for the .NET thread pool", 2009). It puts a square wave
// of four samples on the number of threads, finds by Goertzel's algorithm how
// much of the wave comes back in the throughput, and moves along that slope as
// far as the wave stands out of the noise.
//
// Known to fail: throughput of mixed work items is unstable, and no gain over
// "off" could be shown, so that its maintainer proposed to disable it
// (dotnet/runtime#81406); bursts and idle times are taken for a signal (#33669);
// it ends in another place in each run, or in a local maximum (coreclr#13010).
type DotNet struct {
	Bounds
	// Cores of the machine; above 95 % of them it adds no threads. 0: not known.
	Cores float64

	rng      *rand.Rand
	interval time.Duration

	completions, seconds float64 // not yet a sample
	throughput, threads  [dotNetHistory]float64
	total                int // samples ever
	control              float64
	last                 float64 // threads asked for
	noise                float64 // smoothed
}

const (
	dotNetPeriod  = 4                // samples in a wave
	dotNetHistory = 8 * dotNetPeriod // samples remembered
	dotNetMaxWave = 20               // threads
	dotNetBias    = 0.15             // throughput that a thread must bring, as a ratio
	dotNetSNR     = 3                // at which a wave is believed in full
	dotNetRate    = 4                // threads/s at most
	dotNetStep    = 20               // threads a sample at most
	dotNetSmooth  = 0.01             // of the noise
	dotNetGain    = 2                // exponent
	dotNetError   = 0.15             // of a sample at most, by what is in progress
	dotNetBusy    = 0.95             // of the processors
	dotNetFast    = 10 * time.Millisecond
	dotNetSlow    = 200 * time.Millisecond
)

var _ Law = (*DotNet)(nil)

// NewDotNet returns the law with its defaults. The seed is for the lengths of
// samples, which are random so that they lock to nothing.
func NewDotNet(b Bounds, seed uint64) *DotNet {
	return &DotNet{Bounds: b, rng: rand.New(rand.NewPCG(seed, 21))}
}

// Begin starts from the number of threads that there is.
func (d *DotNet) Begin(now float64) Move {
	d.control, d.last = now, now
	d.redraw()
	return Move{Value: now, Watch: d.interval}
}

func (d *DotNet) redraw() {
	d.interval = dotNetFast + time.Duration(d.rng.Int64N(int64(dotNetSlow-dotNetFast)+1))
}

// Next adds a window to the sample, and moves when the sample is worth it.
func (d *DotNet) Next(w *Window) Move {
	if w.Value != d.last { // somebody else changed it: adopted
		d.control += w.Value - d.last
		d.last = w.Value
	}
	d.completions += w.value(controller.Completions)
	d.seconds += w.Over.Seconds()
	if d.completions == 0 || (w.Value-1)/d.completions >= dotNetError {
		return Move{Value: w.Value, Watch: dotNetFast}
	}
	i := d.total % dotNetHistory
	d.throughput[i], d.threads[i] = d.completions/d.seconds, w.Value
	d.total++
	length := d.seconds
	d.completions, d.seconds = 0, 0

	slope, move := d.climb(length, w)
	d.control += move
	wave := min(max(int(0.5+d.control*d.noise*dotNetSNR*2), 1), dotNetMaxWave)
	d.control = min(max(d.control, d.Min), d.Max-float64(wave))
	to := math.Floor(d.control + float64(wave*(d.total/(dotNetPeriod/2)%2)))
	to = d.clamp(to)
	if to != d.last {
		d.redraw()
	}
	d.last = to
	watch := d.interval
	if slope < 0 && to == d.Min { // fewer would be better and cannot be: later
		watch = max(dotNetFast, time.Duration(float64(watch)*10*min(-slope, 1)))
	}
	return Move{Value: to, Watch: watch}
}

// climb returns the slope of throughput over threads, both relative, and the
// move that it asks for.
func (d *DotNet) climb(length float64, w *Window) (slope, move float64) {
	n := min(d.total-1, dotNetHistory) / dotNetPeriod * dotNetPeriod
	if n <= dotNetPeriod { // warming up
		return 0, 0
	}
	meanY, meanU := d.mean(&d.throughput, n), d.mean(&d.threads, n)
	if meanY == 0 || meanU == 0 {
		return 0, 0
	}
	y := d.wave(&d.throughput, n, dotNetPeriod) / complex(meanY, 0)
	u := d.wave(&d.threads, n, dotNetPeriod) / complex(meanU, 0)
	waves, of := float64(n/dotNetPeriod), float64(n)
	noise := max(cmplx.Abs(d.wave(&d.throughput, n, of/(waves+1))), cmplx.Abs(d.wave(&d.throughput, n, of/(waves-1)))) / meanY
	if d.noise == 0 {
		d.noise = noise
	} else {
		d.noise += dotNetSmooth * (noise - d.noise)
	}
	if u == 0 {
		return 0, 0
	}
	slope = real((y - dotNetBias*u) / u)
	believed := 1.0
	if loud := max(d.noise, noise); loud > 0 {
		believed = min(cmplx.Abs(u)/loud/dotNetSNR, 1)
	}
	move = min(max(slope, -1), 1) * believed
	move = min(math.Copysign(math.Pow(math.Abs(move), dotNetGain), move)*dotNetRate*length, dotNetStep)
	if move > 0 && d.Cores > 0 && w.value(controller.CPUSeconds)/w.Over.Seconds() > dotNetBusy*d.Cores {
		move = 0
	}
	return slope, move
}

// recent is the i-th of the last n samples.
func (d *DotNet) recent(of *[dotNetHistory]float64, n, i int) float64 {
	return of[(d.total-n+i)%dotNetHistory]
}

func (d *DotNet) mean(of *[dotNetHistory]float64, n int) float64 {
	sum := 0.0
	for i := range n {
		sum += d.recent(of, n, i)
	}
	return sum / float64(n)
}

// wave is the component of this period in the last n samples (Goertzel 1958).
func (d *DotNet) wave(of *[dotNetHistory]float64, n int, period float64) complex128 {
	sin, cos := math.Sincos(2 * math.Pi / period)
	q1, q2 := 0.0, 0.0
	for i := range n {
		q1, q2 = 2*cos*q1-q2+d.recent(of, n, i), q1
	}
	return complex(q1-q2*cos, q2*sin) / complex(float64(n), 0)
}
