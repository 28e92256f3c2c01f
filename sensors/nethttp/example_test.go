package nethttp_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"autotune/controller"
	"autotune/sensors"
	"autotune/sensors/nethttp"
)

func ExampleMiddleware() {
	mux := http.NewServeMux()
	mux.HandleFunc("/fine", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("/broken", func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "no database", http.StatusServiceUnavailable)
	})
	rec := sensors.NewRecorder()
	handler := nethttp.Middleware(rec, mux, nethttp.IntendedTimeHeader("X-Intended-Time"))

	for _, path := range []string{"/fine", "/fine", "/fine", "/broken"} {
		handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, path, nil))
	}
	var s controller.Sample
	rec.Take(time.Now(), &s)
	errors, _ := s.Value(controller.ErrorRatio)
	fmt.Printf("%v requests, error ratio %v\n", s.Totals[controller.Requests], errors)
	// Output: 4 requests, error ratio 0.25
}
