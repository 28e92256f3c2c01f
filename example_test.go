package autotune_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"time"

	"autotune"
	"autotune/executor"
	"autotune/sensors/nethttp"
)

// A service embeds the autopilot, binds its steps to the autopilot's executor,
// and lets the middleware count its requests. Without
// EnableAutomaticOptimization nothing is ever changed.
func Example() {
	pilot, err := autotune.Start(context.Background(), autotune.Config{
		Executor: executor.Config{EnableAutomaticOptimization: true},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer pilot.Executor().Close()
	defer pilot.Close()

	square, err := executor.NewStep(pilot.Executor(), executor.StepConfig[int, int]{
		Name: "square", Results: executor.Pure(),
		Run: func(_ context.Context, n int) (int, error) { return n * n, nil },
	})
	if err != nil {
		log.Fatal(err)
	}
	routes := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, _ := strconv.Atoi(r.FormValue("n"))
		out, err := square.Run(r.Context(), n)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		fmt.Fprint(w, out)
	})
	server := nethttp.Middleware(pilot.Recorder(), routes)

	answer := httptest.NewRecorder()
	server.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/?n=12", nil))
	fmt.Println(answer.Body)
	// Output: 144
}

// A change of one's own, judged before it is deployed: the guide's performance
// validation of a function.
func ExampleMeasure() {
	text := strings.Repeat("tuning ", 1000)
	joined := func(context.Context) error {
		out := ""
		for _, word := range strings.Fields(text) {
			out += word // copies all that is there already
		}
		return nil
	}
	built := func(context.Context) error {
		var out strings.Builder
		for _, word := range strings.Fields(text) {
			out.WriteString(word)
		}
		return nil
	}
	m, err := autotune.Measure(context.Background(), joined, built, autotune.MeasureConfig{Block: 5 * time.Millisecond})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("the candidate is", m.Verdict)
	for _, e := range m.Effects {
		fmt.Println(e.Metric, e.Verdict)
	}
	// Output:
	// the candidate is better
	// latency_mean_seconds better
	// cpu_seconds_per_request better
	// alloc_bytes_per_request better
}
