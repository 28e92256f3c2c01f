package sensors_test

import (
	"fmt"
	"time"

	"autotune/controller"
	"autotune/sensors"
)

// A request that hangs has no latency; a sample has it at its age so far, so
// that a stall shows in the quantiles.
func ExampleRecorder() {
	rec := sensors.NewRecorder()
	now := time.Now()
	for range 9 {
		rec.Start(now).End(false)
	}
	rec.Start(now.Add(-10 * time.Second)) // and hangs ever since

	var s controller.Sample
	rec.Take(time.Now(), &s)
	p50, _ := s.Value(controller.LatencyP50)
	p95, _ := s.Value(controller.LatencyP95)
	fmt.Printf("requests %v, in flight %v\n", s.Totals[controller.Requests], s.Gauges[controller.InFlight])
	fmt.Printf("p50 below 1 s: %v, p95 about 10 s: %v\n", p50 < 1, p95 > 9.8 && p95 < 10.2)
	// Output:
	// requests 10, in flight 1
	// p50 below 1 s: true, p95 about 10 s: true
}

// Begin names the stretch of time under one setting; Sample says what happened
// in it so far. A metric that could not be read is absent, and Absent says why.
func ExampleSensors() {
	rec := sensors.NewRecorder()
	s, err := sensors.New(sensors.Options{Recorder: rec})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = s.Close() }()

	slow := rec.StartNow() // under the old setting
	s.Begin(1)
	rec.StartNow().End(false)
	rec.StartNow().End(true)
	slow.End(false)
	time.Sleep(time.Millisecond)
	sample, err := s.Sample(time.Now())
	if err != nil {
		fmt.Println(err)
		return
	}
	errors, _ := sample.Value(controller.ErrorRatio)
	fmt.Printf("completions %v, error ratio %v\n", sample.Totals[controller.Completions], errors)
	_, ok := sample.Value(sensors.HostCPURatio)
	fmt.Printf("host CPU known: %v (%s)\n", ok, s.Absent()[sensors.HostCPURatio])
	// Output:
	// completions 2, error ratio 0.5
	// host CPU known: false (first reading: a rate needs two)
}
