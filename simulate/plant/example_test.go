package plant_test

import (
	"context"
	"fmt"
	"time"

	"autotune/simulate/plant"
)

// What a cache truly does to a service whose requests repeat: both settings get
// the same requests with the same luck.
func ExampleScenario_Cost() {
	s, err := plant.Named("high-frequency")
	if err != nil {
		fmt.Println(err)
		return
	}
	cached := s.Initial().With(map[string]float64{"enable_cache_optimization": 1, "cache_size": 4096})
	was, err := s.Cost(s.Initial(), 1, 5*time.Minute)
	if err != nil {
		fmt.Println(err)
		return
	}
	is, err := s.Cost(cached, 1, 5*time.Minute)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("the same requests:", is.Requests == was.Requests)
	fmt.Printf("p95 %.1f ms -> %.1f ms\n", 1e3*was.P95, 1e3*is.P95)
	fmt.Printf("CPU per request %.2f ms -> %.2f ms\n", 1e3*was.CPUPerRequest, 1e3*is.CPUPerRequest)
	// Output:
	// the same requests: true
	// p95 4.3 ms -> 0.6 ms
	// CPU per request 0.75 ms -> 0.16 ms
}

// A service of one's own: two cores, and requests that are fast or slow.
func ExampleNew() {
	s, err := plant.New(plant.Config{
		Cores:    2,
		Arrivals: plant.Bursty(100, 400, 10*time.Second, time.Second),
		Kinds: []plant.Kind{
			{Name: "fast", Share: 9, Work: time.Millisecond},
			{Name: "slow", Share: 1, Work: 20 * time.Millisecond},
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	if _, err := s.Observe(context.Background(), 1, time.Minute); err != nil {
		fmt.Println(err)
		return
	}
	c := s.Counts()
	fmt.Println("conserved:", c.Arrived == c.Done+c.Failed+c.Rejected+uint64(c.InFlight))
	// Output:
	// conserved: true
}
